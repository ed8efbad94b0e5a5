/** Runs in SQLite. Only moves rows: which change is allowed when is the engine's business. */
import type { StoredRun, StoredStatus } from "../engine/types.ts";
import { type Columns, createCodec, type Row, type SqlValue } from "./columns.ts";
import type { Db } from "./db.ts";
import { createRunListing, type RunListing } from "./run-listing.ts";
import { atomically } from "./transaction.ts";

const COLUMNS: Columns<StoredRun> = {
  id: "plain",
  friendlyId: "plain",
  environmentId: "plain",
  task: "plain",
  taskKind: "plain",
  status: "plain",
  payload: "plain",
  payloadType: "plain",
  output: "plain",
  outputType: "plain",
  metadata: "plain",
  metadataType: "plain",
  tags: "json",
  queue: "plain",
  concurrencyKey: "plain",
  machine: "plain",
  region: "plain",
  version: "plain",
  lockedToVersion: "plain",
  createdAt: "plain",
  updatedAt: "plain",
  queuedAt: "plain",
  startedAt: "plain",
  completedAt: "plain",
  delayUntil: "plain",
  debounceKey: "plain",
  expiredAt: "plain",
  ttl: "plain",
  idempotencyKey: "plain",
  idempotencyKeyOptions: "json",
  idempotencyKeyExpiresAt: "plain",
  attemptCount: "plain",
  maxAttempts: "plain",
  maxDuration: "plain",
  priority: "plain",
  isTest: "flag",
  parentId: "plain",
  rootId: "plain",
  depth: "plain",
  batchId: "plain",
  scheduleId: "plain",
  triggerFunction: "plain",
  error: "json",
  errorId: "plain",
  traceId: "plain",
  spanId: "plain",
  parentSpanId: "plain",
  usageDurationMs: "plain",
  costInCents: "plain",
  baseCostInCents: "plain",
  sessionId: "plain",
};

/** Which queue's room a run takes: each concurrency key has its own copy of the queue. */
export interface QueueSlot {
  environmentId: string;
  queue: string;
  concurrencyKey?: string;
}

export interface RunStore extends RunListing {
  insert(run: StoredRun): void;
  /** Writes the keys that are present and answers the run as it is then stored. */
  patch(id: string, changes: Partial<StoredRun>): StoredRun;
  setTags(id: string, tags: string[]): StoredRun;
  /** When a queued run is given up; undefined for never. */
  setExpiry(id: string, at: number | undefined): void;
  find(environmentId: string, friendlyId: string): StoredRun | undefined;
  byInternalId(id: string): StoredRun | undefined;
  byFriendlyId(friendlyId: string): StoredRun | undefined;
  children(id: string): StoredRun[];
  triggeredBy(traceId: string, spanId: string, limit: number): StoredRun[];
  withStatus(statuses: StoredStatus[]): StoredRun[];
  /** The run whose turn it is, queues without room left out. */
  nextQueued(full: QueueSlot[]): StoredRun | undefined;
  delayedUntil(now: number): StoredRun[];
  expiredBy(now: number): StoredRun[];
  /** The next moment at which a delay or a time to live runs out. */
  nextDue(): number | undefined;
  /** The newest delayed run with this debounce key. */
  debounced(environmentId: string, task: string, key: string): StoredRun | undefined;
  /** The newest run that still answers for this idempotency key. */
  byIdempotencyKey(environmentId: string, task: string, key: string, now: number): StoredRun | undefined;
  rememberRequest(run: StoredRun, key: string, now: number): void;
  byRequest(environmentId: string, task: string, key: string, since: number): StoredRun | undefined;
  forgetRequests(before: number): void;
}

/** The text under which {@link QueueSlot}s are compared, here and in the query. */
export const slotKey = (slot: QueueSlot): string =>
  JSON.stringify([slot.environmentId, slot.queue, slot.concurrencyKey ?? null]);

const SLOT_KEY_SQL = "json_array(environment_id, queue, concurrency_key)";

