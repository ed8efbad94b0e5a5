/** Where a run's time went, as far as the run object tells (contract api.md 1.1). Milliseconds. */
import type { RunSummary } from "../domain/run.ts";

/** From when it could have started to when it did; a delay somebody asked for is no queueing. */
export function queuedMs(run: RunSummary): number | undefined {
  if (run.startedAt === undefined) return undefined;
  const ready = Math.max(run.createdAt, run.delayedUntil ?? run.createdAt);
  return Math.max(0, run.startedAt - ready);
}

/** Start to finish, waits and back-offs included; `undefined` before it has ended. */
export const wallMs = (run: RunSummary): number | undefined =>
  run.startedAt === undefined || run.finishedAt === undefined
    ? undefined
    : Math.max(0, run.finishedAt - run.startedAt);

/** The part of its wall time in which it was not executing: waits, retries' back-offs, being restored. */
export function waitingMs(run: RunSummary): number | undefined {
  const wall = wallMs(run);
  return wall === undefined ? undefined : Math.max(0, wall - run.durationMs);
}
