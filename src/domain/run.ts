/** Runs as the API tells them, contract api.md 1.1 and 1.2. Times are Unix milliseconds, durations milliseconds. */

export interface RunSummary {
  id: string;
  task: string;
  /** Usually a {@link RunStatus}; a server may know more, so readers must tolerate any string. */
  status: string;
  version?: string;
  createdAt: number;
  updatedAt: number;
  startedAt?: number;
  finishedAt?: number;
  delayedUntil?: number;
  expiredAt?: number;
  ttl?: string;
  isTest: boolean;
  tags: string[];
  idempotencyKey?: string;
  costInCents: number;
  baseCostInCents: number;
  /** Billed execution time; not the wall time from start to finish. */
  durationMs: number;
  depth: number;
  metadata?: Record<string, unknown>;
  taskKind?: string;
  region?: string;
  env?: { id: string; name: string; user?: string };
  batchId?: string;
  triggerFunction?: string;
}

export interface RunFailure {
  message: string;
  name?: string;
  stackTrace?: string;
}

export interface Run extends RunSummary {
  /** Absent when the task was given nothing; `null`, `0`, `false` and `""` are real payloads. */
  payload?: unknown;
  output?: unknown;
  /** Credential-bearing links, valid 300 s: never shown to a caller. */
  payloadPresignedUrl?: string;
  outputPresignedUrl?: string;
  error?: RunFailure;
  attemptCount: number;
  schedule?: {
    id: string;
    externalId?: string;
    deduplicationKey?: string;
    cron?: string;
    description?: string;
  };
  root?: RunSummary;
  parent?: RunSummary;
  children: RunSummary[];
}

export interface RunListQuery {
  status?: string[];
  task?: string[];
  tag?: string[];
  version?: string[];
  queue?: string[];
  schedule?: string;
  batch?: string;
  bulkAction?: string;
  error?: string;
  machine?: string[];
  region?: string[];
  isTest?: boolean;
  /** A duration such as `1h` or `7d`. Without any of period/from/to the server looks at the last 7 days only. */
  period?: string;
  from?: number;
  to?: number;
  /** 1 to 100. */
  limit?: number;
  after?: string;
  before?: string;
}

export interface Page<T> {
  items: T[];
  /** Older page; absent at the end. A short page proves nothing. */
  next?: string;
  previous?: string;
}

export interface TriggerOptions {
  payload?: unknown;
  tags?: string[];
  queue?: string;
  concurrencyKey?: string;
  delay?: string;
  ttl?: string;
  idempotencyKey?: string;
  idempotencyKeyTTL?: string;
  machine?: string;
  maxAttempts?: number;
  maxDuration?: number;
  metadata?: Record<string, unknown>;
  priority?: number;
  region?: string;
  version?: string;
  test?: boolean;
}

export type MetadataOperation =
  | { type: "set"; key: string; value: unknown }
  | { type: "delete"; key: string }
  | { type: "append"; key: string; value: unknown }
  | { type: "remove"; key: string; value: unknown }
  | { type: "increment"; key: string; value: number };

/** The outcome as `/result` tells it, contract api.md 1.6. */
export type RunResult =
  | { ok: true; id: string; task: string; output?: unknown }
  | {
      ok: false;
      id: string;
      task: string;
      error: {
        type: string;
        name?: string;
        message?: string;
        code?: string;
        stackTrace?: string;
        raw?: string;
      };
    };
