/** Batches and which of their items have become runs, contract api.md 2.7. */
import type { Db } from "./db.ts";

export interface StoredBatch {
  /** `batch_…`. */
  id: string;
  environmentId: string;
  runCount: number;
  idempotencyKey?: string;
  /** Friendly id of the run that triggered the batch. */
  parentRunId?: string;
  resumeParent: boolean;
}

export interface Batches {
  create(batch: StoredBatch): void;
  find(environmentId: string, id: string): StoredBatch | undefined;
  byIdempotencyKey(environmentId: string, key: string): StoredBatch | undefined;
  /** The batch a request with this key was answered with; undefined before `since`, Unix milliseconds. */
  byRequest(environmentId: string, key: string, since: number): StoredBatch | undefined;
  rememberRequest(batch: StoredBatch, key: string, at: number): void;
  hasItem(batchId: string, position: number): boolean;
  addItem(batchId: string, position: number, runId: string): void;
  countItems(batchId: string): number;
}

interface Row {
  id: string;
  environment_id: string;
  run_count: number;
  idempotency_key: string | null;
  parent_run_id: string | null;
  resume_parent: number;
}

export function createBatches(db: Db): Batches {
  const insert = db.prepare(
    "INSERT INTO batches (id, environment_id, run_count, idempotency_key, parent_run_id, resume_parent, created_at) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const byId = db.prepare("SELECT * FROM batches WHERE environment_id = ? AND id = ?");
  const byKey = db.prepare("SELECT * FROM batches WHERE environment_id = ? AND idempotency_key = ?");
  const byRequest = db.prepare(
    "SELECT batches.* FROM batches JOIN batch_requests ON batch_requests.batch_id = batches.id " +
      "WHERE batch_requests.environment_id = ? AND batch_requests.key = ? AND batch_requests.created_at > ?",
  );
  const remember = db.prepare(
    "INSERT OR REPLACE INTO batch_requests (environment_id, key, batch_id, created_at) VALUES (?, ?, ?, ?)",
  );
  const item = db.prepare("SELECT 1 FROM batch_items WHERE batch_id = ? AND position = ?");
  const insertItem = db.prepare("INSERT INTO batch_items (batch_id, position, run_id) VALUES (?, ?, ?)");
  const count = db.prepare("SELECT COUNT(*) AS count FROM batch_items WHERE batch_id = ?");

  return {
    create: ({ id, environmentId, runCount, idempotencyKey, parentRunId, resumeParent }) => {
      const nulls = [idempotencyKey ?? null, parentRunId ?? null];
      insert.run(id, environmentId, runCount, ...nulls, resumeParent ? 1 : 0, Date.now());
    },
    find: (environmentId, id) => fromRow(byId.get(environmentId, id)),
    byIdempotencyKey: (environmentId, key) => fromRow(byKey.get(environmentId, key)),
    byRequest: (environmentId, key, since) => fromRow(byRequest.get(environmentId, key, since)),
    rememberRequest: ({ id, environmentId }, key, at) => void remember.run(environmentId, key, id, at),
    hasItem: (batchId, position) => item.get(batchId, position) !== undefined,
    addItem: (batchId, position, runId) => void insertItem.run(batchId, position, runId),
    countItems: (batchId) => (count.get(batchId) as { count: number }).count,
  };
}

function fromRow(found: unknown): StoredBatch | undefined {
  if (found === undefined) return undefined;
  const row = found as Row;
  return {
    id: row.id,
    environmentId: row.environment_id,
    runCount: row.run_count,
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
    ...(row.parent_run_id === null ? {} : { parentRunId: row.parent_run_id }),
    resumeParent: row.resume_parent === 1,
  };
}
