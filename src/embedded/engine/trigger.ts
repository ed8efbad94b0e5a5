/** From a trigger request to a stored run, contract api.md 2.4, 2.5 and 2.6. */
import type { Db } from "../store/db.ts";
import type { RunStore } from "../store/runs.ts";
import { atomically } from "../store/transaction.ts";
import type { Clock } from "./clock.ts";
import { parseTtl } from "./duration.ts";
import { cuid, newSpanId, newTraceId } from "./ids.ts";
import type { Ledger } from "./ledger.ts";
import type { TaskRegistry } from "./registry.ts";
import { EngineRefusal, type Environment, type StoredRun, type TriggerRequest } from "./types.ts";
import { BASE_COST_IN_CENTS, DEFAULT_MACHINE } from "./usage.ts";

const MAX_TAGS = 10;
const DEFAULT_REGION = "local";
const IDEMPOTENCY_KEY_TTL_MS = 30 * 86_400_000;
const REQUEST_KEY_TTL_MS = 86_400_000;

export interface TriggerDeps {
  db: Db;
  runs: RunStore;
  ledger: Ledger;
  registry: TaskRegistry;
  now: Clock;
  /** A run may be able to begin. */
  wake(): void;
}

export interface Triggers {
  trigger(environment: Environment, request: TriggerRequest): { run: StoredRun; isCached: boolean };
  replay(environment: Environment, run: StoredRun, overrides: Partial<TriggerRequest>): StoredRun;
  reschedule(run: StoredRun, delayUntil: number): StoredRun;
  /** Puts a run into its queue; from here its time to live counts. */
  enqueue(run: StoredRun): StoredRun;
}

export function createTriggers({ db, runs, ledger, registry, now, wake }: TriggerDeps): Triggers {
  const trigger: Triggers["trigger"] = (environment, request) =>
    atomically(db, () => {
      const at = Math.floor(now());
      const known = earlier(environment, request, at);
      if (known !== undefined) return known;
      refuseTooManyTags(request.tags ?? []);
      const held = pushBack(environment, request, at);
      if (held !== undefined) return { run: held, isCached: false };
      const run = newRun(environment, request, registry, at);
      ledger.add(run);
      if (request.requestKey !== undefined) runs.rememberRequest(run, request.requestKey, at);
      return { run: run.status === "DELAYED" ? later(run) : enqueue(run), isCached: false };
    });

  /** The run that has already answered this request, or answers for its idempotency key. */
  const earlier = ({ id }: Environment, { task, requestKey, idempotencyKey }: TriggerRequest, at: number) => {
    if (requestKey !== undefined) {
      runs.forgetRequests(at - REQUEST_KEY_TTL_MS);
      const run = runs.byRequest(id, task, requestKey, at - REQUEST_KEY_TTL_MS);
      if (run !== undefined) return { run, isCached: false };
    }
    if (idempotencyKey === undefined) return undefined;
    const run = runs.byIdempotencyKey(id, task, idempotencyKey, at);
    return run && { run, isCached: true };
  };

  /** The delayed run this trigger only postpones, perhaps with the trigger's data. */
  const pushBack = ({ id }: Environment, request: TriggerRequest, at: number): StoredRun | undefined => {
    const { task, debounce } = request;
    const run = debounce && runs.debounced(id, task, debounce.key);
    if (debounce === undefined || run === undefined) return undefined;
    const delayUntil = at + debounce.delayMs;
    if (delayUntil > run.createdAt + (debounce.maxDelayMs ?? Number.POSITIVE_INFINITY)) return undefined;
    if (!debounce.trailing) return later(ledger.change(run, { delayUntil }));
    const { payload, metadata, maxAttempts, maxDuration, machine, tags } = request;
    if (tags !== undefined) runs.setTags(run.id, tags);
    const data = present({ payload, metadata, maxAttempts, maxDuration, machine });
    return later(ledger.change(run, { ...data, delayUntil }));
  };

  const later = (run: StoredRun) => {
    wake();
    return run;
  };

  const enqueue = (run: StoredRun): StoredRun => {
    if (registry.executorOf(run) === undefined) return ledger.change(run, { status: "PENDING_VERSION" });
    const at = Math.floor(now());
    const ttl = run.ttl === undefined ? undefined : parseTtl(run.ttl);
    // Only a run that has never begun expires.
    runs.setExpiry(run.id, ttl === undefined || run.startedAt !== undefined ? undefined : at + ttl);
    wake();
    return ledger.change(run, { status: "PENDING", queuedAt: at });
  };

  return {
    trigger,
    enqueue,

    replay: (environment, run, overrides) => trigger(environment, { ...copyOf(run), ...overrides }).run,

    reschedule: (run, delayUntil) => {
      const current = runs.byInternalId(run.id);
      if (current?.status !== "DELAYED") {
        throw new EngineRefusal(400, "Cannot reschedule a run that is not delayed");
      }
      return later(ledger.change(current, { delayUntil: Math.floor(delayUntil) }));
    },
  };
}

