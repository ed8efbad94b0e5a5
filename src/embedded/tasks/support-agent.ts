/**
 * `support-agent`: a chat agent without a model. It answers each message on `.in` with a streamed turn on `.out`, as
 * contract channels.md 4, 6, 7 and 10 describe, keeps the conversation in the session's snapshot, and can be continued
 * by a fresh run at any point.
 */
import { z } from "zod";
import { type Channels, dataRecord } from "../engine/channels.ts";
import { channelOf, type Sessions } from "../engine/sessions.ts";
import { loadSnapshot, Message } from "../engine/snapshots.ts";
import type { Environment, TaskContext, TaskDefinition } from "../engine/types.ts";
import { type ChannelAddress, header, type StoredRecord } from "../store/channels.ts";
import type { Db } from "../store/db.ts";
import type { Objects } from "../store/objects.ts";
import { createSessionStore, type SessionStore, type StoredSession } from "../store/sessions.ts";
import { type Inbox, openInbox, type Received } from "./chat-inbox.ts";
import { openConversation } from "./support-conversation.ts";

export interface SupportAgentOptions {
  db: Db;
  channels: Channels;
  objects: Objects;
  /** Stretches the pauses between words; 0 for almost none. */
  pace?: number;
}

/** Seconds without input before the run ends; the session then waits for its next message without a run. */
const IDLE_SECONDS = 300;

const Boot = z.looseObject({
  sessionId: z.string(),
  message: Message.exactOptional(),
  metadata: z.unknown().optional(),
  idleTimeoutInSeconds: z.number().positive().default(IDLE_SECONDS),
});

export function createSupportAgent(options: SupportAgentOptions): TaskDefinition {
  const sessions = createSessionStore(options.db);
  return {
    id: "support-agent",
    kind: "AGENT",
    retry: { maxAttempts: 1, minTimeoutMs: 1000, factor: 1 },
    async run(payload, context) {
      const boot = Boot.parse(payload);
      const session = sessions.find(context.environment.id, boot.sessionId);
      if (session === undefined) throw new Error(`There is no session ${boot.sessionId}`);
      const { inbox, conversation } = await context.span("warm up", {}, async (span) => {
        const restored = restore(options, sessions, context, session);
        span.set({ "chat.messages": restored.messages });
        return restored;
      });
      // A continuation comes without a message: what it has to answer is on `.in`.
      if (boot.message !== undefined) await conversation.open(boot.message, boot.metadata);

      const wait = { channels: options.channels, sessions, context, session, inbox };
      for (;;) {
        const received = await nextInput(wait, boot.idleTimeoutInSeconds * 1000);
        if (received === undefined) return { ended: "idle" };
        if (!(await conversation.handle(received))) return { ended: "closed" };
      }
    },
  };
}

/** The conversation as the last run left it: history from the snapshot, positions from the last `turn-complete`. */
function restore(
  options: SupportAgentOptions,
  sessions: SessionStore,
  context: TaskContext,
  session: StoredSession,
) {
  const { channels, objects } = options;
  const snapshot = loadSnapshot(objects, context.environment, session);
  const lastTurn = channels.lastControl(channelOf(session, "out"), "turn-complete");
  const committed = Math.max(
    Number(snapshot?.lastInEventId ?? -1),
    position(lastTurn, "session-in-event-id"),
  );
  const consumed = Math.max(committed, position(lastTurn, "session-in-consumed-id"));
  const inbox = openInbox(channels, channelOf(session, "in"), { committed, consumed });
  const messages = snapshot?.messages ?? [];
  const conversation = openConversation({
    ...options,
    context,
    session,
    sessions,
    inbox,
    messages,
    ...(lastTurn && { lastTurnSeq: lastTurn.seq }),
  });
  return { inbox, conversation, messages: messages.length };
}

const position = (record: StoredRecord | undefined, name: string): number =>
  Number((record && header(record, name)) ?? -1);

interface Waiting {
  channels: Channels;
  sessions: SessionStore;
  context: TaskContext;
  session: StoredSession;
  inbox: Inbox;
}

/** The next input; undefined when the run should end: the session is closed or another run's, or nothing has come for long. */
async function nextInput(
  { channels, sessions, context, session, inbox }: Waiting,
  idleMs: number,
): Promise<Received | undefined> {
  const address = channelOf(session, "in");
  const idleAt = Date.now() + idleMs;
  for (;;) {
    const { closedAt, leftRunId } = sessions.byId(session.id) ?? session;
    if (leftRunId === context.run.friendlyId) return undefined;
    const received = inbox.take();
    if (received !== undefined) return received;
    const leftMs = idleAt - Date.now();
    if (leftMs <= 0 || closedAt !== undefined) {
      // Nothing can come between the look above and this: an input from now on starts another run.
      sessions.leave(session.id, context.run.friendlyId);
      return undefined;
    }
    await context.waitUntil("wait for input", grown(channels, address, leftMs, context.signal));
  }
}

/** Until a record comes, the time is up or somebody wakes the channel; a server that stops aborts the signal. */
async function grown(channels: Channels, address: ChannelAddress, timeoutMs: number, signal: AbortSignal) {
  await channels.grown(address, channels.tail(address).seq, { timeoutMs, signal });
  if (channels.closed)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

const SEED_CHAT = "chat-81";
const SEED_MESSAGES = ["where is order 4821?", "cancel it", "thanks"];

/** Has the conversation `chat-81` take place, as soon as the worker runs, if the environment has no session yet. */
export function seedSession(
  { sessions, channels }: { sessions: Sessions; channels: Channels },
  environment: Environment,
): void {
  if (sessions.list(environment, {}, { size: 1 }).rows.length > 0) return;
  const [first, ...later] = SEED_MESSAGES.map((text, index) => ({
    chatId: SEED_CHAT,
    trigger: "submit-message",
    message: { id: `u${index + 1}`, role: "user", parts: [{ type: "text", text }] },
  }));
  const { session } = sessions.create(environment, {
    type: "chat.agent",
    task: "support-agent",
    externalId: SEED_CHAT,
    tags: [`chat:${SEED_CHAT}`],
    triggerConfig: { basePayload: { ...first }, tags: [`chat:${SEED_CHAT}`] },
  });
  for (const payload of later) {
    channels.append(channelOf(session, "in"), dataRecord(JSON.stringify({ kind: "message", payload })));
  }
}
