/**
 * The span table of a trace as a forest. Broken input is normal here (a live run, a truncated trace, skewed clocks):
 * every span gets exactly one node, and every node is reached exactly once from `roots` or `unplaced`. Iterative and
 * linear: a trace may be 100,000 spans deep or wide. A node is made when somebody looks at it: most answers look at few.
 */
import type { Span } from "../domain/trace.ts";
import { type Columns, columnsOf, isTime } from "./columns.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { type Forest, plant } from "./forest.ts";
import { NONE } from "./rows-by-id.ts";
import { type ShortIds, shortIds } from "./short-ids.ts";

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
  /** The node an id means; `undefined` for ids that are not in the trace. */
  find(id: string): SpanNode | undefined;
  /** Different ones, in table order. */
  readonly ids: readonly string[];
  readonly shortIds: ShortIds;
  /** Spans without a parent, in order of start. When every span names a parent, the earliest orphan is the root. */
  readonly roots: readonly SpanNode[];
  /** Heads of what does not hang under a root, in table order. */
  readonly unplaced: readonly Unplaced[];
  /** How many spans there are. */
  readonly size: number;
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
  return new Index(spans);
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

class Index implements TraceIndex {
  readonly spans: readonly Span[];
  readonly columns: Columns;
  readonly forest: Forest;
  readonly figures: Figures;
  readonly roots: readonly SpanNode[];
  readonly unplaced: readonly Unplaced[];
  readonly #made: (SpanNode | undefined)[];
  #nodes: readonly SpanNode[] | undefined;
  #shortIds: ShortIds | undefined;

  constructor(spans: readonly Span[]) {
    this.spans = spans;
    this.columns = columnsOf(spans);
    this.forest = plant(spans, this.columns);
    this.figures = figuresOf(this.columns, this.forest);
    this.#made = new Array(spans.length);
    this.roots = this.forest.roots.map((row) => this.node(row));
    this.unplaced = this.forest.detached.map(({ row, reason }) => {
      const node = this.node(row);
      return { node, reason, parentId: node.span.parentId };
    });
  }

  /** The one node of a row. */
  node(row: number): SpanNode {
    const made = this.#made[row] ?? new RowNode(this, row);
    this.#made[row] = made;
    return made;
  }

  find(id: string): SpanNode | undefined {
    const row = this.columns.rows.get(id);
    return row === undefined ? undefined : this.node(row);
  }

  get ids(): readonly string[] {
    const ids = this.spans.map((span) => span.id);
    return this.columns.rows.size === ids.length ? ids : [...new Set(ids)];
  }

  get shortIds(): ShortIds {
    this.#shortIds ??= shortIds(this.spans, this.columns.beginnings);
    return this.#shortIds;
  }

  get size(): number {
    return this.spans.length;
  }

  get nodes(): readonly SpanNode[] {
    this.#nodes ??= Array.from(this.forest.order, (row) => this.node(row));
    return this.#nodes;
  }

  get start(): number {
    return this.figures.start;
  }

  get lastActivity(): number {
    return this.figures.lastActivity;
  }

  get errors(): number {
    return this.figures.errors;
  }
}

/** A row of the columns, read like an object. */
class RowNode implements SpanNode {
  readonly #index: Index;
  readonly #row: number;
  #children: readonly SpanNode[] | undefined;

  constructor(index: Index, row: number) {
    this.#index = index;
    this.#row = row;
  }

  get span(): Span {
    return this.#index.spans[this.#row] as Span;
  }

  get parent(): SpanNode | undefined {
    const parent = this.#index.forest.parents[this.#row] ?? NONE;
    return parent === NONE ? undefined : this.#index.node(parent);
  }

  get children(): readonly SpanNode[] {
    const { children, firstChild } = this.#index.forest;
    this.#children ??= Array.from(
      children.subarray(firstChild[this.#row], firstChild[this.#row + 1]),
      (row) => this.#index.node(row),
    );
    return this.#children;
  }

  get depth(): number {
    return this.#index.figures.depths[this.#row] as number;
  }

  get start(): number {
    return this.#index.figures.starts[this.#row] as number;
  }

  get duration(): number {
    return this.#index.columns.durations[this.#row] as number;
  }

  get selfTime(): number {
    return Math.max(0, this.duration - coveredByChildren(this));
  }

  get lastActivity(): number {
    return this.#index.figures.latest[this.#row] as number;
  }

  get size(): number {
    return this.#index.figures.sizes[this.#row] as number;
  }

  get errors(): number {
    return this.#index.figures.failures[this.#row] as number;
  }
}

/** Length of the union of the children's intervals, as far as they lie within the node's own. Children are sorted. */
function coveredByChildren(node: SpanNode): number {
  const end = node.start + node.duration;
  let covered = 0;
  let upTo = node.start;
  for (const child of node.children) {
    if (!isTime(child.span.startTime)) break;
    const from = Math.max(child.start, upTo);
    const to = Math.min(child.start + child.duration, end);
    if (to <= from) continue;
    covered += to - from;
    upTo = to;
  }
  return covered;
}
