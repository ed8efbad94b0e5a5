/** Repeated siblings as one group: 1,199 calls of the same thing are one fact, not 1,199 lines. */
import { normalizeName } from "./names.ts";
import type { SpanNode } from "./spans.ts";

export interface SiblingGroup {
  /** The members' message when they share it, else what is left of it without its numbers and ids. */
  readonly name: string;
  /** In order of start; never fewer than the fold's minimum. */
  readonly members: readonly SpanNode[];
  /** Spans the group stands for: its members and everything below them. */
  readonly size: number;
  /** Spans with an error among those. */
  readonly errors: number;
  /** Members with an error in them or below them. */
  readonly failing: readonly SpanNode[];
  /** Members still open: their durations are not in the figures below. */
  readonly open: number;
  /** Milliseconds over the members that have ended; all 0 when none has. */
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly sum: number;
  /** The member `max` belongs to; the first one when all are open. */
  readonly slowest: SpanNode;
  /** Whether the members ran one after another or overlapped. */
  readonly order: "sequence" | "parallel";
}

export type Folded = { readonly node: SpanNode } | { readonly group: SiblingGroup };

/** Two or three of a kind read well as they are. */
const DEFAULT_MINIMUM = 4;

/** Overlap up to this share of the busy time is clock skew, not concurrency. */
const SKEW = 0.05;

/** Milliseconds: starts come rounded to whole ones, so neighbours may seem to overlap by that much. */
const START_GRAIN_MS = 1;

/**
 * Siblings in, the same siblings out: each once, by itself or in a group. A group takes the place of its first member;
 * its members need not be neighbours, so that a loop of two alternating calls folds into two groups.
 */
export function foldSiblings(siblings: readonly SpanNode[], minimum: number = DEFAULT_MINIMUM): Folded[] {
  if (siblings.length < minimum) return siblings.map((node) => ({ node }));
  const kinds = new Map<string, SpanNode[]>();
  const kindOf = siblings.map((node) => {
    const key = normalizeName(node.span.message);
    const kind = kinds.get(key);
    if (kind) {
      kind.push(node);
      return kind;
    }
    const fresh = [node];
    kinds.set(key, fresh);
    return fresh;
  });
  const folded: Folded[] = [];
  siblings.forEach((node, at) => {
    const kind = kindOf[at] as SpanNode[];
    if (kind.length < minimum) folded.push({ node });
    else if (kind[0] === node) folded.push({ group: describe(kind) });
  });
  return folded;
}

function describe(members: readonly SpanNode[]): SiblingGroup {
  const first = members[0] as SpanNode;
  const failing: SpanNode[] = [];
  const ended: SpanNode[] = [];
  let slowest = first;
  let [size, errors, sum] = [0, 0, 0];
  let shared = true;
  for (const member of members) {
    size += member.size;
    errors += member.errors;
    if (member.errors > 0) failing.push(member);
    if (member.span.message !== first.span.message) shared = false;
    if (member.span.isPartial) continue;
    ended.push(member);
    sum += member.duration;
    if (slowest.span.isPartial || member.duration > slowest.duration) slowest = member;
  }
  const durations = Float64Array.from(ended, (member) => member.duration).sort();
  return {
    name: shared ? first.span.message : normalizeName(first.span.message),
    members,
    size,
    errors,
    failing,
    open: members.length - ended.length,
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
    max: percentile(durations, 1),
    sum,
    slowest,
    order: orderOf(sum, busyTime(ended), ended.length),
  };
}

const orderOf = (sum: number, busy: number, members: number): SiblingGroup["order"] =>
  sum - busy > busy * SKEW + members * START_GRAIN_MS ? "parallel" : "sequence";

/** Nearest rank: always a duration that occurred. */
const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;

/** Milliseconds during which at least one of `ended` ran. They come in order of start. */
function busyTime(ended: readonly SpanNode[]): number {
  let busy = 0;
  let upTo = Number.NEGATIVE_INFINITY;
  for (const { start, duration } of ended) {
    const end = start + duration;
    if (end <= upTo) continue;
    busy += end - Math.max(start, upTo);
    upTo = end;
  }
  return busy;
}
