/** From a flat table to trees: who hangs under whom, whatever the table says. Spans are meant by their rows. */
import type { Span } from "../domain/trace.ts";
import { type Columns, MISSING } from "./columns.ts";
import { NONE } from "./rows-by-id.ts";
import type { UnplacedReason } from "./spans.ts";

export interface Detached {
  row: number;
  reason: UnplacedReason;
}

/** Every row is below one head: one of `roots` or of `detached`. */
export interface Forest {
  /** The row each hangs under, {@link NONE} for a head. */
  parents: Int32Array;
  /** Those under `row` are from `firstChild[row]` to `firstChild[row + 1]`, in order of start. */
  children: Int32Array;
  firstChild: Int32Array;
  /** In order of start. */
  roots: number[];
  /** In table order. */
  detached: Detached[];
  /** Every row, depth first, children in order of start: roots' trees, then detached ones. */
  order: Int32Array;
}

/** Linear but for the sorting, never recursive. */
export function plant(spans: readonly Span[], columns: Columns): Forest {
  const { starts } = columns;
  const parents = columns.parents.slice();
  const { roots, detached } = headsOf(spans, columns, parents);
  cutCycles(starts, parents, detached);
  const byStart = (a: number, b: number): number => (starts[a] as number) - (starts[b] as number);
  roots.sort(byStart);
  const { children, firstChild } = childrenOf(parents, byStart);
  const heads = [...roots, ...detached.map(({ row }) => row)];
  return { parents, children, firstChild, roots, detached, order: depthFirst(heads, children, firstChild) };
}

/** Takes every head from its parent. */
function headsOf(spans: readonly Span[], { rows, starts }: Columns, parents: Int32Array) {
  const roots: number[] = [];
  const detached: Detached[] = [];
  const duplicates = rows.size < spans.length;
  let eldest: Detached | undefined;
  for (let row = 0; row < parents.length; row += 1) {
    const parent = parents[row] as number;
    if (duplicates && rows.get((spans[row] as Span).id) !== row) {
      detached.push({ row, reason: "duplicate" });
      parents[row] = NONE;
    } else if (parent === NONE) {
      roots.push(row);
    } else if (parent === MISSING) {
      const orphan: Detached = { row, reason: "orphan" };
      if (!eldest || (starts[row] as number) < (starts[eldest.row] as number)) eldest = orphan;
      detached.push(orphan);
      parents[row] = NONE;
    }
  }
  // A child run's trace may keep the name of a parent that lies outside it.
  if (roots.length === 0 && eldest) {
    roots.push(eldest.row);
    detached.splice(detached.indexOf(eldest), 1);
  }
  return { roots, detached };
}

/** What {@link cutCycles} knows of a row. */
const UNKNOWN = 0;
const ON_THE_WAY = 1;
const UNDER_A_HEAD = 2;

/**
 * What no head reaches hangs on a cycle. Each is cut at the edge above its earliest member, as a head must come before
 * what it leads to; the rest of the cycle and all that hangs on it then follows from there.
 */
function cutCycles(starts: Float64Array, parents: Int32Array, detached: Detached[]): void {
  if (parentsComeFirst(parents)) return;
  const known = new Uint8Array(parents.length);
  for (let from = 0; from < parents.length; from += 1) {
    let row = from;
    while (row !== NONE && known[row] === UNKNOWN) {
      known[row] = ON_THE_WAY;
      row = parents[row] as number;
    }
    const onCycle = row !== NONE && known[row] === ON_THE_WAY;
    const head = onCycle ? earliestOfCycle(row, starts, parents) : NONE;
    for (let at = from; at !== NONE && known[at] === ON_THE_WAY; at = parents[at] as number) {
      known[at] = UNDER_A_HEAD;
    }
    if (head === NONE) continue;
    parents[head] = NONE;
    detached.push({ row: head, reason: "cycle" });
  }
  detached.sort((a, b) => a.row - b.row);
}

/** Mostly they do, and then there is no cycle. */
function parentsComeFirst(parents: Int32Array): boolean {
  for (let row = 0; row < parents.length; row += 1) if ((parents[row] as number) >= row) return false;
  return true;
}

function earliestOfCycle(entry: number, starts: Float64Array, parents: Int32Array): number {
  let earliest = entry;
  for (let row = parents[entry] as number; row !== entry; row = parents[row] as number) {
    if ((starts[row] as number) < (starts[earliest] as number)) earliest = row;
  }
  return earliest;
}

type ByStart = (a: number, b: number) => number;

/** Counted first, so that all of them fit into one list. */
function childrenOf(parents: Int32Array, byStart: ByStart) {
  const { length } = parents;
  const firstChild = new Int32Array(length + 1);
  for (let row = 0; row < length; row += 1) {
    const parent = parents[row] as number;
    if (parent !== NONE) firstChild[parent + 1] = (firstChild[parent + 1] as number) + 1;
  }
  for (let row = 0; row < length; row += 1) {
    firstChild[row + 1] = (firstChild[row + 1] as number) + (firstChild[row] as number);
  }
  const children = new Int32Array(firstChild[length] as number);
  const free = firstChild.slice();
  for (let row = 0; row < length; row += 1) {
    const parent = parents[row] as number;
    if (parent === NONE) continue;
    children[free[parent] as number] = row;
    free[parent] = (free[parent] as number) + 1;
  }
  for (let row = 0; row < length; row += 1) {
    sortUnlessSorted(children, firstChild[row] as number, firstChild[row + 1] as number, byStart);
  }
  return { children, firstChild };
}

/** Tables mostly come in order already. */
function sortUnlessSorted(rows: Int32Array, from: number, to: number, byStart: ByStart): void {
  for (let at = from + 1; at < to; at += 1) {
    if (byStart(rows[at - 1] as number, rows[at] as number) > 0) {
      rows.subarray(from, to).sort(byStart);
      return;
    }
  }
}

function depthFirst(heads: readonly number[], children: Int32Array, firstChild: Int32Array): Int32Array {
  const order = new Int32Array(firstChild.length - 1);
  const stack = heads.toReversed();
  for (let at = 0; stack.length > 0; at += 1) {
    const row = stack.pop() as number;
    order[at] = row;
    const first = firstChild[row] as number;
    for (let child = (firstChild[row + 1] as number) - 1; child >= first; child -= 1) {
      stack.push(children[child] as number);
    }
  }
  return order;
}
