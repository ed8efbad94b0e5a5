/** The facts as rules want them: the run it is about, how far it got, and the span where it went wrong. */
import type { Run } from "../domain/run.ts";
import { isBadEnd } from "../domain/status.ts";
import { type Attempt, attemptsOf, failedAttempts } from "./attempts.ts";
import type { Facts, RunFacts } from "./diagnosis.ts";
import { type Failure, failureOfRun, failureOfSpan, rootCause } from "./failure.ts";
import { headOf, originOf, strayFailure } from "./propagation.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";

export interface Case {
  facts: Facts;
  /** What was asked about; the verdict is about `run`, the last of the chain. */
  asked: Run;
  run: Run;
  index?: TraceIndex;
  attempts: readonly Attempt[];
  failed: readonly Attempt[];
  /** The last attempt, or the run's own span before the first. */
  head?: SpanNode;
  /** Where what ended the run began. Only of a run that ended badly. */
  origin?: SpanNode;
  /** What was thrown there, its innermost cause. */
  failure?: Failure;
}

export function openCase(facts: Facts): Case {
  const asked = facts.chain[0].run;
  const subject = facts.chain.at(-1) ?? facts.chain[0];
  const { run, index } = subject;
  const thrown = failureOfRun(run);
  const attempts = index ? attemptsOf(index, run.id) : [];
  const origin = isBadEnd(run.status) ? findOrigin(subject) : undefined;
  const failure = failureAt(origin, thrown);
  const head = index && headOfWork(index, run, attempts);
  return {
    facts,
    asked,
    run,
    attempts,
    failed: failedAttempts(attempts),
    ...(index && { index }),
    ...(head && { head }),
    ...(origin && { origin }),
    ...(failure && { failure }),
  };
}

/** Where the failure of a run that ended badly began, in whichever run of its trace; `undefined` without a trace. */
export function findOrigin({ run, index }: RunFacts): SpanNode | undefined {
  if (!index) return undefined;
  const head = headOfWork(index, run, attemptsOf(index, run.id));
  if (!head) return undefined;
  const origin = originOf(head);
  if (origin !== head) return origin;
  const stray = strayFailure(index, run.id, failureOfRun(run));
  return stray ? originOf(stray) : origin;
}

const headOfWork = (index: TraceIndex, run: Run, attempts: readonly Attempt[]): SpanNode | undefined =>
  attempts.at(-1)?.node ?? headOf(index, run.id);

/** Both tell of the same failure, one perhaps without its stack; what the span says is nearer to it. */
function failureAt(origin: SpanNode | undefined, thrown: Failure | undefined): Failure | undefined {
  const atSpan = origin && failureOfSpan(origin.span);
  const ofRun = thrown && rootCause(thrown);
  if (!atSpan) return ofRun;
  const failure = rootCause(atSpan);
  const same = ofRun && ofRun.message === failure.message;
  return same && failure.stackTrace === undefined ? ofRun : failure;
}
