/** How a failure spread: from where it showed back down to the span where it began, through child runs too. */

import { isTime } from "./columns.ts";
import { carrierOf, type Failure, failureOfSpan } from "./failure.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";

/** A log line is a record without length below a span; spans are TRACE. */
export const isLog = ({ span, children }: SpanNode): boolean =>
  span.level !== "TRACE" && span.duration === 0 && !span.isPartial && children.length === 0;

/**
 * The span where what went wrong in `head` began: of each span the failing child that took it down, and so on. A child
 * that failed and was got over (other work followed, and nothing of it is in what was thrown later) is no cause.
 */
export function originOf(head: SpanNode): SpanNode {
  let at = head;
  for (let below = causeBelow(at); below; below = causeBelow(at)) at = below;
  return at;
}

function causeBelow(node: SpanNode): SpanNode | undefined {
  const failing = node.children.filter((child) => wentWrong(child, node));
  if (failing.length === 0) return undefined;
  const thrown = failureOfSpan(node.span);
  const carried = thrown && failing.findLast(handsOn(thrown));
  if (carried) return carried;
  const last = failing.reduce((latest, child) => (endOf(child) >= endOf(latest) ? child : latest));
  return workedOn(node, last) ? undefined : last;
}

/** Failed, or cut off with a failure in it, or a run that was cancelled under its parent, or what started failed runs. */
const wentWrong = (child: SpanNode, parent: SpanNode): boolean =>
  !isLog(child) &&
  (child.span.isError ||
    (child.span.isPartial && child.errors > 0) ||
    (child.span.isCancelled && child.span.runId !== parent.span.runId) ||
    (child.errors > 0 && child.children.some((run) => isFailedRun(run, child))));

/** A batch answers with outcomes instead of throwing: its span is fine although runs below it failed. */
const isFailedRun = ({ span }: SpanNode, parent: SpanNode): boolean =>
  span.isError && span.runId !== parent.span.runId;

const handsOn = (thrown: Failure): ((child: SpanNode) => boolean) => {
  const carries = carrierOf(thrown);
  return (child) => {
    const own = failureOfSpan(child.span);
    return own !== undefined && carries(own);
  };
};

/** Unix milliseconds: its end or its last event. */
export const endOf = (node: SpanNode): number =>
  node.span.events.reduce(
    (latest, { time }) => (isTime(time) && time > latest ? time : latest),
    node.start + node.duration,
  );

/** Whether other work began in `parent` after `failed` had failed. */
const workedOn = (parent: SpanNode, failed: SpanNode): boolean =>
  parent.children.some(
    (child) => child !== failed && !isLog(child) && !child.span.isError && child.start > endOf(failed),
  );

/** Milliseconds: what ended so shortly before the end was still going on. */
const AT_THE_END_MS = 50;

/** The deepest span of `head` that was still going on when it ended: open, cut off, or ended together with it. */
export function lastDoing(head: SpanNode): SpanNode {
  let at = head;
  for (;;) {
    const open = at.children.filter((child) => !isLog(child) && child.span.isPartial);
    const until = endOf(at);
    const ending =
      open.length > 0
        ? open
        : at.children.filter(
            (child) => !isLog(child) && (child.span.isError || endOf(child) >= until - AT_THE_END_MS),
          );
    const last = latest(ending);
    if (!last) return at;
    at = last;
  }
}

const latest = (nodes: readonly SpanNode[]): SpanNode | undefined =>
  nodes.reduce<SpanNode | undefined>(
    (best, node) => (best === undefined || node.start >= best.start ? node : best),
    undefined,
  );

/** The head of a run's own part of a trace. */
export function headOf(index: TraceIndex, runId: string): SpanNode | undefined {
  let head: SpanNode | undefined;
  for (const node of index.nodes) {
    if (node.span.runId === runId && (!head || node.depth < head.depth)) head = node;
  }
  return head;
}

/** Spans that failed in trees of their own (their parents are missing): where a cut trace keeps its failures. */
export function strayFailure(
  index: TraceIndex,
  runId: string,
  thrown: Failure | undefined,
): SpanNode | undefined {
  const heads = index.unplaced
    .map(({ node }) => node)
    .filter((node) => node.span.isError && node.span.runId === runId && !isLog(node));
  const carried = thrown && heads.filter(handsOn(thrown));
  return latest(carried && carried.length > 0 ? carried : heads);
}
