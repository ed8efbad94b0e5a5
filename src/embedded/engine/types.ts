/**
 * What the embedded API stores and what its engine can do with it. Routes turn requests into these calls and these
 * rows into the contract's JSON; the store turns rows into SQL; neither knows the other. Times are Unix milliseconds.
 */

export type EnvironmentType = "DEVELOPMENT" | "STAGING" | "PRODUCTION" | "PREVIEW";

export interface Environment {
  id: string;
  slug: "dev" | "stg" | "prod" | "preview";
  type: EnvironmentType;
  /** Signs public tokens; for a branch, the parent's (auth.md 2). */
  rootKey: string;
  projectId: string;
  projectRef: string;
  parentId?: string;
  branch?: string;
}

/** First column of the table in contract api.md 0.5. */
export type StoredStatus =
  | "DELAYED"
  | "PENDING_VERSION"
  | "PENDING"
  | "DEQUEUED"
  | "EXECUTING"
  | "RETRYING_AFTER_FAILURE"
  | "WAITING_TO_RESUME"
  | "COMPLETED_SUCCESSFULLY"
  | "COMPLETED_WITH_ERRORS"
  | "CANCELED"
  | "CRASHED"
  | "SYSTEM_FAILURE"
  | "EXPIRED"
  | "TIMED_OUT";

/** `error` of a run as stored, contract api.md 1.6. */
export type StoredError =
  | { type: "BUILT_IN_ERROR"; name: string; message: string; stackTrace: string }
  | { type: "CUSTOM_ERROR"; raw: string }
  | { type: "STRING_ERROR"; raw: string }
  | { type: "INTERNAL_ERROR"; code: string; message?: string; stackTrace?: string };

export interface IdempotencyKeyOptions {
  key: string;
  scope: "run" | "attempt" | "global";
}

export interface StoredRun {
  /** Internal cuid-like id; sorts by creation within a process. */
  id: string;
  /** `run_` + body. */
  friendlyId: string;
  environmentId: string;
  task: string;
  taskKind: "STANDARD" | "SCHEDULED" | "AGENT";
  status: StoredStatus;
  /** JSON text as sent; absent when the task was given nothing. */
  payload?: string;
  payloadType: string;
  output?: string;
  outputType: string;
  /** JSON text of the metadata object. */
  metadata?: string;
  metadataType: string;
  tags: string[];
  queue: string;
  concurrencyKey?: string;
  machine: string;
  region?: string;
  version?: string;
  lockedToVersion?: string;
  createdAt: number;
  updatedAt: number;
  queuedAt?: number;
  startedAt?: number;
  completedAt?: number;
  delayUntil?: number;
  /** While the run is delayed, triggers with this key push it back. */
  debounceKey?: string;
  expiredAt?: number;
  ttl?: string;
  /** As it was sent: clients hash the caller's own key first. */
  idempotencyKey?: string;
  /** The caller's own key, for showing. */
  idempotencyKeyOptions?: IdempotencyKeyOptions;
  idempotencyKeyExpiresAt?: number;
  attemptCount: number;
  maxAttempts?: number;
  /** Seconds. */
  maxDuration?: number;
  priority: number;
  isTest: boolean;
  parentId?: string;
  rootId?: string;
  depth: number;
  batchId?: string;
  scheduleId?: string;
  triggerFunction: "trigger" | "triggerAndWait" | "batchTrigger" | "batchTriggerAndWait";
  error?: StoredError;
  /** `error_<fingerprint>` of the failure, for `filter[error]`. */
  errorId?: string;
  traceId: string;
  /** The run's own root span, and in a parent's trace the span it hangs under. */
  spanId: string;
  parentSpanId?: string;
  usageDurationMs: number;
  costInCents: number;
  baseCostInCents: number;
  sessionId?: string;
}

export interface StoredSpan {
  traceId: string;
  spanId: string;
  parentId?: string;
  /** Friendly id of the run it belongs to. */
  runId: string;
  message: string;
  kind: "span" | "log";
  level: "TRACE" | "DEBUG" | "LOG" | "INFO" | "WARN" | "ERROR";
  startTime: number;
  /** Milliseconds, fractional; 0 while open. */
  duration: number;
  isError: boolean;
  isPartial: boolean;
  isCancelled: boolean;
  attempt?: number;
  properties: Record<string, unknown>;
  events: { name: string; time: number; properties: Record<string, unknown> }[];
  style: Record<string, unknown>;
  entityType?: string;
}

/** Triggers of a task with the same key become one run, which begins when they have stopped coming. */
export interface Debounce {
  key: string;
  delayMs: number;
  /** The last trigger's data counts instead of the first one's. */
  trailing: boolean;
  /** Counted from the first trigger; past it another run begins. */
  maxDelayMs?: number;
}

