/** What two aligned traces differ in: where they went different ways, what only one of them has, where the time went. */
import { align, type Step } from "./align.ts";
import { failedAt } from "./errors.ts";
import { failureOfSpan } from "./failure.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Folded } from "./fold.ts";
import { normalizeName } from "./names.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";

export type Side = "left" | "right";

/** `outcome`: it ended differently or failed in another way; `only`: one side has it; `count`: groups of other sizes. */
export interface TraceDifference {
  readonly kind: "outcome" | "only" | "count";
  readonly step: Step;
  /** Milliseconds from the beginning of its trace. */
  readonly at: number;
}

/** Time of a step both have that is not the same: what it took itself, without what is below it. */
export interface TimeDifference {
  readonly step: Step;
  /** Milliseconds the left took longer; negative where it was faster. */
  readonly delta: number;
  /** Of a span with others below it, only the time they do not cover. */
  readonly itself: boolean;
}

/** Steps of one name that one side has and the other has not. */
export interface OnlyKind {
  readonly name: string;
  readonly example: SpanNode;
  readonly count: number;
  /** Milliseconds over all of them. */
  readonly sum: number;
}

export interface TraceDifferences {
  /** The earliest difference in how something ended, else the earliest of any kind. */
  readonly first: TraceDifference | undefined;
  /** What one side did that the other did not, before `first`; the nearest last. */
  readonly before: readonly TraceDifference[];
  readonly total: number;
  /** Largest first. */
  readonly times: readonly TimeDifference[];
  /** In the order they appear. */
  readonly only: Readonly<Record<Side, readonly OnlyKind[]>>;
  /** Steps that both have. */
  readonly matched: number;
}

/** Pure and total, whatever the traces hold. */
export function compareTraces(left: TraceIndex, right: TraceIndex): TraceDifferences {
  const steps = align(headsOf(left), headsOf(right));
  const starts = { left: left.start, right: right.start };
  const found: TraceDifference[] = [];
  for (const step of steps) {
    const kind = differenceOf(step);
    if (kind) found.push({ kind, step, at: timeOf(step, kind, starts) });
  }
  const differences = withoutWrappers(found).sort((a, b) => a.at - b.at);
  const first = differences.find(isOutcome) ?? differences[0];
  return {
    first,
    before: differences.filter((each) => first && each !== first && cameBefore(each, first)),
    total: differences.length,
    times: timeDifferences(steps),
    only: { left: onlyIn(steps, "left"), right: onlyIn(steps, "right") },
    matched: steps.filter((step) => step.left && step.right).length,
  };
}

export const headsOf = (index: TraceIndex): SpanNode[] => [
  ...index.roots,
  ...index.unplaced.map(({ node }) => node),
];

function differenceOf({ left, right }: Step): TraceDifference["kind"] | undefined {
  if (!left || !right) return "only";
  if ("node" in left && "node" in right) return endedAlike(left.node, right.node) ? undefined : "outcome";
  if (!("group" in left && "group" in right)) return undefined;
  if (left.group.failing.length !== right.group.failing.length) return "outcome";
  return left.group.members.length === right.group.members.length ? undefined : "count";
}

export type Ending = "failed" | "cancelled" | "open" | "done";

export const endingOf = ({ span }: SpanNode): Ending =>
  span.isError ? "failed" : span.isCancelled ? "cancelled" : span.isPartial ? "open" : "done";

/** Failures count as different only where both say what they were. */
function endedAlike(left: SpanNode, right: SpanNode): boolean {
  const ending = endingOf(left);
  if (ending !== endingOf(right)) return false;
  if (ending !== "failed") return true;
  const [one, other] = [failureKey(left), failureKey(right)];
  return one === undefined || other === undefined || one === other;
}

function failureKey({ span }: SpanNode): string | undefined {
  const failure = failureOfSpan(span);
  return failure && fingerprint(failure).key;
}

/** The difference that something only one side has is a failure. */
const isOutcome = ({ kind, step }: TraceDifference): boolean =>
  kind === "outcome" || (kind === "only" && errorsIn(step.left ?? step.right) > 0);

const errorsIn = (item: Folded | undefined): number =>
  item === undefined ? 0 : "node" in item ? item.node.errors : item.group.errors;

