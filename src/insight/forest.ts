/** From a flat table to trees: who hangs under whom, whatever the table says. */
import type { Span } from "../domain/trace.ts";
import type { SpanNode, UnplacedReason } from "./spans.ts";

/** A node while its figures are still being written. */
export type Growing = { -readonly [Key in Exclude<keyof SpanNode, "parent" | "children">]: SpanNode[Key] } & {
  parent: Growing | undefined;
  children: Growing[];
};

/** The last Unix millisecond a JavaScript date can hold. */
const LATEST_TIME = 8.64e15;

/** 0 is what a missing time becomes on its way here, never a time a span began. */
export const isTime = (value: number): boolean => value > 0 && value <= LATEST_TIME;

/** A duration that keeps the end of its span a time. */
const usableDuration = (span: Span): number => {
  const { duration, startTime } = span;
  if (!(duration > 0 && duration <= LATEST_TIME)) return 0;
  return isTime(startTime) && !isTime(startTime + duration) ? 0 : duration;
};

const newNode = (span: Span): Growing => ({
  span,
  parent: undefined,
  children: [],
  depth: 0,
  start: span.startTime,
  duration: usableDuration(span),
  selfTime: 0,
  lastActivity: 0,
  size: 1,
  errors: span.isError ? 1 : 0,
});

export interface Detached {
  node: Growing;
  reason: UnplacedReason;
  /** Position in the table. */
  at: number;
}

export interface Forest {
  byId: ReadonlyMap<string, Growing>;
  /** In order of start. */
  roots: Growing[];
  /** In table order. */
  detached: Detached[];
  /** Every node, depth first, children in order of start: roots' trees, then detached ones. */
  nodes: Growing[];
}

/** Every span becomes one node, and every node is below one head. Linear but for the sorting, never recursive. */
export function plant(spans: readonly Span[]): Forest {
  const all = spans.map(newNode);
  const byId = keepOnePerId(all);
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

/** A finished span wins over an open one (the server may send both); otherwise the first one stays. */
function keepOnePerId(all: readonly Growing[]): Map<string, Growing> {
  const byId = new Map<string, Growing>();
  for (const node of all) {
    const known = byId.get(node.span.id);
    if (!known || (known.span.isPartial && !node.span.isPartial)) byId.set(node.span.id, node);
  }
  return byId;
}

function attach(all: readonly Growing[], byId: ReadonlyMap<string, Growing>) {
  const roots: Growing[] = [];
  const detached: Detached[] = [];
  let eldest: Detached | undefined;
  all.forEach((node, at) => {
    const { id, parentId } = node.span;
    if (byId.get(id) !== node) {
      detached.push({ node, reason: "duplicate", at });
      return;
    }
    if (parentId === undefined) {
      roots.push(node);
      return;
    }
    const parent = byId.get(parentId);
    if (parent) {
      node.parent = parent;
      parent.children.push(node);
      return;
    }
    const orphan: Detached = { node, reason: "orphan", at };
    if (!eldest || byStart(node, eldest.node) < 0) eldest = orphan;
    detached.push(orphan);
  });
  // A child run's trace may keep the name of a parent that lies outside it.
  if (roots.length === 0 && eldest) {
    roots.push(eldest.node);
    detached.splice(detached.indexOf(eldest), 1);
  }
  return { roots, detached };
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
    for (let at = children.length - 1; at >= 0; at--) stack.push(children[at] as Growing);
  }
  return order;
}
