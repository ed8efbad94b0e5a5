/**
 * What the end of a trace really depended on: backwards from its end, at every moment the one span whose ending was being
 * waited for. The pieces of all spans on the path together are exactly as long as the trace.
 */
import { normalizeName } from "./names.ts";
import type { SpanNode } from "./spans.ts";
import { endOf as endOfSpan } from "./timeline.ts";
import { isRunOfAttempts, isWait } from "./waits.ts";

/** `queue`: before a run's first attempt. `wait`: in a wait, or between the attempts of a run. */
export type StepKind = "work" | "wait" | "queue";

export interface PathStep {
  readonly kind: StepKind;
  /** One span, or repeated ones of like name and place, in the order they came. */
  readonly nodes: readonly SpanNode[];
  /** Unix milliseconds. */
  readonly at: number;
  /** Milliseconds the end depended on these spans themselves, and not on what is below them. */
  readonly own: number;
  /** The span that holds most of it. */
  readonly largest: SpanNode;
}

export interface CriticalPath {
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  /** In order of time. */
  readonly steps: readonly PathStep[];
  /** Spans the path leads through, those without a time of their own included. */
  readonly spans: number;
  /** Children that ended well after their parents, taken as not waited for. */
  readonly outlasting: number;
}

/** Milliseconds that neighbours may seem to overlap: starts come rounded, clocks differ. */
const GRAIN_MS = 2;
/** A child that ends later than its parent by more than this share of the parent was not waited for. */
const OUTLASTS = 0.02;

interface Piece {
  node: SpanNode;
  kind: StepKind;
  /** Unix milliseconds of its beginning, and the milliseconds it holds from there on. */
  at: number;
  own: number;
}

/** A span on the path, worked through backwards. */
interface Frame {
  node: SpanNode;
  from: number;
  /** What comes after it is told. */
  to: number;
  own: Piece;
  /** Children still to be looked at, the last to end last. */
  children: SpanNode[];
  /** No child has been taken yet. */
  fresh: boolean;
}

/** Pure, iterative, `n log n`; `openUntil` is the Unix millisecond up to which open spans are counted. */
export function criticalPath(head: SpanNode, openUntil: number): CriticalPath {
  const endOf = (node: SpanNode): number => endOfSpan(node, openUntil);
  const from = head.start;
  const to = endOf(head);
  const pieces: Piece[] = [];
  const visited: SpanNode[] = [];
  const stack: Frame[] = [];
  let outlasting = 0;

  const enter = (node: SpanNode, begin: number, end: number): void => {
    const waited = isWait(node);
    const limit = Math.max(end, endOf(node)) + Math.max(GRAIN_MS, node.duration * OUTLASTS);
    const children = node.children.filter((child) => child.span.isPartial || waited || endOf(child) <= limit);
    children.sort((a, b) => endOf(a) - endOf(b));
    outlasting += node.children.length - children.length;
    visited.push(node);
    const kind = waited || isRunOfAttempts(node) ? "wait" : "work";
    stack.push({ node, from: begin, to: end, own: { node, kind, at: end, own: 0 }, children, fresh: true });
  };

  /** Takes the child that ended last; one that was still going on when the next began had not to end for it. */
  const lastChild = (frame: Frame): SpanNode | undefined => {
    for (let child = frame.children.pop(); child; child = frame.children.pop()) {
      const ended = endOf(child);
      if (!frame.fresh && ended > frame.to + GRAIN_MS) continue;
      if (Math.min(ended, frame.to) > Math.max(child.start, frame.from)) return child;
    }
    return undefined;
  };

  enter(head, from, to);
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const child = lastChild(top);
    if (child) {
      const [begin, end] = [Math.max(child.start, top.from), Math.min(endOf(child), top.to)];
      lengthen(top.own, end, top.to);
      top.to = begin;
      top.fresh = false;
      enter(child, begin, end);
      continue;
    }
    stack.pop();
    // What a run does before its first attempt is waiting in a queue.
    if (!top.fresh && top.own.kind === "wait" && !isWait(top.node) && top.from <= top.node.start) {
      pieces.push({ node: top.node, kind: "queue", at: top.from, own: top.to - top.from });
    } else {
      lengthen(top.own, top.from, top.to);
    }
    pieces.push(top.own);
  }
  const steps = folded(
    pieces.filter(({ own }) => own > 0),
    visited,
  );
  return { from, to, steps, spans: visited.length, outlasting };
}

function lengthen(piece: Piece, from: number, to: number): void {
  if (to <= from) return;
  piece.own += to - from;
  piece.at = from;
}

/** Two or three of a kind read well as they are. */
const FOLDED = 4;

/** Pieces of spans with like names under like ancestors become one step; `visited` holds parents before children. */
function folded(pieces: readonly Piece[], visited: readonly SpanNode[]): PathStep[] {
  const places = placesOf(visited);
  const groups = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = `${places.get(piece.node)} ${piece.kind}`;
    const group = groups.get(key);
    if (group) group.push(piece);
    else groups.set(key, [piece]);
  }
  return [...groups.values()]
    .flatMap((group) => (group.length < FOLDED ? group.map((piece) => [piece]) : [group]))
    .map(stepOf)
    .sort((a, b) => a.at - b.at);
}

/** A number for each place in the tree, the same for spans of like names all the way up. */
function placesOf(visited: readonly SpanNode[]): ReadonlyMap<SpanNode, number> {
  const numbers = new Map<string, number>();
  const places = new Map<SpanNode, number>();
  for (const node of visited) {
    const above = node.parent ? (places.get(node.parent) ?? -1) : -1;
    const name = `${above} ${normalizeName(node.span.message)}`;
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    places.set(node, number);
  }
  return places;
}

function stepOf(pieces: readonly Piece[]): PathStep {
  const inOrder = pieces.toSorted((a, b) => a.at - b.at);
  const [first] = inOrder as [Piece];
  let largest = first;
  let own = 0;
  for (const piece of inOrder) {
    own += piece.own;
    if (piece.own > largest.own) largest = piece;
  }
  return {
    kind: first.kind,
    nodes: inOrder.map(({ node }) => node),
    at: first.at,
    own,
    largest: largest.node,
  };
}
