/** Shares a budget among values of unknown size: small ones are shown whole, large ones get what is left. */
import type { ViewContext } from "./answer.ts";
import { fence } from "./fence.ts";
import { jsonWithin } from "./json.ts";
import { tokens } from "./tokens.ts";

export interface Part {
  label: string;
  value: unknown;
}

/** Below this a value is better not shown at all than shown as nothing but marks. */
const LEAST = 24;
/** Values no longer than this stand in their line; longer ones are fenced. */
const INLINE = 100;

export interface PartView {
  label: string;
  /** Empty when there was no room for any of it. */
  text: string;
  /** Nothing of it was cut. */
  whole: boolean;
}

/** One text a part, in the order given, those without room left out; together they cost at most `budget`. */
export const viewParts = (parts: readonly Part[], budget: number, context: ViewContext): string[] =>
  partsWithin(parts, budget, context)
    .map(({ text }) => text)
    .filter((text) => text !== "");

/** The same, telling of every part what became of it. */
export function partsWithin(parts: readonly Part[], budget: number, context: ViewContext): PartView[] {
  const sizes = parts.map((part) => roughSize(part.value));
  const smallestFirst = parts.map((_, at) => at).sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0));
  const views: PartView[] = parts.map(({ label }) => ({ label, text: "", whole: false }));
  let left = budget;
  smallestFirst.forEach((at, done) => {
    const part = parts[at];
    if (!part) return;
    const view = viewPart(part, Math.floor(left / (parts.length - done)), context);
    views[at] = view;
    left -= view.text === "" ? 0 : tokens(`${view.text}\n`);
  });
  return views;
}

function viewPart({ label, value }: Part, share: number, context: ViewContext): PartView {
  const frame = tokens(`${fence(label, "", context.nonce)}\n\n`);
  if (share < LEAST + frame) return { label, text: "", whole: false };
  const { text, whole } = jsonWithin(value, share - frame, context.clean);
  const inline = text.length <= INLINE && !text.includes("\n");
  return {
    label,
    text: inline ? `${label.padEnd(8)} ${text}` : fence(label, text, context.nonce),
    whole,
  };
}

const ENOUGH = 4_000;

/** Characters, about, up to where it no longer matters. */
function roughSize(value: unknown): number {
  let size = 0;
  const stack: unknown[] = [value];
  while (stack.length > 0 && size < ENOUGH) {
    const current = stack.pop();
    if (typeof current === "string") size += current.length + 2;
    else if (typeof current === "object" && current !== null) {
      const entries = Array.isArray(current) ? current : Object.values(current);
      size += 2 + entries.length * 4;
      for (const entry of entries.slice(0, ENOUGH)) stack.push(entry);
    } else size += 5;
  }
  return size;
}
