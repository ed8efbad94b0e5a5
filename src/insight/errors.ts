/** Where a trace went wrong: the errors in it, the one that came first and the one that lies deepest. */
import { isTime } from "./columns.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";
import { pathTo } from "./spans.ts";

export interface TraceErrors {
  /** Every span with an error, in the order they failed. */
  readonly all: readonly SpanNode[];
  /** The one that failed first; of those at the same moment the deepest, since it took the others with it. */
  readonly first: SpanNode | undefined;
  /** The one furthest from its root, the first to fail where several are. */
  readonly deepest: SpanNode | undefined;
  /** From the root to the deepest; empty without errors. */
  readonly path: readonly SpanNode[];
}

/** Pure; looks at the spans' own `isError`, not at log levels. */
export function findErrors(index: TraceIndex): TraceErrors {
  const all = index.nodes
    .filter((node) => node.span.isError)
    .map((node) => ({ node, at: failedAt(node) }))
    .sort((a, b) => a.at - b.at || b.node.depth - a.node.depth)
    .map((entry) => entry.node);
  let deepest = all[0];
  for (const node of all) if (deepest && node.depth > deepest.depth) deepest = node;
  return { all, first: all[0], deepest, path: deepest ? pathTo(deepest) : [] };
}

/** Unix milliseconds: when the exception was recorded, else the span's end. */
export function failedAt(node: SpanNode): number {
  const thrown = node.span.events.find((event) => event.name === "exception");
  return thrown && isTime(thrown.time) ? thrown.time : node.start + node.duration;
}
