/** A run from its first attempt to its end, with the waits between attempts. */
import { type AttemptDeps, type Outcome, runAttempt, stoppedBy } from "./attempt.ts";
import { backoffAfter, maxAttemptsOf } from "./registry.ts";
import { closeSpan, openSpan } from "./spans.ts";
import type { StoredRun, TaskDefinition } from "./types.ts";
import { sleep } from "./waiting.ts";

/** Resolves when the run has ended. Its first attempt has its room already; the others take it when they begin. */
export async function executeRun(
  claimed: StoredRun,
  task: TaskDefinition,
  controller: AbortController,
  deps: AttemptDeps,
): Promise<void> {
  const { signal } = controller;
  if (signal.aborted) {
    deps.slots.release(claimed);
    deps.ledger.end(claimed, stoppedBy(signal.reason));
    return;
  }
  let { run, outcome } = await runAttempt(claimed, task, controller, deps);
  while (mayRetry(run, task, outcome, signal)) {
    try {
      run = await waitForRetry(run, task, signal, deps);
      await deps.slots.acquire(run, signal);
    } catch {
      outcome = stoppedBy(signal.reason);
      break;
    }
    ({ run, outcome } = await runAttempt(run, task, controller, deps));
  }
  deps.ledger.end(run, outcome);
}

const mayRetry = (run: StoredRun, task: TaskDefinition, outcome: Outcome, signal: AbortSignal): boolean =>
  outcome.kind === "failed" && !signal.aborted && run.attemptCount < maxAttemptsOf(run, task);

async function waitForRetry(
  failed: StoredRun,
  task: TaskDefinition,
  signal: AbortSignal,
  { ledger, trace, now }: AttemptDeps,
): Promise<StoredRun> {
  const delayMs = backoffAfter(failed.attemptCount, task);
  const span = openSpan(failed, {
    message: "retry wait",
    startTime: now(),
    attempt: failed.attemptCount,
    properties: { retry: { delayMs, nextAttempt: failed.attemptCount + 1 } },
    style: { icon: "wait" },
    entityType: "waitpoint",
  });
  trace.write(span);
  const run = ledger.change(failed, { status: "RETRYING_AFTER_FAILURE" });
  try {
    await sleep(delayMs, signal);
  } finally {
    closeSpan(span, now());
    trace.write(span);
  }
  return run;
}