export function createRunStore(db: Db): RunStore {
  const codec = createCodec(COLUMNS);
  const select = `SELECT ${codec.names} FROM runs`;
  const insert = db.prepare(`INSERT INTO runs (${codec.names}) VALUES (${codec.placeholders})`);
  const byInternalId = db.prepare(`${select} WHERE id = ?`);
  const byFriendlyId = db.prepare(`${select} WHERE friendly_id = ?`);
  const children = db.prepare(`${select} WHERE parent_id = ? ORDER BY created_at, id`);
  const triggeredBy = db.prepare(
    `${select} WHERE parent_span_id = ? AND trace_id = ? ORDER BY created_at, id LIMIT ?`,
  );
  const withStatus = db.prepare(
    `${select} WHERE status IN (SELECT value FROM json_each(?)) ORDER BY created_at, id`,
  );
  const debounced = db.prepare(
    `${select} WHERE environment_id = ? AND task = ? AND debounce_key = ? AND status = 'DELAYED'
     ORDER BY created_at DESC, id DESC LIMIT 1`,
  );
  const nextQueued = db.prepare(
    `${select} WHERE status = 'PENDING' AND ${SLOT_KEY_SQL} NOT IN (SELECT value FROM json_each(?))
     ORDER BY queued_at - priority * 1000, id LIMIT 1`,
  );
  const delayed = db.prepare(`${select} WHERE status = 'DELAYED' AND delay_until <= ? ORDER BY delay_until`);
  const expired = db.prepare(`${select} WHERE status = 'PENDING' AND expires_at <= ? ORDER BY expires_at`);
  const nextDue = db.prepare(
    `SELECT min(at) AS at FROM (SELECT min(delay_until) AS at FROM runs WHERE status = 'DELAYED'
     UNION ALL SELECT min(expires_at) FROM runs WHERE status = 'PENDING' AND expires_at IS NOT NULL)`,
  );
  const setExpiry = db.prepare("UPDATE runs SET expires_at = ? WHERE id = ?");
  const byIdempotencyKey = db.prepare(
    `${select} WHERE environment_id = ? AND task = ? AND idempotency_key = ?
     AND idempotency_key_expires_at > ? ORDER BY created_at DESC, id DESC LIMIT 1`,
  );
  const remember = db.prepare(
    `INSERT INTO trigger_requests (environment_id, task, key, run_id, created_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET run_id = excluded.run_id, created_at = excluded.created_at`,
  );
  const byRequest = db.prepare(
    `${select} WHERE id = (SELECT run_id FROM trigger_requests
     WHERE environment_id = ? AND task = ? AND key = ? AND created_at > ?)`,
  );
  const forget = db.prepare("DELETE FROM trigger_requests WHERE created_at <= ?");
  const insertTag = db.prepare("INSERT OR IGNORE INTO run_tags (tag, run_id) VALUES (?, ?)");
  const removeTags = db.prepare("DELETE FROM run_tags WHERE run_id = ?");
  const patchStatements = createPatches(db);

  const one = (row: unknown) => (row === undefined ? undefined : codec.fromRow(row as Row));
  const many = (rows: unknown[]) => (rows as Row[]).map(codec.fromRow);

  const patch = (id: string, changes: Partial<StoredRun>): StoredRun => {
    patchStatements(id, codec.toPatch(changes));
    return codec.fromRow(byInternalId.get(id) as Row);
  };

  return {
    ...createRunListing(db, codec),
    insert: (run) =>
      atomically(db, () => {
        insert.run(codec.toRow(run));
        for (const tag of run.tags) insertTag.run(tag, run.id);
      }),
    patch,
    setTags: (id, tags) =>
      atomically(db, () => {
        removeTags.run(id);
        for (const tag of tags) insertTag.run(tag, id);
        return patch(id, { tags });
      }),
    setExpiry: (id, at) => void setExpiry.run(at ?? null, id),
    find: (environmentId, friendlyId) => {
      const run = one(byFriendlyId.get(friendlyId));
      return run?.environmentId === environmentId ? run : undefined;
    },
    byInternalId: (id) => one(byInternalId.get(id)),
    byFriendlyId: (friendlyId) => one(byFriendlyId.get(friendlyId)),
    children: (id) => many(children.all(id)),
    triggeredBy: (traceId, spanId, limit) => many(triggeredBy.all(spanId, traceId, limit)),
    withStatus: (statuses) => many(withStatus.all(JSON.stringify(statuses))),
    nextQueued: (full) => one(nextQueued.get(JSON.stringify(full.map(slotKey)))),
    delayedUntil: (now) => many(delayed.all(now)),
    expiredBy: (now) => many(expired.all(now)),
    nextDue: () => (nextDue.get() as { at: number | null }).at ?? undefined,
    debounced: (environmentId, task, key) => one(debounced.get(environmentId, task, key)),
    byIdempotencyKey: (environmentId, task, key, now) =>
      one(byIdempotencyKey.get(environmentId, task, key, now)),
    rememberRequest: (run, key, now) => void remember.run(run.environmentId, run.task, key, run.id, now),
    byRequest: (environmentId, task, key, since) => one(byRequest.get(environmentId, task, key, since)),
    forgetRequests: (before) => void forget.run(before),
  };
}

/** UPDATE statements by the set of columns they write: the engine uses a handful of them over and over. */
function createPatches(db: Db): (id: string, row: Record<string, SqlValue>) => void {
  const statements = new Map<string, ReturnType<Db["prepare"]>>();
  return (id, row) => {
    const columns = Object.keys(row);
    if (columns.length === 0) return;
    const assignments = columns.map((column) => `${column} = @${column}`).join(", ");
    let statement = statements.get(assignments);
    if (statement === undefined) {
      statement = db.prepare(`UPDATE runs SET ${assignments} WHERE id = @id`);
      statements.set(assignments, statement);
    }
    statement.run({ ...row, id });
  };
}
