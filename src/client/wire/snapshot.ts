/** A session's stored snapshot, contract api.md 4.8: one JSON object (v1) or lines of them (v2). */
import { z } from "zod";
import type { Transcript } from "../api.ts";
import { compact, maybe, record } from "./fields.ts";

const cursor = maybe(z.union([z.string(), z.number().transform(String)]));

const firstVersion = z.looseObject({
  version: z.literal(1),
  messages: z.array(record),
  lastOutEventId: cursor,
  lastInEventId: cursor,
});

const header = z.looseObject({ v: z.literal(2), lastOutEventId: cursor, lastInEventId: cursor });
const entry = z.looseObject({ id: z.string().min(1), message: record });

/** `undefined` for text that is no snapshot of a known version. */
export function readSnapshot(text: string): Transcript | undefined {
  const whole = firstVersion.safeParse(tryJson(text));
  if (whole.success) {
    const { messages, lastOutEventId, lastInEventId } = whole.data;
    return compact({ messages, lastOut: lastOutEventId, lastIn: lastInEventId });
  }
  const [first, ...lines] = text.split("\n");
  const head = header.safeParse(tryJson(first ?? ""));
  if (!head.success) return undefined;
  const { lastOutEventId, lastInEventId } = head.data;
  return compact({ messages: messagesOf(lines), lastOut: lastOutEventId, lastIn: lastInEventId });
}

/** A later line for the same message replaces the earlier one. Footer and trailer are no entries. */
function messagesOf(lines: string[]): Record<string, unknown>[] {
  const messages = new Map<string, Record<string, unknown>>();
  for (const line of lines) {
    const read = entry.safeParse(tryJson(line));
    if (read.success) messages.set(read.data.id, read.data.message);
  }
  return [...messages.values()];
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