/** A step whose ending differs because of one below it is not told by itself. */
function withoutWrappers(found: readonly TraceDifference[]): TraceDifference[] {
  const explained = new Set<Step>();
  for (const difference of found) {
    if (!isOutcome(difference)) continue;
    for (let above = difference.step.parent; above && !explained.has(above); above = above.parent) {
      explained.add(above);
    }
  }
  return found.filter(({ kind, step }) => kind !== "outcome" || !explained.has(step));
}

/** When it failed, on the sides that did, where that is the difference; else when it began. */
function timeOf({ left, right }: Step, kind: TraceDifference["kind"], starts: Record<Side, number>): number {
  const began: number[] = [];
  const failures: number[] = [];
  for (const [item, start] of [[left, starts.left] as const, [right, starts.right] as const]) {
    if (!item) continue;
    began.push(firstOf(item).start - start);
    const failing = kind === "outcome" ? firstFailing(item) : undefined;
    if (failing) failures.push(failedAt(failing) - start);
  }
  return Math.min(...(failures.length > 0 ? failures : began));
}

/** One side did it before it came to `first`: before it failed there, or before it began where it went well. */
function cameBefore({ kind, step }: TraceDifference, first: TraceDifference): boolean {
  if (kind === "outcome") return false;
  return (["left", "right"] as const).some((side) => {
    const [item, there] = [step[side], first.step[side]];
    if (!item || !there) return false;
    const failing = first.kind === "outcome" ? firstFailing(there) : undefined;
    const { start } = firstOf(item);
    if (!failing) return start < firstOf(there).start;
    // What begins in the millisecond of the failure came before it only inside the failing step.
    return start < failedAt(failing) || (start === failedAt(failing) && isBelow(step, first.step));
  });
}

function isBelow(step: Step, head: Step): boolean {
  for (let above = step.parent; above; above = above.parent) if (above === head) return true;
  return false;
}

const firstFailing = (item: Folded): SpanNode | undefined =>
  "group" in item ? item.group.failing[0] : item.node.span.isError ? item.node : undefined;

/** The span that stands for it. */
export const firstOf = (item: Folded): SpanNode =>
  "node" in item ? item.node : (item.group.members[0] ?? item.group.slowest);

/** The deepest span with an error at or below `node`, the first of them; `undefined` without one. */
export function deepestError(node: SpanNode): SpanNode | undefined {
  let deepest: SpanNode | undefined;
  const waiting = [node];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    if (at.errors === 0) continue;
    if (at.span.isError && (!deepest || at.depth > deepest.depth)) deepest = at;
    for (const child of at.children.toReversed()) waiting.push(child);
  }
  return deepest;
}

function timeDifferences(steps: readonly Step[]): TimeDifference[] {
  const times: TimeDifference[] = [];
  for (const step of steps) {
    const { left, right, sampled } = step;
    if (!left || !right || sampled) continue;
    const itself = isShared(left) || isShared(right);
    const [one, other] = [took(left, itself), took(right, itself)];
    if (one === undefined || other === undefined || one === other) continue;
    times.push({ step, delta: one - other, itself });
  }
  return times.sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta));
}

/** Some of its time is that of what is below it. */
const isShared = (item: Folded): boolean => "node" in item && item.node.selfTime < item.node.duration;

/** Milliseconds; `undefined` while something of it is open. */
function took(item: Folded, itself: boolean): number | undefined {
  if ("group" in item) return item.group.open > 0 ? undefined : item.group.sum;
  if (item.node.span.isPartial) return undefined;
  return itself ? item.node.selfTime : item.node.duration;
}

function onlyIn(steps: readonly Step[], side: Side): OnlyKind[] {
  const kinds = new Map<string, OnlyKind>();
  for (const step of steps) {
    const item = step[side];
    if (!item || (step.left && step.right)) continue;
    const [example, count, sum] =
      "node" in item
        ? [item.node, 1, item.node.duration]
        : [firstOf(item), item.group.members.length, item.group.sum];
    const key = normalizeName(example.span.message);
    const known = kinds.get(key);
    kinds.set(
      key,
      known
        ? { ...known, name: key, count: known.count + count, sum: known.sum + sum }
        : { name: "node" in item ? example.span.message : item.group.name, example, count, sum },
    );
  }
  return [...kinds.values()];
}
