/** Text that a stream brings in pieces, contract channels.md 10: whose piece a chunk is, and the same chunk with another text. */
import { isObject } from "./message.ts";

export interface Delta {
  /** Pieces of one text have one. */
  key: string;
  text: string;
}

const FIELDS = ["delta", "inputTextDelta"] as const;

/** The text of a piece; asked of each of many thousands. */
export function deltaText(chunk: unknown): string | undefined {
  if (!isObject(chunk) || !isDelta(chunk.type)) return undefined;
  if (typeof chunk.delta === "string") return chunk.delta;
  return typeof chunk.inputTextDelta === "string" ? chunk.inputTextDelta : undefined;
}

const isDelta = (type: unknown): boolean =>
  type === "text-delta" || (typeof type === "string" && type.endsWith("-delta"));

export function deltaOf(chunk: unknown): Delta | undefined {
  const text = deltaText(chunk);
  return text === undefined ? undefined : { key: keyOf(chunk as Record<string, unknown>), text };
}

/** The text that a chunk says is complete. */
export function endedBy(chunk: unknown): string | undefined {
  return isObject(chunk) && typeof chunk.type === "string" && /-(?:end|available|error)$/.test(chunk.type)
    ? keyOf(chunk)
    : undefined;
}

/** `text-delta` and `text-end` of one id belong together, as do a tool's input and its pieces. */
function keyOf({ type, toolCallId, id }: Record<string, unknown>): string {
  const kind = String(type);
  return `${kind.slice(0, kind.indexOf("-"))} ${String(toolCallId ?? id)}`;
}

/** Whether two pieces have the same key, which is quicker told than made. */
export const isSameText = (a: unknown, b: unknown): boolean =>
  isObject(a) && isObject(b) && a.type === b.type && a.id === b.id && a.toolCallId === b.toolCallId;

/** `chunk` is one that {@link deltaOf} knows. */
export function withDelta(chunk: unknown, text: string): unknown {
  if (!isObject(chunk)) return chunk;
  const field = FIELDS.find((name) => typeof chunk[name] === "string");
  return field === undefined ? chunk : { ...chunk, [field]: text };
}
