/** Spans on a scale of time: which columns of a bar they fill, and where its ticks stand. */
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { Folded } from "./fold.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";

export interface Scale {
  /** Unix milliseconds. */
  readonly from: number;
  /** Milliseconds, more than 0. */
  readonly length: number;
  /** Columns of a bar. */
  readonly width: number;
  /** Up to where open spans are drawn. */
  readonly openUntil: number;
}

/** Shorter than this nothing can be told apart. */
const LEAST_MS = 0.001;

/** The scale of the largest tree: a clock far off elsewhere must not squeeze everything else into one column. */
export function scaleOf(heads: readonly SpanNode[], openUntil: number, width: number): Scale {
  const main = largestOf(heads);
  const from = main?.start ?? 0;
  const end = main ? endOf(main, openUntil) : from;
  const to = end > from ? end : (main?.lastActivity ?? from);
  return { from, length: Math.max(LEAST_MS, to - from), width, openUntil };
}

/** The tree with the most spans, the first of several. */
export function largestOf(heads: readonly SpanNode[]): SpanNode | undefined {
  let largest = heads[0];
  for (const head of heads) if (largest && head.size > largest.size) largest = head;
  return largest;
}

/** Unix milliseconds up to which open spans count: what a run left open when it ended went on no longer. */
export const openUntilOf = (run: Run, index: TraceIndex, now: number): number =>
  isTerminal(run.status) ? (run.finishedAt ?? index.lastActivity) : now;

/** Unix milliseconds. */
export const endOf = (node: SpanNode, openUntil: number): number =>
  node.span.isPartial ? Math.max(node.start, openUntil) : node.start + node.duration;

/** Where a bar is filled; `before` and `after` when some of it lies outside the scale. */
export interface Bar {
  readonly filled: readonly boolean[];
  readonly before: boolean;
  readonly after: boolean;
}

/** A span fills at least one column, the nearest when it lies outside; a group fills the columns its members do. */
export function barOf(item: Folded, scale: Scale): Bar {
  const { from, length, width, openUntil } = scale;
  const filled = new Array<boolean>(width).fill(false);
  const perColumn = length / width;
  const columnOf = (time: number): number =>
    Math.min(width - 1, Math.max(0, Math.floor((time - from) / perColumn)));
  let [before, after] = [false, false];
  for (const node of "node" in item ? [item.node] : item.group.members) {
    const end = endOf(node, openUntil);
    // Rounding is no reason to say that something lies outside.
    if (node.start < from - perColumn) before = true;
    if (end > from + length + perColumn) after = true;
    const first = columnOf(node.start);
    // A bar that ends where a column begins does not reach into it.
    const last = Math.max(first, Math.min(width, Math.ceil((end - from) / perColumn)) - 1);
    filled.fill(true, first, last + 1);
  }
  return { filled, before, after };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps people count in. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100].map((days) => days * DAY),
];

export interface Tick {
  /** Milliseconds from the beginning of the scale. */
  readonly at: number;
  readonly column: number;
}

/** At most `most` ticks, from 0 on. */
export function ticksOf({ length, width }: Scale, most: number): Tick[] {
  const step = STEPS.find((candidate) => length / candidate <= most) ?? length;
  const ticks: Tick[] = [];
  for (let at = 0; at < length && ticks.length < most; at += step) {
    ticks.push({ at, column: Math.floor((at / length) * width) });
  }
  return ticks;
}
