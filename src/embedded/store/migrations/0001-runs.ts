/** Environments and their keys; runs, their tags and their spans. Times are Unix milliseconds, JSON is text. */
export const up = `
CREATE TABLE environments (
  id TEXT PRIMARY KEY,
  slug TEXT NOT NULL,
  type TEXT NOT NULL,
  root_key TEXT NOT NULL,
  project_id TEXT NOT NULL,
  project_ref TEXT NOT NULL,
  parent_id TEXT REFERENCES environments (id),
  branch TEXT
);
CREATE UNIQUE INDEX environments_root_key ON environments (root_key) WHERE parent_id IS NULL;
CREATE UNIQUE INDEX environments_branch ON environments (parent_id, branch) WHERE parent_id IS NOT NULL;

CREATE TABLE additional_keys (
  key TEXT PRIMARY KEY,
  environment_id TEXT NOT NULL REFERENCES environments (id),
  scopes TEXT NOT NULL
);

CREATE TABLE personal_tokens (
  token TEXT PRIMARY KEY,
  user_id TEXT NOT NULL
);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  friendly_id TEXT NOT NULL UNIQUE,
  environment_id TEXT NOT NULL REFERENCES environments (id),
  task TEXT NOT NULL,
  task_kind TEXT NOT NULL,
  status TEXT NOT NULL,
  payload TEXT,
  payload_type TEXT NOT NULL,
  output TEXT,
  output_type TEXT NOT NULL,
  metadata TEXT,
  metadata_type TEXT NOT NULL,
  tags TEXT NOT NULL,
  queue TEXT NOT NULL,
  concurrency_key TEXT,
  machine TEXT NOT NULL,
  region TEXT,
  version TEXT,
  locked_to_version TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  queued_at INTEGER,
  started_at INTEGER,
  completed_at INTEGER,
  delay_until INTEGER,
  expired_at INTEGER,
  ttl TEXT,
  idempotency_key TEXT,
  idempotency_key_expires_at INTEGER,
  attempt_count INTEGER NOT NULL,
  max_attempts INTEGER,
  max_duration REAL,
  priority REAL NOT NULL,
  is_test INTEGER NOT NULL,
  parent_id TEXT,
  root_id TEXT,
  depth INTEGER NOT NULL,
  batch_id TEXT,
  schedule_id TEXT,
  trigger_function TEXT NOT NULL,
  error TEXT,
  error_id TEXT,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_span_id TEXT,
  usage_duration_ms REAL NOT NULL,
  cost_in_cents REAL NOT NULL,
  base_cost_in_cents REAL NOT NULL,
  session_id TEXT,
  -- When a queued run that has not begun is given up; from its ttl.
  expires_at INTEGER
);
CREATE INDEX runs_newest ON runs (environment_id, created_at, id);
CREATE INDEX runs_by_task ON runs (environment_id, task, created_at, id);
CREATE INDEX runs_by_status ON runs (environment_id, status, created_at, id);
CREATE INDEX runs_by_error ON runs (error_id) WHERE error_id IS NOT NULL;
CREATE INDEX runs_by_batch ON runs (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX runs_by_parent_span ON runs (parent_span_id) WHERE parent_span_id IS NOT NULL;
CREATE INDEX runs_by_idempotency_key ON runs (environment_id, task, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
-- Priority is in seconds: how much earlier than it was the run counts as queued.
CREATE INDEX runs_waiting_in_queue ON runs (queued_at - priority * 1000, id) WHERE status = 'PENDING';
CREATE INDEX runs_expiring ON runs (expires_at) WHERE status = 'PENDING' AND expires_at IS NOT NULL;
CREATE INDEX runs_delayed ON runs (delay_until) WHERE status = 'DELAYED';

CREATE TABLE run_tags (
  tag TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES runs (id),
  PRIMARY KEY (tag, run_id)
) WITHOUT ROWID;

-- Requests already answered: x-trigger-request-idempotency-key.
CREATE TABLE trigger_requests (
  environment_id TEXT NOT NULL,
  task TEXT NOT NULL,
  key TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES runs (id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (environment_id, task, key)
) WITHOUT ROWID;

-- The rowid keeps the order of creation among spans that start at the same moment.
CREATE TABLE spans (
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_id TEXT,
  run_id TEXT NOT NULL,
  message TEXT NOT NULL,
  kind TEXT NOT NULL,
  level TEXT NOT NULL,
  start_time REAL NOT NULL,
  duration REAL NOT NULL,
  is_error INTEGER NOT NULL,
  is_partial INTEGER NOT NULL,
  is_cancelled INTEGER NOT NULL,
  attempt INTEGER,
  properties TEXT NOT NULL,
  events TEXT NOT NULL,
  style TEXT NOT NULL,
  entity_type TEXT
);
CREATE UNIQUE INDEX spans_by_id ON spans (trace_id, span_id);
CREATE INDEX spans_of_run ON spans (run_id, start_time);
CREATE INDEX spans_open ON spans (run_id) WHERE is_partial = 1;
`;
