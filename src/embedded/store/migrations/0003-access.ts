/** The installation itself, one-time tokens already used, batches, and objects behind presigned URLs. Times are Unix milliseconds. */
export const up = `
  CREATE TABLE instance (facts TEXT NOT NULL);
  CREATE TABLE used_tokens (
    digest TEXT PRIMARY KEY,
    used_at INTEGER NOT NULL
  );
  CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL,
    run_count INTEGER NOT NULL,
    idempotency_key TEXT,
    parent_run_id TEXT,
    resume_parent INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (environment_id, idempotency_key)
  );
  CREATE TABLE batch_items (
    batch_id TEXT NOT NULL REFERENCES batches (id),
    position INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (batch_id, position)
  );
  CREATE TABLE objects (
    path TEXT PRIMARY KEY,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL,
    stored_at INTEGER NOT NULL
  );
`;
