/** Decides which run begins when: delays, times to live, queues. Each run then executes on its own. */
import { setMaxListeners } from "node:events";
import type { AttemptDeps } from "./attempt.ts";
import { executeRun } from "./execute.ts";
import { RunStopped } from "./failure.ts";
import { type TaskRegistry, WORKER_VERSION } from "./registry.ts";
import type { StoredError, StoredRun, TaskDefinition } from "./types.ts";

/** The longest time between two looks at the clock, so that one that was set or a machine that slept is noticed. */
const LONGEST_NAP_MS = 30_000;

export interface Worker {
  /** Looks for runs that may begin, a moment from now. */
  wake(): void;
  /** Aborts the run if it executes here; false if it does not. */
  stop(run: StoredRun, reason: RunStopped): boolean;
  /** Lets go of everything that executes; resolves when it has. */
  close(): Promise<void>;
}

interface Execution {
  controller: AbortController;
  done: Promise<void>;
}

export type WorkerDeps = AttemptDeps & { registry: TaskRegistry };

export function createWorker(deps: WorkerDeps): Worker {
  const { runs, ledger, registry, slots, triggers, now } = deps;
  const executing = new Map<string, Execution>();
  let soon: NodeJS.Immediate | undefined;
  let nap: NodeJS.Timeout | undefined;
  let closed = false;

  const wake = () => {
    if (closed) return;
    soon ??= setImmediate(look);
  };

  const look = () => {
    soon = undefined;
    const at = Math.floor(now());
    for (const run of runs.delayedUntil(at)) triggers.enqueue(run);
    for (const run of runs.expiredBy(at)) ledger.end(run, { kind: "expired", error: ttlReached(run) });
    while (slots.hasRoom()) {
      const run = runs.nextQueued(slots.full());
      if (run === undefined) break;
      begin(run);
    }
    sleepUntilDue();
  };

  const begin = (queued: StoredRun) => {
    const task = registry.executorOf(queued);
    if (task === undefined) return ledger.change(queued, { status: "PENDING_VERSION" });
    slots.take(queued);
    const run = ledger.change(queued, { status: "DEQUEUED", version: WORKER_VERSION });
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    executing.set(run.id, { controller, done: execute(run, task, controller) });
    return run;
  };

  const execute = async (run: StoredRun, task: TaskDefinition, controller: AbortController) => {
    await new Promise(setImmediate);
    try {
      await executeRun(run, task, controller, deps);
    } catch (error) {
      // No task can cause this: it is the engine that broke, and the run says so.
      ledger.end(run, { kind: "failed", error: crashed(error) });
    } finally {
      executing.delete(run.id);
    }
  };

  const sleepUntilDue = () => {
    clearTimeout(nap);
    const due = runs.nextDue();
    if (due === undefined) return;
    const left = Math.min(LONGEST_NAP_MS, Math.max(1, Math.ceil(due - now())));
    nap = setTimeout(wake, left).unref();
  };

  return {
    wake,
    stop: (run, reason) => {
      const execution = executing.get(run.id);
      execution?.controller.abort(reason);
      return execution !== undefined;
    },
    close: async () => {
      closed = true;
      clearImmediate(soon);
      clearTimeout(nap);
      const executions = [...executing.values()];
      const reason = new RunStopped("closing", "The server is stopping");
      for (const { controller } of executions) controller.abort(reason);
      await Promise.all(executions.map(({ done }) => done));
    },
  };
}

const ttlReached = (run: StoredRun): StoredError => ({
  type: "STRING_ERROR",
  raw: `Run expired because the TTL (${run.ttl}) was reached`,
});

const crashed = (error: unknown): StoredError => ({
  type: "INTERNAL_ERROR",
  code: "TASK_RUN_CRASHED",
  message: error instanceof Error ? error.message : String(error),
});
