/** The caller's own idempotency key of a run, the key it is debounced by, and requests for batches already answered. Times are Unix milliseconds. */
export const up = `
  ALTER TABLE runs ADD COLUMN idempotency_key_options TEXT;
  ALTER TABLE runs ADD COLUMN debounce_key TEXT;
  CREATE INDEX runs_debounced ON runs (environment_id, task, debounce_key)
    WHERE debounce_key IS NOT NULL AND status = 'DELAYED';

  CREATE TABLE batch_requests (
    environment_id TEXT NOT NULL,
    key TEXT NOT NULL,
    batch_id TEXT NOT NULL REFERENCES batches (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (environment_id, key)
  ) WITHOUT ROWID;
`;
