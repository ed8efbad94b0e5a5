/** Puts right, at the start, what an earlier process left behind when it ended. */
import type { RunStore } from "../store/runs.ts";
import type { SpanStore } from "../store/spans.ts";
import type { Ledger } from "./ledger.ts";
import { maxAttemptsOf, type TaskRegistry } from "./registry.ts";
import { closeSpan, failAttempt, failSpan } from "./spans.ts";
import type { TraceWriter } from "./trace-writer.ts";
import type { Triggers } from "./trigger.ts";
import type { StoredError, StoredRun, StoredSpan } from "./types.ts";

interface RecoverDeps {
  runs: RunStore;
  spans: SpanStore;
  ledger: Ledger;
  trace: TraceWriter;
  triggers: Triggers;
  registry: TaskRegistry;
}

const STALLED: StoredError = {
  type: "INTERNAL_ERROR",
  code: "TASK_RUN_STALLED_EXECUTING",
  message: "The process that executed this run ended before the run did",
};

/**
 * Runs that were executing have stalled: their attempt has failed, and they are tried again if they may be. Those that
 * waited for a retry or had been taken from their queue without beginning go back to it; so do those whose task is
 * known now and was not. Queued and delayed runs need nothing.
 */
export function recover({ runs, spans, ledger, trace, triggers, registry }: RecoverDeps): void {
  const openBelow = (run: StoredRun): StoredSpan[] =>
    spans.open(run.friendlyId).filter(({ spanId }) => spanId !== run.spanId);

  for (const run of runs.withStatus(["PENDING_VERSION"])) {
    if (registry.executorOf(run) !== undefined) triggers.enqueue(run);
  }
  for (const run of runs.withStatus(["DEQUEUED"])) triggers.enqueue(run);
  for (const run of runs.withStatus(["RETRYING_AFTER_FAILURE"])) {
    for (const span of openBelow(run)) endAt(span, lastSign(run), closeSpan);
    triggers.enqueue(run);
  }
  for (const run of runs.withStatus(["EXECUTING", "WAITING_TO_RESUME"])) {
    for (const span of openBelow(run)) {
      endAt(span, lastSign(run), (open, at) =>
        (open.entityType === "attempt" ? failAttempt : failSpan)(open, at, STALLED),
      );
    }
    const mayRetry =
      run.taskKind !== "AGENT" && run.attemptCount < maxAttemptsOf(run, registry.find(run.task));
    if (mayRetry) triggers.enqueue(run);
    else ledger.end(run, { kind: "failed", error: STALLED });
  }

  function lastSign(run: StoredRun): number {
    return Math.max(run.updatedAt, spans.lastActivity(run.friendlyId) ?? 0);
  }

  function endAt(span: StoredSpan, at: number, end: (span: StoredSpan, at: number) => void): void {
    end(span, at);
    trace.write(span);
  }
}
