/** Creates a session and with it its first run: contract api.md 4.2. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { follow } from "../bridge/follow.ts";
import { locate, positionOf } from "../bridge/position.ts";
import type { CallOptions } from "../client/api.ts";
import { call, formatCall } from "../domain/calls.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import type { Session, SessionStart, StartedSession } from "../domain/session.ts";
import { sessionKey } from "../domain/session.ts";
import { oneLine } from "../views/format.ts";
import { sessionLine } from "../views/session.ts";
import { type FollowedSession, viewFollowed } from "../views/turn.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { sayFirst } from "./first-message.ts";
import { followContext, followedOutput } from "./following.ts";
import * as params from "./params.ts";

/** Characters of an undelivered message that a suggested call repeats. */
const ECHOED = 200;

const input = z.object({
  task: params.task,
  external_id: z.string().trim().min(1).max(256).optional().describe("yours; makes repeating safe"),
  message: z.string().min(1).optional(),
  type: z.string().min(1).max(64).default("chat.agent"),
  payload: params.object.optional().describe("more of the run's base payload"),
  client_data: params.json.optional().describe("for chat agents that ask for it"),
  tags: params.tags.optional(),
  metadata: params.object.optional(),
  idle_timeout_seconds: z.int().min(1).max(3600).optional(),
  follow: z.boolean().default(true).describe("stream the first turn, when there is a message"),
  timeout_seconds: params.timeoutSeconds.optional(),
});

type Input = z.output<typeof input>;

interface Started {
  session: Session;
  runId: string;
  created: boolean;
  /** False where others had spoken before. */
  delivered: boolean;
  /** By an earlier call. */
  repeated: boolean;
  followed?: FollowedSession;
}

export default defineTool({
  name: "start_session",
  title: "Start session",
  summary:
    "Create a session of a task (or find the one with this external_id), start its run, and stream the answer to a first message.",
  effect: "write",
  toolset: "sessions",
  permission: { action: "write", type: "sessions" },
  input,
  output: followedOutput.extend({ id: z.string(), created: z.boolean(), delivered: z.boolean() }),
  run: start,

  view(started, context, { message }) {
    const { session, runId, created, delivered, repeated, followed } = started;
    const key = sessionKey(session);
    const facts = { session: key, id: session.id, run_id: runId, created, delivered };
    const line = `${created ? "started" : "existed already:"} ${sessionLine(session, context)} · ${oneLine(context.clean(runId), 64)}`;
    const head = repeated ? `${line}\nThe message was sent before: nothing was sent again.` : line;
    if (followed)
      return viewFollowed(followed, context, { lead: head, extra: { id: session.id, created, delivered } });
    const undelivered = message !== undefined && !delivered;
    const next = undelivered
      ? [call("send_session_message", { session: key, message: message.length <= ECHOED ? message : "…" })]
      : message === undefined
        ? [call("send_session_message", { session: key, message: "…" })]
        : [call("follow_session", { session: key, after: "start" })];
    return {
      text: [
        head,
        ...(undelivered
          ? ["The message was NOT delivered: something else was said in this session before."]
          : []),
        `next ${next.map(formatCall).join("\n     ")}`,
      ].join("\n"),
      structured: { ...facts, next },
    };
  },
});

async function start(asked: Input, context: ToolContext): Promise<Started> {
  refuseUnaddressable(asked.external_id);
  const { api, signal } = context;
  const following = followContext(context, asked.timeout_seconds);
  const limits = { signal, deadline: following.deadline };
  context.progress.report(`starting a session of ${asked.task}`);
  const { runId, created, publicAccessToken: _, ...session } = await create(asked, limits, context);
  const started = { session, runId, created, delivered: false, repeated: false };
  if (asked.message === undefined) return started;
  const position = created
    ? positionOf(session, [], [])
    : (await locate(api, sessionKey(session), limits)).position;
  const said = await sayFirst(asked.message, asked.client_data, { session, position }, context, limits);
  if (said === undefined) return started;
  const { seq, repeated } = said;
  const delivered = { ...started, delivered: true, repeated };
  if (!asked.follow) return delivered;
  const turn = { until: "turn", committed: true, ...(seq !== undefined && { seq }) } as const;
  return { ...delivered, followed: await follow({ session, position, ...turn }, following) };
}

/** A session that could be created but never be named in a path again would be lost. */
function refuseUnaddressable(externalId: string | undefined): void {
  if (externalId === undefined) return;
  const wrong = externalId.startsWith("session_")
    ? 'must not begin with "session_"'
    : /[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(externalId)
      ? "must not hold control characters"
      : externalId === "." || externalId === ".."
        ? "must be more than dots"
        : undefined;
  if (wrong) throw new TriggerError("invalid_request", `"external_id" ${wrong}.`);
}

async function create(asked: Input, options: CallOptions, { api }: ToolContext): Promise<StartedSession> {
  const triggerConfig = await knownConfig(asked.external_id, options, api);
  try {
    return await api.sessions.create({ ...request(asked), ...(triggerConfig && { triggerConfig }) }, options);
  } catch (error) {
    if (!isTriggerError(error) || error.code !== "session_closed" || asked.external_id === undefined)
      throw error;
    throw new TriggerError(
      "session_closed",
      `the session ${JSON.stringify(asked.external_id)} is closed for good`,
      {
        ...(error.status !== undefined && { status: error.status }),
        hint: 'Take another "external_id", or none.',
        cause: error,
      },
    );
  }
}

/**
 * What a session that exists was started with. Creating would overwrite it (api.md 4.2) with a message that reaches nobody:
 * its machine, its queue and its client data would be lost, and the message would look unanswered.
 */
async function knownConfig(externalId: string | undefined, options: CallOptions, api: ToolContext["api"]) {
  if (externalId === undefined) return undefined;
  try {
    return (await api.sessions.retrieve(externalId, options)).triggerConfig;
  } catch (error) {
    // New, or not to be read with this credential.
    if (isTriggerError(error) && ["not_found", "forbidden"].includes(error.code)) return undefined;
    throw error;
  }
}

/** Chat agents find their session by `chatId`, so every session gets an external id: it also makes creating repeatable. */
function request(asked: Input): SessionStart {
  const externalId = asked.external_id ?? `chat-${randomUUID()}`;
  return {
    type: asked.type,
    task: asked.task,
    externalId,
    triggerConfig: {
      basePayload: {
        chatId: externalId,
        trigger: "preload",
        ...(asked.client_data !== undefined && { metadata: asked.client_data }),
        ...asked.payload,
      },
      ...(asked.idle_timeout_seconds !== undefined && { idleTimeoutInSeconds: asked.idle_timeout_seconds }),
    },
    ...(asked.tags && { tags: asked.tags }),
    ...(asked.metadata && { metadata: asked.metadata }),
  };
}
