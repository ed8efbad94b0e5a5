/** Verdicts on runs that ended without failing: cancelled, expired, and completed in more or less good order. */
import type { RunSummary } from "../domain/run.ts";
import { isBadEnd } from "../domain/status.ts";
import type { Case } from "./case.ts";
import type { Evidence, Finding } from "./diagnosis.ts";
import { failureOfSpan, rootCause } from "./failure.ts";
import { errorsBelow } from "./got-over.ts";
import { isLog, lastDoing, originOf } from "./propagation.ts";
import { slow } from "./slowness.ts";

/** What somebody stopped, or its parent took with it. */
export function diagnoseCancelled({ run, index, head, facts }: Case): Finding {
  let reason: string | undefined;
  for (const { span } of index?.nodes ?? []) {
    if (span.runId !== run.id) continue;
    const told = span.events.find(({ name }) => name === "cancellation")?.properties.reason;
    if (typeof told === "string" && told !== "") reason ??= told;
  }
  const doing = head && lastDoing(head);
  const by = cancelledBy(run, facts.ancestors, reason);
  const node = doing && doing !== head ? doing : head;
  return {
    class: "cancelled",
    confidence: by || reason !== undefined ? "high" : "medium",
    ...(by ? { runId: by.id } : node && { node }),
    evidence: [
      {
        kind: "cancellation",
        ...(reason !== undefined && { reason }),
        ...(by && { by }),
        ...(node && { node }),
      },
    ],
  };
}

/** Milliseconds by which the end of a parent may be written down after its children's. */
const TOGETHER_MS = 5_000;

/** The topmost of the ancestors that ended with it; `undefined` when it was cancelled by itself. */
function cancelledBy(run: RunSummary, ancestors: Case["facts"]["ancestors"], reason: string | undefined) {
  const ended = run.finishedAt ?? run.updatedAt;
  const together = ancestors.filter(
    ({ status, finishedAt }) =>
      finishedAt !== undefined &&
      finishedAt <= ended + TOGETHER_MS &&
      (status === "CANCELED" || /\bparent\b/i.test(reason ?? "")),
  );
  return together.at(-1);
}

export function diagnoseExpired({ run, facts }: Case): Finding {
  const waitedMs = Math.max(0, (run.expiredAt ?? run.finishedAt ?? facts.now) - run.createdAt);
  return {
    class: "expired",
    confidence: "high",
    evidence: [
      { kind: "expired", waitedMs, ...(run.ttl !== undefined && { ttl: run.ttl }) },
      ...heldBy(run, facts.neighbours?.runs ?? [], run.createdAt + waitedMs, waitedMs),
    ],
  };
}

/** The runs of its task that executed while it waited until `end`. */
function heldBy(
  run: RunSummary,
  neighbours: readonly RunSummary[],
  end: number,
  waitedMs: number,
): Evidence[] {
  const executing = neighbours.filter(
    ({ id, task, startedAt, finishedAt }) =>
      id !== run.id &&
      task === run.task &&
      startedAt !== undefined &&
      startedAt < end &&
      (finishedAt ?? Number.POSITIVE_INFINITY) > run.createdAt,
  );
  if (executing.length === 0) return [];
  return [{ kind: "queue", queue: { executing, whole: false }, task: run.task, ahead: 0, waitedMs }];
}

export function diagnoseCompleted(run: Case): Finding {
  for (const rule of [swallowedError, recovered, lateStart, slow]) {
    const finding = rule(run);
    if (finding) return finding;
  }
  return { class: "ok", confidence: "high", evidence: [] };
}

/** Green, with something in it that went wrong and was neither tried again nor told. */
function swallowedError({ run, head }: Case): Finding | undefined {
  const left = head ? errorsBelow(head).left : [];
  const spans = left.filter((node) => !isLog(node));
  const errors = spans.length > 0 ? spans : left;
  const first = errors[0];
  const children = run.children.filter(({ status }) => isBadEnd(status) || status === "EXPIRED");
  if (!first) return head ? undefined : failedChildren(children, run.children.length);
  const node = isLog(first) ? first : originOf(first);
  const thrown = failureOfSpan(node.span);
  const origins = errors.filter((error) => error.errors <= 1);
  const evidence: Evidence[] = [{ kind: "swallowed", nodes: origins.length > 0 ? origins : errors }];
  if (children.length > 0)
    evidence.push({ kind: "failed_children", runs: children, of: run.children.length });
  return {
    class: "swallowed_error",
    confidence: spans.length > 0 ? "high" : "medium",
    node,
    ...(thrown && { failure: rootCause(thrown) }),
    evidence,
  };
}

function failedChildren(runs: readonly RunSummary[], of: number): Finding | undefined {
  const first = runs[0];
  return (
    first && {
      class: "swallowed_error",
      confidence: "medium",
      runId: first.id,
      evidence: [{ kind: "failed_children", runs, of }],
    }
  );
}

/** A later attempt brought what an earlier one could not. */
function recovered({ run, failed, head }: Case): Finding | undefined {
  const last = failed.findLast(({ node }) => node !== head);
  if (last) {
    const node = originOf(last.node);
    const thrown = failureOfSpan(node.span);
    const failure = thrown ? rootCause(thrown) : last.failure;
    return { class: "recovered", confidence: "high", node, ...(failure && { failure }), evidence: [] };
  }
  const gotOver = head && errorsBelow(head).gotOver.find((each) => !isLog(each));
  if (gotOver) {
    const node = originOf(gotOver);
    const thrown = failureOfSpan(node.span);
    return {
      class: "recovered",
      confidence: "medium",
      node,
      ...(thrown && { failure: rootCause(thrown) }),
      evidence: [{ kind: "got_over", node }],
    };
  }
  return run.attemptCount > 1 ? { class: "recovered", confidence: "medium", evidence: [] } : undefined;
}

/** Waiting to begin is what took so long, not the work. */
const LATE = { ms: 60_000, timesTheWork: 3 };

function lateStart(run: Case): Finding | undefined {
  const { startedAt, finishedAt, createdAt, delayedUntil, task } = run.run;
  if (startedAt === undefined || finishedAt === undefined) return undefined;
  const waitedMs = startedAt - Math.max(createdAt, delayedUntil ?? createdAt);
  if (waitedMs < LATE.ms || waitedMs < LATE.timesTheWork * (finishedAt - startedAt)) return undefined;
  const held = heldBy(run.run, run.facts.neighbours?.runs ?? [], startedAt, waitedMs);
  return {
    class: "queue_wait",
    confidence: held.length > 0 ? "high" : "medium",
    evidence:
      held.length > 0
        ? held
        : [{ kind: "queue", queue: { executing: [], whole: false }, task, ahead: 0, waitedMs }],
  };
}
