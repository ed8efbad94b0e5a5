/** Errors in work that went on: which of them were tried again with success, and which were left as they were. */
import { normalizeName } from "./names.ts";
import { isLog } from "./propagation.ts";
import type { SpanNode } from "./spans.ts";

export interface Errors {
  /** Nothing of their kind, nor of what they were in, was tried again and went well; in order of start. */
  left: SpanNode[];
  gotOver: SpanNode[];
}

/** Failed spans and ERROR lines below `head`; linear. */
export function errorsBelow(head: SpanNode): Errors {
  const errors: Errors = { left: [], gotOver: [] };
  const over = new Set<SpanNode>();
  const successes = new Map<SpanNode, ReadonlyMap<string, number>>();
  const stack = head.children.toReversed();
  for (let node = stack.pop(); node; node = stack.pop()) {
    const { parent } = node;
    if (parent && (over.has(parent) || wasRetried(node, parent, successes))) over.add(node);
    if (isError(node)) (over.has(node) ? errors.gotOver : errors.left).push(node);
    for (let at = node.children.length - 1; at >= 0; at -= 1) {
      const child = node.children[at];
      if (child) stack.push(child);
    }
  }
  errors.left.sort(byStart);
  errors.gotOver.sort(byStart);
  return errors;
}

const byStart = (a: SpanNode, b: SpanNode): number => a.start - b.start;

const isError = (node: SpanNode): boolean => (isLog(node) ? node.span.level === "ERROR" : node.span.isError);

function wasRetried(
  node: SpanNode,
  parent: SpanNode,
  successes: Map<SpanNode, ReadonlyMap<string, number>>,
): boolean {
  if (!node.span.isError || isLog(node)) return false;
  let known = successes.get(parent);
  if (!known) {
    known = lastSuccesses(parent);
    successes.set(parent, known);
  }
  return (known.get(kindOf(node)) ?? Number.NEGATIVE_INFINITY) > node.start;
}

/** Kinds of children to the start of the last one that went well. */
function lastSuccesses({ children }: SpanNode): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const child of children) {
    if (isLog(child) || child.span.isError || child.span.isPartial || child.span.isCancelled) continue;
    const kind = kindOf(child);
    if (child.start >= (last.get(kind) ?? Number.NEGATIVE_INFINITY)) last.set(kind, child.start);
  }
  return last;
}

/** `GET /stock/1` is not tried again by `GET /stock/2`; only names that count their tries are compared without numbers. */
const kindOf = ({ span }: SpanNode): string =>
  /\b(?:attempt|try|retry)\b/i.test(span.message) ? normalizeName(span.message) : span.message;
