/** The one place where a run changes: its row, its root span and whoever waits for its end move together. */
import type { Db } from "../store/db.ts";
import type { RunStore } from "../store/runs.ts";
import type { SpanStore } from "../store/spans.ts";
import { atomically } from "../store/transaction.ts";
import type { Clock } from "./clock.ts";
import { errorIdOf, statusAfter } from "./failure.ts";
import { cancelSpan, closeSpan, failSpan, rootSpan } from "./spans.ts";
import type { TraceWriter } from "./trace-writer.ts";
import type { StoredError, StoredRun, StoredSpan, StoredStatus } from "./types.ts";

export type Ending =
  | { kind: "completed"; output?: string }
  | { kind: "failed"; error: StoredError }
  | { kind: "cancelled"; reason: string }
  | { kind: "expired"; error: StoredError };

export interface Ledger {
  /** Stores a new run with its root span. */
  add(run: StoredRun): void;
  change(run: StoredRun, changes: Partial<StoredRun>): StoredRun;
  /** Counts the attempt; the first one is when the run has started. */
  beginAttempt(run: StoredRun): StoredRun;
  end(run: StoredRun, ending: Ending): StoredRun;
  /** Resolves with the run when it has ended; rejects when the engine closes first. */
  settled(friendlyId: string): Promise<StoredRun>;
  /** From here on nothing changes any more. */
  close(): void;
}

export interface LedgerOptions {
  db: Db;
  runs: RunStore;
  spans: SpanStore;
  trace: TraceWriter;
  now: Clock;
  /** Told of every end, a moment after it. */
  onRunSettled?: (run: StoredRun) => void;
}

const ENDED: ReadonlySet<StoredStatus> = new Set([
  "COMPLETED_SUCCESSFULLY",
  "COMPLETED_WITH_ERRORS",
  "CANCELED",
  "CRASHED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
]);

export const hasEnded = (run: StoredRun): boolean => ENDED.has(run.status);

interface Waiter {
  resolve(run: StoredRun): void;
  reject(error: Error): void;
}

export function createLedger({ db, runs, spans, trace, now, onRunSettled }: LedgerOptions): Ledger {
  const waiters = new Map<string, Waiter[]>();
  let closed = false;

  const milliseconds = () => Math.floor(now());

  const change = (run: StoredRun, changes: Partial<StoredRun>): StoredRun => {
    if (closed) return run;
    return atomically(db, () => {
      trace.flush();
      return runs.patch(run.id, { ...changes, updatedAt: milliseconds() });
    });
  };

  const changeRoot = (run: StoredRun, work: (span: StoredSpan) => void) => {
    trace.flush();
    const span = spans.find(run.traceId, run.spanId);
    if (span === undefined) return;
    work(span);
    trace.write(span);
  };

  const announce = (run: StoredRun) => {
    if (closed) return;
    for (const waiter of waiters.get(run.friendlyId) ?? []) waiter.resolve(run);
    waiters.delete(run.friendlyId);
    onRunSettled?.(run);
  };

  return {
    add: (run) =>
      atomically(db, () => {
        runs.insert(run);
        trace.write(rootSpan(run));
        trace.flush();
      }),

    change,

    beginAttempt: (run) => {
      if (closed) return run;
      const at = now();
      // The span of a run that had to wait its turn begins with its work, not with its wait.
      if (run.startedAt === undefined) changeRoot(run, (span) => Object.assign(span, { startTime: at }));
      return change(run, {
        status: "EXECUTING",
        attemptCount: run.attemptCount + 1,
        startedAt: run.startedAt ?? Math.floor(at),
      });
    },

    end: (run, ending) => {
      if (closed || hasEnded(run)) return run;
      const at = now();
      changeRoot(run, (span) => closeRoot(span, at, ending));
      const ended = change(run, { ...outcome(ending), completedAt: Math.floor(at) });
      queueMicrotask(() => announce(ended));
      return ended;
    },

    settled: (friendlyId) => {
      const run = runs.byFriendlyId(friendlyId);
      if (run !== undefined && hasEnded(run)) return Promise.resolve(run);
      const end = new Promise<StoredRun>((resolve, reject) => {
        waiters.set(friendlyId, [...(waiters.get(friendlyId) ?? []), { resolve, reject }]);
      });
      // Whoever no longer listens when the engine closes must not bring the process down.
      end.catch(() => {});
      return end;
    },

    close: () => {
      closed = true;
      for (const waiter of [...waiters.values()].flat()) waiter.reject(new Error("The engine was closed."));
      waiters.clear();
    },
  };

  function outcome(ending: Ending): Partial<StoredRun> {
    switch (ending.kind) {
      case "completed":
        return {
          status: "COMPLETED_SUCCESSFULLY",
          ...(ending.output !== undefined && { output: ending.output }),
        };
      case "failed":
        return {
          status: statusAfter(ending.error),
          error: ending.error,
          errorId: errorIdOf(ending.error),
        };
      case "cancelled":
        return { status: "CANCELED" };
      case "expired":
        return { status: "EXPIRED", error: ending.error, expiredAt: milliseconds() };
    }
  }
}

function closeRoot(span: StoredSpan, at: number, ending: Ending): void {
  if (ending.kind === "completed") closeSpan(span, at);
  else if (ending.kind === "cancelled") cancelSpan(span, at, ending.reason);
  else failSpan(span, at, ending.error);
}
