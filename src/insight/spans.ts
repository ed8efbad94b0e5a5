/**
 * The span table of a trace as a forest. Broken input is normal here (a live run, a truncated trace, skewed clocks):
 * every span gets exactly one node, and every node is reached exactly once from `roots` or `unplaced`. Iterative and
 * linear: a trace may be 100,000 spans deep or wide.
 */
import type { Span } from "../domain/trace.ts";
import { type Growing, isTime, plant } from "./forest.ts";
import type { ById } from "./id-table.ts";

export interface SpanNode {
  readonly span: Span;
  readonly parent: SpanNode | undefined;
  /** In order of start; those without a usable start time come last. */
  readonly children: readonly SpanNode[];
  /** 0 for the head of a tree. */
  readonly depth: number;
  /** Unix milliseconds. A span whose own start is unusable takes its parent's. */
  readonly start: number;
  /** Milliseconds; 0 while the span is open or when its duration is unusable. */
  readonly duration: number;
  /** Milliseconds of the span's own interval that none of its children cover. */
  readonly selfTime: number;
  /** Unix milliseconds: the latest start, end or event seen in the span or below it. */
  readonly lastActivity: number;
  /** Spans in this subtree, this one included. */
  readonly size: number;
  /** Spans with an error in this subtree, this one included. */
  readonly errors: number;
}

/**
 * Why a node heads a tree of its own although it names a parent: `orphan`, the parent is not in the trace; `cycle`,
 * its ancestors lead back to it and the edge to its parent was cut; `duplicate`, another span has the same id and took
 * its place and its children.
 */
export type UnplacedReason = "orphan" | "cycle" | "duplicate";

export interface Unplaced {
  readonly node: SpanNode;
  readonly reason: UnplacedReason;
  /** The edge that is not in the forest. */
  readonly parentId: string | undefined;
}

export interface TraceIndex {
  readonly byId: ById<SpanNode>;
  /** Spans without a parent, in order of start. When every span names a parent, the earliest orphan is the root. */
  readonly roots: readonly SpanNode[];
  /** Heads of what does not hang under a root, in table order. */
  readonly unplaced: readonly Unplaced[];
  /** Every node, depth first: the trees of `roots`, then those of `unplaced`. */
  readonly nodes: readonly SpanNode[];
  /** Unix milliseconds of the earliest start, 0 when no span has one. */
  readonly start: number;
  /** Unix milliseconds of the latest start, end or event, at least `start`. */
  readonly lastActivity: number;
  readonly errors: number;
}

/** Total over every table, whatever is in it: nothing throws and no span is dropped. */
export function indexTrace(spans: readonly Span[]): TraceIndex {
  const { byId, roots, detached, nodes } = plant(spans);
  const start = earliestStart(nodes);
  measure(nodes, start);
  let lastActivity = start;
  let errors = 0;
  for (const head of [...roots, ...detached.map(({ node }) => node)]) {
    if (head.lastActivity > lastActivity) lastActivity = head.lastActivity;
    errors += head.errors;
  }
  return {
    byId,
    roots,
    unplaced: detached.map(({ node, reason }) => ({ node, reason, parentId: node.span.parentId })),
    nodes,
    start,
    lastActivity,
    errors,
  };
}

/** From the head of its tree down to `node`, both included. */
export function pathTo(node: SpanNode): SpanNode[] {
  const path: SpanNode[] = [];
  for (let at: SpanNode | undefined = node; at; at = at.parent) path.push(at);
  return path.reverse();
}

/** `node` and everything below it, depth first. */
export function subtree(index: TraceIndex, node: SpanNode): readonly SpanNode[] {
  const at = index.nodes.indexOf(node);
  return index.nodes.slice(at, at + node.size);
}

function earliestStart(all: readonly Growing[]): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { span } of all) {
    if (isTime(span.startTime) && span.startTime < earliest) earliest = span.startTime;
  }
  return earliest === Number.POSITIVE_INFINITY ? 0 : earliest;
}

/** Downwards what children take from parents, then upwards what parents take from children. */
function measure(depthFirstNodes: readonly Growing[], traceStart: number): void {
  for (const node of depthFirstNodes) {
    node.depth = node.parent ? node.parent.depth + 1 : 0;
    if (!isTime(node.span.startTime)) node.startInstead = node.parent?.start ?? traceStart;
  }
  for (let at = depthFirstNodes.length - 1; at >= 0; at--) {
    const node = depthFirstNodes[at];
    const parent = node?.parent;
    if (!node || !parent) continue;
    parent.size += node.size;
    parent.errors += node.errors;
    const { lastActivity } = node;
    if (lastActivity > parent.lastActivity) parent.latestBelow = lastActivity;
  }
}
