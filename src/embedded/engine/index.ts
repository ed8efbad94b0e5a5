/** The embedded engine: runs are stored, queued and executed in this process, on SQLite. */
import type { Db } from "../store/db.ts";
import { createEnvironmentStore } from "../store/environments.ts";
import { createRunStore } from "../store/runs.ts";
import { createSpanStore } from "../store/spans.ts";
import { type Clock, wallClock } from "./clock.ts";
import { RunStopped } from "./failure.ts";
import { createLedger, hasEnded } from "./ledger.ts";
import { recover } from "./recover.ts";
import { createRegistry, WORKER_CONCURRENCY } from "./registry.ts";
import { createSlots } from "./slots.ts";
import { createTraceWriter } from "./trace-writer.ts";
import { createTriggers } from "./trigger.ts";
import type { Engine, RunReads, StoredRun, TaskDefinition } from "./types.ts";
import { createWorker } from "./worker.ts";

export interface EngineOptions {
  db: Db;
  tasks: TaskDefinition[];
  /** Nothing is executed, expired or put right: runs stay as they are stored. */
  idle?: boolean;
  /** Unix milliseconds. */
  now?: Clock;
  /** Told of every run that ends, whoever ended it. */
  onRunSettled?: (run: StoredRun) => void;
}

/**
 * Starts the engine on an opened database and puts right what an earlier process left behind. Environments have to be
 * stored before their runs are triggered. {@link Engine.close} has to be called before the database is closed.
 */
export function createEngine({
  db,
  tasks,
  idle = false,
  now = wallClock(),
  onRunSettled,
}: EngineOptions): Engine {
  const environments = createEnvironmentStore(db);
  const runs = createRunStore(db);
  const spans = createSpanStore(db);
  const trace = createTraceWriter(spans);
  const registry = createRegistry(tasks);
  const ledger = createLedger({ db, runs, spans, trace, now, ...(onRunSettled && { onRunSettled }) });
  const wake = () => {
    if (!idle) worker.wake();
  };
  const triggers = createTriggers({ db, runs, ledger, registry, now, wake });
  const slots = createSlots({ total: WORKER_CONCURRENCY, limitOf: registry.queueLimit, onFree: wake });
  const worker = createWorker({ runs, environments, ledger, trace, triggers, slots, now, registry });
  let closing: Promise<void> | undefined;

  const cancel = (run: StoredRun, reason: string) => {
    const current = runs.byInternalId(run.id);
    if (current === undefined || hasEnded(current)) return;
    for (const child of runs.children(current.id)) cancel(child, reason);
    if (worker.stop(current, new RunStopped("cancelled", reason))) return;
    ledger.end(current, { kind: "cancelled", reason });
  };

  if (!idle) recover({ runs, spans, ledger, trace, triggers, registry });
  wake();

  return {
    runs: createReads(),
    trigger: triggers.trigger,
    cancel: (run, reason = "Canceled by user") => cancel(run, reason),
    replay: (run, overrides) => {
      const environment = environments.byId(run.environmentId);
      if (environment === undefined) throw new Error(`run ${run.friendlyId} belongs to no environment`);
      return triggers.replay(environment, run, overrides);
    },
    reschedule: triggers.reschedule,
    setTags: (run, tags) => {
      const known = runs.byInternalId(run.id)?.tags ?? [];
      ledger.change(runs.setTags(run.id, [...new Set([...known, ...tags])]), {});
    },
    setMetadata: (run, metadata) => void ledger.change(run, { metadata }),
    settled: ledger.settled,
    close: () => {
      closing ??= close();
      return closing;
    },
  };

  async function close(): Promise<void> {
    trace.stop();
    ledger.close();
    await worker.close();
  }

  /** What the store holds, and what the trace writer has not stored yet. */
  function createReads(): RunReads {
    return {
      find: runs.find,
      byInternalId: runs.byInternalId,
      children: (run) => runs.children(run.id),
      list: runs.list,
      subtree: (run, limit) => {
        trace.flush();
        return spans.subtree(run.id, limit);
      },
      own: (run, limit) => {
        trace.flush();
        return spans.own(run.friendlyId, limit);
      },
      span: (run, spanId) => {
        trace.flush();
        return spans.find(run.traceId, spanId);
      },
      triggeredBy: (run, spanId, limit) => runs.triggeredBy(run.traceId, spanId, limit),
    };
  }
}
