/** A session's stored conversation, contract api.md 4.8 and 4.9: written as version 1, read as either. */
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

const positions = {
  /** Last `.out` and `.in` sequence numbers the messages cover. */
  lastOutEventId: z.string().optional(),
  lastInEventId: z.string().optional(),
};

const First = z.object({
  version: z.literal(1),
  savedAt: z.number(),
  messages: z.array(Message),
  ...positions,
});

/** Version 2 is lines: a header, one message each, an index and a trailer. */
const SecondHeader = z.object({ v: z.literal(2), savedAt: z.number().default(0), ...positions });
const SecondEntry = z.object({ id: z.string(), message: Message });

export type UIMessage = z.output<typeof Message>;
export type ChatSnapshot = z.output<typeof First>;

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
  const text = stored.body.toString();
  return First.safeParse(parseJson(text)).data ?? readLines(text.split("\n"));
}

/** Lines that are no message are left out: the index, the trailer, and what nobody can read. */
function readLines([first = "", ...lines]: string[]): ChatSnapshot | undefined {
  const head = SecondHeader.safeParse(parseJson(first)).data;
  if (head === undefined) return undefined;
  const { v: _, ...facts } = head;
  const entries = lines.map((line) => SecondEntry.safeParse(parseJson(line)).data);
  const messages = entries.flatMap((entry) => (entry === undefined ? [] : [entry.message]));
  return { version: 1, ...facts, messages };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
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
