/** How spans begin and end. A span is a plain record; whoever changes one hands it to the trace writer. */

import { exceptionOf } from "./failure.ts";
import { newSpanId } from "./ids.ts";
import type { StoredError, StoredRun, StoredSpan } from "./types.ts";

type SpanFields = Pick<StoredSpan, "message" | "startTime"> & Partial<StoredSpan>;

/** An open span of a run; under the run's root span unless told otherwise. */
export const openSpan = (run: StoredRun, fields: SpanFields): StoredSpan => ({
  traceId: run.traceId,
  spanId: newSpanId(),
  parentId: run.spanId,
  runId: run.friendlyId,
  kind: "span",
  level: "TRACE",
  duration: 0,
  isError: false,
  isPartial: true,
  isCancelled: false,
  properties: {},
  events: [],
  style: {},
  ...fields,
});

/** The span that stands for the run itself; in a child it hangs under the parent's span. */
export const rootSpan = (run: StoredRun): StoredSpan => {
  const { parentId: _, ...span } = openSpan(run, { message: run.task, startTime: run.createdAt });
  return {
    ...span,
    spanId: run.spanId,
    style: { icon: "task" },
    ...(run.parentSpanId !== undefined && { parentId: run.parentSpanId }),
  };
};

export function closeSpan(span: StoredSpan, at: number): void {
  span.isPartial = false;
  span.duration = Math.max(0, at - span.startTime);
}

export function failSpan(span: StoredSpan, at: number, error: StoredError): void {
  closeSpan(span, at);
  span.isError = true;
  span.events.push({ name: "exception", time: at, properties: { exception: exceptionOf(error) } });
}

/** An attempt's own span tells of its failure twice, as the API does: `exception` and `attempt_failed`. */
export function failAttempt(span: StoredSpan, at: number, error: StoredError): void {
  failSpan(span, at, error);
  span.events.push({
    name: "attempt_failed",
    time: at,
    properties: { exception: exceptionOf(error), attemptNumber: span.attempt, runId: span.runId },
  });
}

export function cancelSpan(span: StoredSpan, at: number, reason: string): void {
  closeSpan(span, at);
  span.isCancelled = true;
  span.events.push({ name: "cancellation", time: at, properties: { reason } });
}