export interface TriggerRequest {
  task: string;
  payload?: string;
  payloadType?: string;
  tags?: string[];
  queue?: string;
  concurrencyKey?: string;
  delayUntil?: number;
  debounce?: Debounce;
  ttl?: string;
  idempotencyKey?: string;
  idempotencyKeyOptions?: IdempotencyKeyOptions;
  idempotencyKeyTtlMs?: number;
  machine?: string;
  maxAttempts?: number;
  maxDuration?: number;
  metadata?: string;
  priority?: number;
  region?: string;
  lockToVersion?: string;
  isTest?: boolean;
  batchId?: string;
  triggerFunction?: StoredRun["triggerFunction"];
  parent?: StoredRun;
  /** The parent's span the new run hangs under. */
  parentSpanId?: string;
  sessionId?: string;
  /** `x-trigger-request-idempotency-key`: the same one within 24 h answers the first run again. */
  requestKey?: string;
}

export interface RunFilter {
  statuses?: StoredStatus[];
  tasks?: string[];
  versions?: string[];
  tags?: string[];
  /** The run has all of these. */
  everyTag?: string[];
  schedule?: string;
  errorId?: string;
  batch?: string;
  bulkAction?: string;
  queues?: string[];
  machines?: string[];
  regions?: string[];
  isTest?: boolean;
  from?: number;
  to?: number;
}

export interface RunPageRequest {
  size: number;
  after?: { createdAt: number; id: string };
  before?: { createdAt: number; id: string };
}

/** Read access to runs and their spans. */
export interface RunReads {
  find(environmentId: string, friendlyId: string): StoredRun | undefined;
  byInternalId(id: string): StoredRun | undefined;
  children(run: StoredRun): StoredRun[];
  /** Newest first, whichever way the page is turned. */
  list(
    environmentIds: string[],
    filter: RunFilter,
    page: RunPageRequest,
  ): { rows: StoredRun[]; older: boolean; newer: boolean };
  /** All spans of the run's subtree, descendants of child runs included, at most `limit`, by start time. */
  subtree(run: StoredRun, limit: number): { spans: StoredSpan[]; truncated: boolean };
  /** Spans and logs of this run alone, without DEBUG, by start time. */
  own(run: StoredRun, limit: number): StoredSpan[];
  span(run: StoredRun, spanId: string): StoredSpan | undefined;
  triggeredBy(run: StoredRun, spanId: string, limit: number): StoredRun[];
}

export interface Engine {
  readonly runs: RunReads;
  /** Throws {@link EngineRefusal} (422) for what the API would refuse. */
  trigger(environment: Environment, request: TriggerRequest): { run: StoredRun; isCached: boolean };
  /** Asynchronous for an executing run; no change to one that has ended. */
  cancel(run: StoredRun, reason?: string): void;
  replay(run: StoredRun, overrides: Partial<TriggerRequest>): StoredRun;
  /** Only while DELAYED. */
  reschedule(run: StoredRun, delayUntil: number): StoredRun;
  /** Writes the union; the caller has checked the limit of ten. */
  setTags(run: StoredRun, tags: string[]): void;
  setMetadata(run: StoredRun, metadata: string): void;
  /** Resolves when the run reaches a final status; for tests and the demo. */
  settled(friendlyId: string): Promise<StoredRun>;
  /** Stops the worker and the sweeps, lets go of what executes, keeps what is stored. Can be called twice. */
  close(): Promise<void>;
}

/** The request was understood and refused; `status` is the contract's. */
export class EngineRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Queue of the task's own, or shared; at most `concurrencyLimit` runs of it execute at once. */
export interface QueueDefinition {
  name: string;
  concurrencyLimit: number;
}

export interface TaskDefinition {
  id: string;
  kind?: "STANDARD" | "AGENT";
  queue?: QueueDefinition;
  retry?: { maxAttempts: number; minTimeoutMs: number; factor: number };
  /** Seconds. */
  maxDuration?: number;
  machine?: string;
  run(payload: unknown, context: TaskContext): Promise<unknown>;
}

export interface SpanHandle {
  set(properties: Record<string, unknown>): void;
}

/** What a task can do while it runs. Everything it does shows in the trace. */
export interface TaskContext {
  run: StoredRun;
  environment: Environment;
  attempt: number;
  /** Aborted on cancel, on max duration, and when the server stops. */
  signal: AbortSignal;
  span<T>(
    message: string,
    properties: Record<string, unknown>,
    work: (span: SpanHandle) => Promise<T>,
  ): Promise<T>;
  log(
    level: "DEBUG" | "LOG" | "INFO" | "WARN" | "ERROR",
    message: string,
    properties?: Record<string, unknown>,
  ): void;
  /** A wait the platform knows of: the run is WAITING meanwhile. Milliseconds. */
  wait(durationMs: number): Promise<void>;
  /** A platform wait of unknown length: the run is WAITING until the promise settles or the signal aborts. */
  waitUntil<T>(message: string, until: Promise<T>): Promise<T>;
  /** Waits without a platform wait: the run keeps executing. Milliseconds. */
  work(durationMs: number): Promise<void>;
  triggerAndWait(task: string, payload: unknown): Promise<unknown>;
  batchTriggerAndWait(items: { task: string; payload: unknown }[]): Promise<ChildOutcome[]>;
  setMetadata(key: string, value: unknown): void;
}

export type ChildOutcome =
  | { ok: true; run: StoredRun; output: unknown }
  | { ok: false; run: StoredRun; error: StoredError };
