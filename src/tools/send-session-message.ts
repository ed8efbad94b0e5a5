/** Says something to the agent behind a session and streams the turn that answers it: contract channels.md 4.1 and 7. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { follow } from "../bridge/follow.ts";
import { chatInput } from "../bridge/input.ts";
import { isBusy, locate } from "../bridge/position.ts";
import { call, formatCall } from "../domain/calls.ts";
import { TriggerError } from "../domain/errors.ts";
import { sessionKey } from "../domain/session.ts";
import type { Answer, ViewContext } from "../views/answer.ts";
import { oneLine } from "../views/format.ts";
import { type FollowedSession, viewFollowed } from "../views/turn.ts";
import { append, appendInput } from "./appending.ts";
import { approvalOf } from "./approving.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { followContext, followedOutput } from "./following.ts";
import * as params from "./params.ts";

const input = z.object({
  session: params.session,
  message: z.string().min(1).optional().describe("the text; for stop the reason"),
  kind: z.enum(["message", "stop", "action", "approval", "regenerate"]).default("message"),
  action: params.json.optional().describe("for kind action: what the agent defines"),
  approval: z
    .strictObject({ approved: z.boolean(), id: z.string().optional(), reason: z.string().optional() })
    .optional()
    .describe("for kind approval; id only when several wait"),
  metadata: params.json.optional().describe("client data; default: the session's"),
  key: z.string().min(1).max(64).optional().describe("repeating it within 5 minutes sends nothing twice"),
  timeout_seconds: params.timeoutSeconds.optional(),
});

type Input = z.output<typeof input>;

type Sent =
  | {
      followed: FollowedSession;
      key: string;
      /** The key had been used before: the record was there already. */
      repeated: boolean;
    }
  /** There was nothing to stop, so nothing was sent. */
  | { idle: string };

export default defineTool({
  name: "send_session_message",
  title: "Send session message",
  summary:
    "Send a message, stop, action, tool approval or regenerate to a chat agent and stream the turn that answers it.",
  effect: "write",
  toolset: "sessions",
  permission: { action: "write", type: "sessions" },
  input,
  output: followedOutput.extend({ key: z.string().optional(), sent: z.boolean() }),
  run: send,

  view(outcome, context) {
    if ("idle" in outcome) return nothingToStop(outcome.idle, context);
    const { followed, key, repeated } = outcome;
    const lead = repeated
      ? "This key was used before: nothing was sent again, this is the turn that answers the first."
      : undefined;
    return viewFollowed(followed, context, { lead, extra: { key, sent: true } });
  },
});

async function send(asked: Input, context: ToolContext): Promise<Sent> {
  refuseIncomplete(asked);
  const { api, signal } = context;
  const following = followContext(context, asked.timeout_seconds);
  const limits = { signal, deadline: following.deadline };
  context.progress.report(`${asked.session} · sending`);
  // Where both channels stand before the input goes out: nothing of its answer can be missed.
  const { session, position } = await locate(api, asked.session, limits);
  const key = asked.key ?? randomUUID();
  if (asked.kind === "stop" && !isBusy(session, position)) return { idle: sessionKey(session) };
  const clientData = asked.metadata ?? session.triggerConfig?.basePayload.metadata;
  const approval =
    asked.kind === "approval" ? await approvalOf(session, asked.approval, api, limits) : undefined;
  const body = chatInput(session.externalId ?? session.id, inputOf(asked, key, approval?.answer), clientData);
  const hint = `Call again with "key":${JSON.stringify(key)} within 5 minutes: then it is sent once at most.`;
  const sending = { session: asked.session, body, key, hint };
  const { seq, repeated } =
    asked.kind === "stop"
      ? {
          // What a stop ends is the turn of the last question, wherever the stop itself stands.
          seq: position.in.inputs.findLast((one) => one.asksForTurn)?.seq,
          repeated: (await append(sending, context, limits.deadline)) === undefined,
        }
      : await appendInput(sending, context, limits.deadline);
  const followed = await follow(
    {
      session,
      position,
      until: "turn",
      committed: true,
      ...(seq !== undefined && { seq }),
      ...(asked.kind === "stop" && { stopping: true }),
      ...(approval && { prior: [approval.asking] }),
    },
    following,
  );
  return { followed, key, repeated };
}

function refuseIncomplete({ kind, message, action, approval }: Input): void {
  const missing =
    kind === "message" && message === undefined
      ? '"message"'
      : kind === "action" && action === undefined
        ? '"action"'
        : kind === "approval" && approval === undefined
          ? '"approval", such as {"approved":true}'
          : undefined;
  if (missing) throw new TriggerError("invalid_request", `kind "${kind}" needs ${missing}.`);
}

function inputOf(
  { kind, message = "", action }: Input,
  key: string,
  approval: Awaited<ReturnType<typeof approvalOf>>["answer"] | undefined,
): Parameters<typeof chatInput>[1] {
  if (approval) return { kind: "approval", approval };
  if (kind === "action") return { kind, action };
  if (kind === "regenerate") return { kind };
  if (kind === "stop") return message === "" ? { kind } : { kind, message };
  return { kind: "message", id: key, text: message };
}

function nothingToStop(session: string, context: ViewContext): Answer {
  const next = [call("get_session", { session })];
  return {
    text: `Nothing to stop: no turn is under way in ${oneLine(context.clean(session), 100)}. Nothing was sent.\nnext ${next.map(formatCall).join("")}`,
    structured: { session, sent: false, next },
  };
}
