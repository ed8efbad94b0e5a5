/** A session's stored conversation, contract api.md 4.8 and 4.9: snapshot version 1. */
import { z } from "zod";
import type { Objects } from "../store/objects.ts";
import { friendlyId, type StoredSession } from "../store/sessions.ts";
import type { Environment } from "./types.ts";

/** A UI message: open, since every agent adds its own parts and fields. */
export const Message = z.looseObject({
  id: z.string(),
  role: z.string(),
  parts: z.array(z.looseObject({ type: z.string() })),
  metadata: z.record(z.string(), z.unknown()).exactOptional(),
});

const Snapshot = z.object({
  version: z.literal(1),
  savedAt: z.number(),
  messages: z.array(Message),
  /** Last `.out` and `.in` sequence numbers the messages cover. */
  lastOutEventId: z.string().optional(),
  lastInEventId: z.string().optional(),
});

export type UIMessage = z.output<typeof Message>;
export type ChatSnapshot = z.output<typeof Snapshot>;

export const snapshotKey = (environment: Environment, session: Pick<StoredSession, "id">): string =>
  `packets/${environment.projectRef}/${environment.slug}/sessions/${friendlyId(session)}/snapshot.json`;

/** Undefined when there is none that can be read. */
export function loadSnapshot(
  objects: Objects,
  environment: Environment,
  session: Pick<StoredSession, "id">,
): ChatSnapshot | undefined {
  const stored = objects.get(snapshotKey(environment, session));
  if (stored === undefined) return undefined;
  try {
    return Snapshot.parse(JSON.parse(stored.body.toString()));
  } catch {
    return undefined;
  }
}

export function saveSnapshot(
  objects: Objects,
  environment: Environment,
  session: Pick<StoredSession, "id">,
  snapshot: ChatSnapshot,
): void {
  const body = Buffer.from(JSON.stringify(snapshot));
  objects.put(snapshotKey(environment, session), { contentType: "application/json", body });
}

export interface TranscriptPage {
  /** At most this many, the most recent ones. */
  limit?: number | undefined;
  /** Id of a message: only older ones. */
  before?: string | undefined;
}

/** Undefined when `before` names no message. */
export function readTranscript(
  objects: Objects,
  environment: Environment,
  session: StoredSession,
  { limit, before }: TranscriptPage,
) {
  const snapshot = loadSnapshot(objects, environment, session);
  if (snapshot === undefined) return before === undefined ? { messages: [] } : undefined;
  const { messages, lastOutEventId, lastInEventId } = snapshot;
  const end = before === undefined ? messages.length : messages.findIndex(({ id }) => id === before);
  if (end < 0) return undefined;
  const start = limit === undefined ? 0 : Math.max(0, end - limit);
  const oldest = start > 0 ? messages[start] : undefined;
  return {
    messages: messages.slice(start, end),
    cursors: { ...(lastOutEventId && { lastOutEventId }), ...(lastInEventId && { lastInEventId }) },
    ...(oldest && { nextCursor: oldest.id }),
  };
}
