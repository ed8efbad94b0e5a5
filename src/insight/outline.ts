/** Which spans of a trace are worth a line, best first: what failed or is still open, then what took longest. */
import { type Folded, foldSiblings, type SiblingGroup } from "./fold.ts";
import type { SpanNode } from "./spans.ts";

export interface OutlineRow {
  /** A span by itself, or repeated siblings as one. */
  readonly item: Folded;
  readonly parent: OutlineRow | undefined;
  readonly depth: number;
  /** Unix milliseconds. */
  readonly start: number;
  /** Spans it stands for: itself and everything below. */
  readonly size: number;
}

/** Rows still to be taken from one parent, the best last. */
interface Source {
  parent: OutlineRow | undefined;
  cost: number;
  waiting: Folded[];
}

/**
 * Each row after its parent, so that any beginning of the sequence is a tree; it is worked out as far as it is read. A row
 * costs what its parent costs plus its rank among its siblings, and the cheapest comes first: the worst path is followed
 * to its end before the second worst begins, and no single branch takes all the room. Groups open only where members failed.
 */
export const outline = (heads: readonly SpanNode[]): Iterable<OutlineRow> => ({
  [Symbol.iterator]: () => walk(heads),
});

function* walk(heads: readonly SpanNode[]): Generator<OutlineRow> {
  const sources: Source[] = [{ parent: undefined, cost: 0, waiting: ranked(foldSiblings(heads)) }];
  for (;;) {
    const source = cheapest(sources);
    const item = source?.waiting.pop();
    if (!source || !item) return;
    const row = rowOf(item, source.parent);
    yield row;
    const below = ranked("node" in item ? foldSiblings(item.node.children) : failingOf(item.group));
    if (below.length > 0) sources.push({ parent: row, cost: source.cost, waiting: below });
    source.cost += 1;
    if (source.waiting.length === 0) sources.splice(sources.indexOf(source), 1);
  }
}

const failingOf = (group: SiblingGroup): Folded[] => group.failing.map((node) => ({ node }));

function rowOf(item: Folded, parent: OutlineRow | undefined): OutlineRow {
  const [start, size] =
    "node" in item
      ? [item.node.start, item.node.size]
      : [item.group.members[0]?.start ?? item.group.slowest.start, item.group.size];
  return { item, parent, depth: parent ? parent.depth + 1 : 0, start, size };
}

function cheapest(sources: readonly Source[]): Source | undefined {
  let best: Source | undefined;
  let bestUrgency = 0;
  for (const source of sources) {
    const urgency = urgencyOf(source.waiting.at(-1));
    if (!best || urgency > bestUrgency || (urgency === bestUrgency && source.cost < best.cost)) {
      best = source;
      bestUrgency = urgency;
    }
  }
  return best;
}

/** 2 where something failed, 1 where something is still open. */
function urgencyOf(item: Folded | undefined): number {
  if (!item) return -1;
  if ("node" in item) return item.node.errors > 0 ? 2 : item.node.span.isPartial ? 1 : 0;
  return item.group.errors > 0 ? 2 : item.group.open > 0 ? 1 : 0;
}

const weightOf = (item: Folded): number => ("node" in item ? item.node.duration : item.group.sum);

/** The best last. */
const ranked = (items: readonly Folded[]): Folded[] =>
  items
    .map((item, at) => ({ item, at, urgency: urgencyOf(item), weight: weightOf(item) }))
    .sort((a, b) => a.urgency - b.urgency || a.weight - b.weight || b.at - a.at)
    .map(({ item }) => item);
