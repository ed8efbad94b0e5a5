/** Spans in which a run waits instead of working. */
import type { SpanNode } from "./spans.ts";

/** The platform's waits by name: `wait.for()`, `triggerAndWait()`, `retry wait`, `Wait for 5s`, `waitUntil`. */
const WAIT = /^(?:retry )?wait(?:$|[\W\d_]|For|Until)|AndWait(?:\(\))?$|^retry (?:delay|in|#)/i;

export const isWait = (node: SpanNode): boolean => WAIT.test(node.span.message);

const ATTEMPT = /^Attempt \d+$/;

/** Whether the span stands for a whole run, which does nothing by itself: its attempts do. */
export const isRunOfAttempts = (node: SpanNode): boolean =>
  node.children.some(({ span }) => ATTEMPT.test(span.message)) &&
  (node.parent === undefined || node.parent.span.runId !== node.span.runId);
