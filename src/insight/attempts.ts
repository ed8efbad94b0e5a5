/** The attempts of one run as its trace tells them, and whether they failed alike. */

import { type Failure, failureOfSpan, rootCause } from "./failure.ts";
import { fingerprint } from "./fingerprint.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";

export interface Attempt {
  number: number;
  node: SpanNode;
  /** Its failure's innermost cause; absent when it did not fail or its span does not tell how. */
  failure?: Failure;
  /** Fingerprint of the failure. */
  key?: string;
}

/** The platform names an attempt's span so; nothing else in the trace tells what is an attempt. */
const NAME = /^Attempt (\d{1,6})$/;

/** In order of their number. */
export function attemptsOf(index: TraceIndex, runId: string): Attempt[] {
  const attempts: Attempt[] = [];
  for (const node of index.nodes) {
    if (node.span.runId !== runId) continue;
    const number = NAME.exec(node.span.message)?.[1];
    if (number === undefined) continue;
    const thrown = failureOfSpan(node.span);
    const failure = thrown && rootCause(thrown);
    attempts.push({
      number: Number(number),
      node,
      ...(failure && { failure, key: fingerprint(failure).key }),
    });
  }
  return attempts.sort((a, b) => a.number - b.number || a.node.start - b.node.start);
}

export const failedAttempts = (attempts: readonly Attempt[]): Attempt[] =>
  attempts.filter(({ node, failure }) => node.span.isError || failure !== undefined);

/** `undefined` with fewer than two failures that tell what they are. */
export function failedAlike(failed: readonly Attempt[]): boolean | undefined {
  const keys = failed.map(({ key }) => key).filter((key) => key !== undefined);
  return keys.length < 2 ? undefined : new Set(keys).size === 1;
}
