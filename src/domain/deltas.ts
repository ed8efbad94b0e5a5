/** Text that a stream brings in pieces, contract channels.md 10: whose piece a chunk is, and the same chunk with another text. */
import { isObject } from "./message.ts";

export interface Delta {
  /** Pieces of one text have one. */
  key: string;
  text: string;
}

const FIELDS = ["delta", "inputTextDelta"] as const;

export function deltaOf(chunk: unknown): Delta | undefined {
  if (!isObject(chunk) || typeof chunk.type !== "string" || !chunk.type.endsWith("-delta")) return undefined;
  for (const field of FIELDS) {
    const text = chunk[field];
    if (typeof text === "string") return { key: keyOf(chunk), text };
  }
  return undefined;
}

/** The text that a chunk says is complete. */
export function endedBy(chunk: unknown): string | undefined {
  return isObject(chunk) && typeof chunk.type === "string" && /-(?:end|available|error)$/.test(chunk.type)
    ? keyOf(chunk)
    : undefined;
}

/** `text-delta` and `text-end` of one id belong together, as do a tool's input and its pieces. */
const keyOf = (chunk: Record<string, unknown>): string =>
  `${String(chunk.type).split("-")[0]} ${String(chunk.toolCallId ?? chunk.id)}`;

/** `chunk` is one that {@link deltaOf} knows. */
export function withDelta(chunk: unknown, text: string): unknown {
  if (!isObject(chunk)) return chunk;
  const field = FIELDS.find((name) => typeof chunk[name] === "string");
  return field === undefined ? chunk : { ...chunk, [field]: text };
}
