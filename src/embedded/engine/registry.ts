/** The tasks this worker knows and what their definitions say. */
import type { StoredRun, TaskDefinition } from "./types.ts";

/** Version of the embedded worker; what runs executed here are shown with. */
export const WORKER_VERSION = "20261121.1";

/** At most this many runs of the whole worker execute at once. */
export const WORKER_CONCURRENCY = 25;

const DEFAULT_RETRY = { maxAttempts: 3, minTimeoutMs: 1000, factor: 2 };
const MAX_BACKOFF_MS = 60_000;

export interface TaskRegistry {
  find(taskId: string): TaskDefinition | undefined;
  /** The definition when this worker can execute the run; runs locked to another version wait for it. */
  executorOf(run: Pick<StoredRun, "task" | "lockedToVersion">): TaskDefinition | undefined;
  /** How many runs of a queue may execute at once; infinite unless a task defines it. */
  queueLimit(queue: string): number;
}

export function createRegistry(tasks: TaskDefinition[]): TaskRegistry {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const limits = new Map(
    tasks.flatMap(({ queue }) => (queue === undefined ? [] : [[queue.name, queue.concurrencyLimit]])),
  );
  return {
    find: (taskId) => byId.get(taskId),
    executorOf: ({ task, lockedToVersion = WORKER_VERSION }) =>
      lockedToVersion === WORKER_VERSION ? byId.get(task) : undefined,
    queueLimit: (queue) => limits.get(queue) ?? Number.POSITIVE_INFINITY,
  };
}

/** Attempts a run may take in all. A chat agent is not tried again unless it says so: its session starts a fresh run. */
export const maxAttemptsOf = (run: StoredRun, task: TaskDefinition | undefined): number =>
  run.maxAttempts ?? task?.retry?.maxAttempts ?? (task?.kind === "AGENT" ? 1 : DEFAULT_RETRY.maxAttempts);

/** Milliseconds to wait after the given failed attempt. */
export function backoffAfter(attempt: number, task: TaskDefinition): number {
  const { minTimeoutMs, factor } = task.retry ?? DEFAULT_RETRY;
  return Math.min(MAX_BACKOFF_MS, minTimeoutMs * factor ** (attempt - 1));
}
