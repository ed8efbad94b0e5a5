/**
 * A JSON value within a token share: whole when it fits, else with long strings, long lists and deep places cut
 * where they stand, each cut counted.
 */
import { type Clean, cleanNumber, nameWithin } from "./clean.ts";
import { count, counted } from "./format.ts";
import { clipToTokens, fits } from "./tokens.ts";

interface Limits {
  string: number;
  items: number;
  depth: number;
}

/** From whole to a glimpse: the first that fits is taken. */
const LADDER: readonly Limits[] = [
  { string: 100_000, items: 100_000, depth: 60 },
  { string: 4_000, items: 200, depth: 16 },
  { string: 1_000, items: 60, depth: 10 },
  { string: 400, items: 25, depth: 8 },
  { string: 200, items: 12, depth: 6 },
  { string: 100, items: 6, depth: 5 },
  { string: 60, items: 4, depth: 4 },
  { string: 40, items: 3, depth: 3 },
  { string: 24, items: 2, depth: 2 },
  { string: 16, items: 1, depth: 1 },
];

/** No text of real kind has more characters to a token for long; it bounds the work of a rung that will not fit. */
const CHARACTERS_PER_TOKEN = 12;
/** Cleaned with so much more than is shown, a secret is never cut in two before it is seen. */
const SECRET_LENGTH = 8_000;
/** A top level longer than this is written one entry a line. */
const LINE = 120;

/** `value` as compact JSON of at most `budget` tokens; strings and keys are cleaned. */
export const viewJson = (value: unknown, budget: number, clean: Clean): string =>
  jsonWithin(value, budget, clean).text;

/** The same, telling whether all of it is there. */
export function jsonWithin(value: unknown, budget: number, clean: Clean): { text: string; whole: boolean } {
  let text = "";
  for (const limits of LADDER) {
    const written = write(value, limits, budget * CHARACTERS_PER_TOKEN, clean);
    if (written === undefined) continue;
    text = clean(written);
    if (fits(text, budget)) return { text, whole: limits === LADDER[0] };
  }
  return { text: clipToTokens(text, budget), whole: false };
}

/** `undefined` when it came out longer than `most` characters. */
function write(value: unknown, limits: Limits, most: number, clean: Clean): string | undefined {
  let left = most;

  const text = (string: string, name?: string): string => {
    const shown = clean(string.slice(0, limits.string + SECRET_LENGTH), name);
    if (shown.length <= limits.string && string.length <= limits.string + SECRET_LENGTH) {
      return JSON.stringify(shown);
    }
    const cut = wellFormed(shown.slice(0, limits.string));
    return `${JSON.stringify(cut)}… ${count(Math.max(string.length, shown.length) - cut.length)} more characters`;
  };

  const entries = (
    parts: () => Generator<string>,
    total: number,
    noun: string,
    depth: number,
    ends: string,
  ): string => {
    if (total === 0) return ends;
    if (depth >= limits.depth) return `${ends[0]}… ${counted(total, noun)}${ends[1]}`;
    const kept: string[] = [];
    for (const part of parts()) {
      kept.push(part);
      left -= part.length + 1;
      if (left < 0 || kept.length === limits.items) break;
    }
    if (kept.length < total) kept.push(`… ${counted(total - kept.length, `more ${noun}`)}`);
    const line = kept.join(",");
    return depth === 0 && line.length > LINE
      ? `${ends[0]}\n${kept.join(",\n")}\n${ends[1]}`
      : `${ends[0]}${line}${ends[1]}`;
  };

  const node = (current: unknown, depth: number, name?: string): string => {
    if (typeof current === "string") return text(current, name);
    if (typeof current === "number") return JSON.stringify(cleanNumber(current, clean, name));
    if (Array.isArray(current)) {
      const items = function* () {
        for (const item of current) yield node(item, depth + 1, name);
      };
      return entries(items, current.length, "item", depth, "[]");
    }
    if (typeof current === "object" && current !== null) {
      const keys = Object.keys(current);
      const members = function* () {
        for (const key of keys) {
          const member = (current as Record<string, unknown>)[key];
          yield `${text(key)}:${node(member, depth + 1, nameWithin(name, key))}`;
        }
      };
      return entries(members, keys.length, "key", depth, "{}");
    }
    return JSON.stringify(current) ?? "null";
  };

  const written = node(value, 0);
  return left < 0 || written.length > most ? undefined : written;
}

const wellFormed = (text: string): string => (/[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text);
