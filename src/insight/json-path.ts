/** Paths into JSON: `customer.cards[0]`, `["odd key"]`, and ranges of a list: `items[100:120]`. */

/** Of a list's items; negative counts from the end, as `slice` does. */
export interface Range {
  from?: number;
  to?: number;
}

/** A key, an index, or a range. */
export type PathStep = string | number | Range;

/** What is at a path, or how far it can be followed. */
export type Found =
  | { found: true; value: unknown }
  | { found: false; at: readonly PathStep[]; level: unknown; missing: PathStep };

const KEY = /\.([^.[\]]+)/y;
const INDEX = /\[(-?\d{1,9})\]/y;
const RANGE = /\[(-?\d{1,9})?:(-?\d{1,9})?\]/y;
const QUOTED = /\[("(?:[^"\\]|\\.)*")\]/y;

/** `undefined` for what is no path. A leading `$` means nothing; keys that hold `.`, `[` or `]` are quoted. */
export function parsePath(text: string): PathStep[] | undefined {
  const bare = text.trim().replace(/^\$(?=[.[])/, "");
  const path = /^[.[]/.test(bare) ? bare : `.${bare}`;
  const steps: PathStep[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(path);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < path.length) {
    const [key, index] = [take(KEY)?.[1], take(INDEX)?.[1]];
    if (key !== undefined) steps.push(key);
    if (index !== undefined) steps.push(Number(index));
    if (key !== undefined || index !== undefined) continue;
    const quoted = take(QUOTED)?.[1];
    const range = quoted === undefined ? take(RANGE) : null;
    const step = quoted === undefined ? range && rangeOf(range[1], range[2]) : unquoted(quoted);
    if (step === undefined || step === null) return undefined;
    steps.push(step);
  }
  return steps;
}

const rangeOf = (from: string | undefined, to: string | undefined): Range => ({
  ...(from !== undefined && { from: Number(from) }),
  ...(to !== undefined && { to: Number(to) }),
});

function unquoted(json: string): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    return undefined;
  }
}

const PLAIN_KEY = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/** The path as {@link parsePath} reads it; empty for the whole. */
export function formatPath(steps: readonly PathStep[]): string {
  const text = steps.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    if (typeof step === "object") return `[${step.from ?? ""}:${step.to ?? ""}]`;
    return PLAIN_KEY.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return text.join("").replace(/^\./, "");
}

/** Own keys only: nothing a prototype brings is found. */
export function followPath(root: unknown, steps: readonly PathStep[]): Found {
  let level = root;
  for (const [depth, step] of steps.entries()) {
    const next = stepInto(level, step);
    if (!next) return { found: false, at: steps.slice(0, depth), level, missing: step };
    level = next.value;
  }
  return { found: true, value: level };
}

function stepInto(level: unknown, step: PathStep): { value: unknown } | undefined {
  if (typeof step === "object") {
    return Array.isArray(level) ? { value: level.slice(step.from, step.to) } : undefined;
  }
  if (Array.isArray(level)) {
    const index = typeof step === "number" ? step : /^\d{1,9}$/.test(step) ? Number(step) : Number.NaN;
    const at = index < 0 ? level.length + index : index;
    return at >= 0 && at < level.length ? { value: level[at] } : undefined;
  }
  if (typeof level !== "object" || level === null || !Object.hasOwn(level, step)) return undefined;
  return { value: (level as Record<string, unknown>)[step] };
}
