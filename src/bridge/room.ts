/**
 * What of a turn is held in memory, whatever its producer does (design section 5, point 5). An answer shows a fraction of it,
 * and everything can be read again by cursor.
 */
import { deltaText, isSameText, withDelta } from "../domain/deltas.ts";
import { type Chunk, TOOL_CHANGES } from "./chunk.ts";

/** Characters of a turn, what each record costs included: more than any answer can show. */
export const MOST_HELD = 2_000_000;
/** A longer value of a single record is held as its beginning: views show a line of it. */
const LARGE = 50_000;
const BEGINNING = 2_000;
/** Chunks that are small and tell how the turn went, held even when the room is used up. */
const SPARE = 1_000;
/** Of a value, besides its characters. */
const OVERHEAD = 32;

/** Characters that a value of JSON holds, roughly, counted no further than `most`. */
export function weightOf(value: unknown, most: number): number {
  if (typeof value === "string") return value.length + OVERHEAD;
  if (typeof value !== "object" || value === null) return OVERHEAD;
  let weight = OVERHEAD;
  const waiting: object[] = [value];
  for (let next = waiting.pop(); next !== undefined && weight <= most; next = waiting.pop()) {
    // Walked in place: streams bring many thousands of chunks.
    for (const name in next) {
      const item: unknown = (next as Record<string, unknown>)[name];
      weight += name.length + OVERHEAD;
      if (typeof item === "string") weight += item.length;
      else if (typeof item === "object" && item !== null) waiting.push(item);
      if (weight > most) break;
    }
  }
  return weight;
}

/** The value, or the beginning of its JSON where that is long. */
export const held = (value: unknown): unknown =>
  weightOf(value, LARGE) > LARGE ? beginning(JSON.stringify(value) ?? "", BEGINNING) : value;

/** A text of its own: a slice would keep all of the text it was cut from. */
export const beginning = (text: string, length: number): string =>
  text.length <= length ? text : `${Buffer.from(text.slice(0, length), "utf16le").toString("utf16le")}…`;

export class TurnRoom {
  #left = MOST_HELD;
  #spare = SPARE;
  #omitted = 0;
  /** The last piece of a text. */
  #last: Chunk | undefined;

  /** Chunks of which nothing, or not all, was held for want of room. */
  get omitted(): number {
    return this.#omitted;
  }

  /** What of the chunk is to be held; undefined: nothing. */
  admit(chunk: Chunk): Chunk | undefined {
    if (this.#left > 0) {
      const text = chunk.providerMetadata === undefined ? deltaText(chunk) : undefined;
      const weight = text === undefined ? weightOf(chunk, LARGE) : text.length + this.#around(chunk);
      // What is longer is held as its beginning.
      this.#left -= text === undefined ? Math.min(weight, LARGE) : weight;
      return text !== undefined || weight <= LARGE ? chunk : shortened(chunk);
    }
    this.#omitted += 1;
    const slim = slimmed(chunk);
    if (slim === undefined || ENDS.has(chunk.type)) return slim;
    this.#spare -= 1;
    return this.#spare < 0 ? undefined : slim;
  }

  /** What a piece weighs without its text: the first brings a name, and a part of the message. */
  #around(chunk: Chunk): number {
    const goesOn = isSameText(chunk, this.#last);
    this.#last = chunk;
    return goesOn ? OVERHEAD : weightOf(withDelta(chunk, ""), MOST_HELD);
  }
}

const ENDS: ReadonlySet<string> = new Set(["finish", "abort"]);

/** With the beginning of what is long. */
function shortened(chunk: Chunk): Chunk {
  const entries = Object.entries(chunk).map(([name, value]) => [name, name === "type" ? value : held(value)]);
  return { ...(Object.fromEntries(entries) as Record<string, unknown>), type: chunk.type };
}

/** What decides how the turn went, without what it says. */
function slimmed(chunk: Chunk): Chunk | undefined {
  const told = TOOL_CHANGES.has(chunk.type) || ENDS.has(chunk.type) || chunk.type === "error";
  if (!told) return undefined;
  const fields = ["toolCallId", "toolName", "dynamic", "approvalId", "finishReason", "errorText"];
  const small = fields.flatMap((name) => {
    const value = chunk[name];
    return value === undefined || weightOf(value, BEGINNING) > BEGINNING ? [] : [[name, value]];
  });
  return { ...(Object.fromEntries(small) as Record<string, unknown>), type: chunk.type };
}