function refuseTooManyTags(tags: string[]): void {
  if (tags.length <= MAX_TAGS) return;
  throw new EngineRefusal(422, `Runs can only have ${MAX_TAGS} tags, you're trying to set ${tags.length}.`);
}

/** What a replay keeps; the copy is a root run of its own with neither idempotency key nor delay. */
const copyOf = (run: StoredRun): TriggerRequest => ({
  task: run.task,
  payloadType: run.payloadType,
  tags: run.tags,
  queue: run.queue,
  machine: run.machine,
  isTest: run.isTest,
  ...(run.payload !== undefined && { payload: run.payload }),
  ...(run.concurrencyKey !== undefined && { concurrencyKey: run.concurrencyKey }),
  ...(run.metadata !== undefined && { metadata: run.metadata }),
});

function newRun(
  environment: Environment,
  request: TriggerRequest,
  registry: TaskRegistry,
  at: number,
): StoredRun {
  const id = cuid();
  const task = registry.find(request.task);
  const { parent } = request;
  const delayUntil = request.debounce ? at + request.debounce.delayMs : request.delayUntil;
  const delayed = delayUntil !== undefined && delayUntil > at;
  const optional = present({
    payload: request.payload,
    metadata: request.metadata,
    concurrencyKey: request.concurrencyKey,
    lockedToVersion: request.lockToVersion,
    delayUntil,
    debounceKey: request.debounce?.key,
    ttl: request.ttl,
    idempotencyKey: request.idempotencyKey,
    idempotencyKeyOptions: request.idempotencyKey === undefined ? undefined : request.idempotencyKeyOptions,
    idempotencyKeyExpiresAt:
      request.idempotencyKey === undefined
        ? undefined
        : at + (request.idempotencyKeyTtlMs ?? IDEMPOTENCY_KEY_TTL_MS),
    maxAttempts: request.maxAttempts,
    maxDuration: request.maxDuration ?? task?.maxDuration,
    batchId: request.batchId,
    sessionId: request.sessionId,
    parentId: parent?.id,
    rootId: parent && (parent.rootId ?? parent.id),
    parentSpanId: parent && (request.parentSpanId ?? parent.spanId),
  });
  return {
    id,
    friendlyId: `run_${id}`,
    environmentId: environment.id,
    task: request.task,
    taskKind: task?.kind ?? "STANDARD",
    status: delayed ? "DELAYED" : "PENDING",
    payloadType: request.payloadType ?? "application/json",
    outputType: "application/json",
    metadataType: "application/json",
    tags: [...new Set(request.tags)],
    queue: request.queue ?? task?.queue?.name ?? `task/${request.task}`,
    machine: request.machine ?? task?.machine ?? DEFAULT_MACHINE,
    region: request.region ?? DEFAULT_REGION,
    createdAt: at,
    updatedAt: at,
    attemptCount: 0,
    priority: request.priority ?? 0,
    isTest: request.isTest ?? false,
    depth: parent === undefined ? 0 : parent.depth + 1,
    triggerFunction: request.triggerFunction ?? "trigger",
    traceId: parent?.traceId ?? newTraceId(),
    spanId: newSpanId(),
    usageDurationMs: 0,
    costInCents: 0,
    baseCostInCents: BASE_COST_IN_CENTS,
    ...optional,
  };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The same record without its undefined values. */
const present = <T extends object>(record: T): Present<T> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Present<T>;
