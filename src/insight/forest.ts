/** From a flat table to trees: who hangs under whom, whatever the table says. */
import type { Span } from "../domain/trace.ts";
import { type ById, IdTable } from "./id-table.ts";
import type { SpanNode, UnplacedReason } from "./spans.ts";

/** The last Unix millisecond a JavaScript date can hold. */
const LATEST_TIME = 8.64e15;

/** 0 is what a missing time becomes on its way here, never a time a span began. */
export const isTime = (value: number): boolean => value > 0 && value <= LATEST_TIME;

/** A duration that keeps the end of its span a time. */
const usableDuration = ({ duration, startTime }: Span): number => {
  if (!(duration > 0 && duration <= LATEST_TIME)) return 0;
  return isTime(startTime) && !isTime(startTime + duration) ? 0 : duration;
};

/** Of the many nodes without children. */
const NONE: Growing[] = [];

/** A node while its place and figures are still being written. What its span tells is not copied: traces are large. */
export class Growing implements SpanNode {
  readonly span: Span;
  parent: Growing | undefined = undefined;
  children: Growing[] = NONE;
  depth = 0;
  size = 1;
  errors: number;
  /** Of what is below, where that is later than anything of its own. */
  latestBelow: number | undefined = undefined;
  /** Stands in for a start that is no time. */
  startInstead: number | undefined = undefined;

  constructor(span: Span) {
    this.span = span;
    this.errors = span.isError ? 1 : 0;
  }

  get start(): number {
    return this.startInstead ?? this.span.startTime;
  }

  get duration(): number {
    return usableDuration(this.span);
  }

  get selfTime(): number {
    return Math.max(0, this.duration - coveredByChildren(this));
  }

  get lastActivity(): number {
    return this.latestBelow ?? ownLastActivity(this);
  }
}

function ownLastActivity({ span, start, duration }: Growing): number {
  let last = start + duration;
  for (const event of span.events) {
    if (isTime(event.time) && event.time > last) last = event.time;
  }
  return last;
}

/** Length of the union of the children's intervals, as far as they lie within the node's own. Children are sorted. */
function coveredByChildren(node: Growing): number {
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

export interface Detached {
  node: Growing;
  reason: UnplacedReason;
  /** Position in the table. */
  at: number;
}

export interface Forest {
  byId: ById<Growing>;
  /** In order of start. */
  roots: Growing[];
  /** In table order. */
  detached: Detached[];
  /** Every node, depth first, children in order of start: roots' trees, then detached ones. */
  nodes: Growing[];
}

/** Every span becomes one node, and every node is below one head. Linear but for the sorting, never recursive. */
export function plant(spans: readonly Span[]): Forest {
  const { all, byId } = nodesOf(spans);
  const { roots, detached } = attach(all, byId);
  for (const node of all) sortByStart(node.children);
  sortByStart(roots);
  let nodes = depthFirst([...roots, ...detached.map((entry) => entry.node)]);
  if (nodes.length < all.length) {
    cutCycles(all, nodes, detached);
    detached.sort((a, b) => a.at - b.at);
    nodes = depthFirst([...roots, ...detached.map((entry) => entry.node)]);
  }
  return { byId, roots, detached, nodes };
}

/** One node per id is known by it: a finished span wins over an open one (the server may send both), else the first. */
function nodesOf(spans: readonly Span[]): { all: Growing[]; byId: ById<Growing> } {
  const all: Growing[] = [];
  const byId = new IdTable<Growing>(spans.length);
  for (const span of spans) {
    const node = new Growing(span);
    all.push(node);
    const known = byId.get(span.id);
    if (!known || (known.span.isPartial && !span.isPartial)) byId.set(span.id, node);
  }
  return { all, byId };
}

function attach(all: readonly Growing[], byId: ById<Growing>) {
  const roots: Growing[] = [];
  const detached: Detached[] = [];
  const duplicates = byId.size < all.length;
  let eldest: Detached | undefined;
  // Siblings mostly follow each other in the table.
  let lastId: string | undefined;
  let lastParent: Growing | undefined;
  for (let at = 0; at < all.length; at += 1) {
    const node = all[at] as Growing;
    const { id, parentId } = node.span;
    if (duplicates && byId.get(id) !== node) {
      detached.push({ node, reason: "duplicate", at });
      continue;
    }
    if (parentId === undefined) {
      roots.push(node);
      continue;
    }
    if (parentId !== lastId) {
      lastId = parentId;
      lastParent = byId.get(parentId);
    }
    if (lastParent) {
      addChild(lastParent, node);
      continue;
    }
    const orphan: Detached = { node, reason: "orphan", at };
    if (!eldest || byStart(node, eldest.node) < 0) eldest = orphan;
    detached.push(orphan);
  }
  // A child run's trace may keep the name of a parent that lies outside it.
  if (roots.length === 0 && eldest) {
    roots.push(eldest.node);
    detached.splice(detached.indexOf(eldest), 1);
  }
  return { roots, detached };
}

function addChild(parent: Growing, child: Growing): void {
  child.parent = parent;
  if (parent.children === NONE) parent.children = [child];
  else parent.children.push(child);
}

/**
 * What no head reaches hangs on a cycle. Each is cut at the edge above its earliest member, as a head must come before
 * what it leads to; the rest of the cycle and all that hangs on it then follows from there.
 */
function cutCycles(all: readonly Growing[], hanging: readonly Growing[], detached: Detached[]): void {
  const reached = new Set<Growing>(hanging);
  const position = new Map(all.map((node, at) => [node, at]));
  for (const node of all) {
    if (reached.has(node)) continue;
    const head = earliestOfCycle(node);
    const parent = head.parent;
    if (parent) parent.children.splice(parent.children.indexOf(head), 1);
    head.parent = undefined;
    detached.push({ node: head, reason: "cycle", at: position.get(head) ?? 0 });
    for (const below of depthFirst([head])) reached.add(below);
  }
}

function earliestOfCycle(from: Growing): Growing {
  const seen = new Set<Growing>();
  let at = from;
  while (!seen.has(at) && at.parent) {
    seen.add(at);
    at = at.parent;
  }
  let earliest = at;
  for (let member = at.parent; member && member !== at; member = member.parent) {
    if (byStart(member, earliest) < 0) earliest = member;
  }
  return earliest;
}

const orderOf = (node: Growing): number =>
  isTime(node.span.startTime) ? node.span.startTime : LATEST_TIME + 1;

const byStart = (a: Growing, b: Growing): number => orderOf(a) - orderOf(b);

/** Tables mostly come in order already. */
function sortByStart(nodes: Growing[]): void {
  for (let at = 1; at < nodes.length; at++) {
    if (byStart(nodes[at - 1] as Growing, nodes[at] as Growing) > 0) {
      nodes.sort(byStart);
      return;
    }
  }
}

function depthFirst(heads: readonly Growing[]): Growing[] {
  const order: Growing[] = [];
  const stack = heads.toReversed();
  for (let node = stack.pop(); node; node = stack.pop()) {
    order.push(node);
    const { children } = node;
    for (let at = children.length - 1; at >= 0; at -= 1) stack.push(children[at] as Growing);
  }
  return order;
}
