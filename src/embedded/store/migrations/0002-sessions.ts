/** Sessions and their channels. Times are Unix milliseconds. */
export const up = `
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  environment_id TEXT NOT NULL,
  external_id TEXT,
  type TEXT NOT NULL,
  task TEXT NOT NULL,
  trigger_config TEXT NOT NULL,
  current_run_id TEXT,
  left_run_id TEXT,
  tags TEXT NOT NULL,
  metadata TEXT,
  closed_at INTEGER,
  closed_reason TEXT,
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX sessions_external ON sessions (environment_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX sessions_page ON sessions (environment_id, id);

CREATE TABLE channels (
  id INTEGER PRIMARY KEY,
  environment_id TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  io TEXT NOT NULL,
  next_seq INTEGER NOT NULL DEFAULT 0,
  last_timestamp INTEGER NOT NULL DEFAULT 0,
  UNIQUE (environment_id, key, name, io)
);

CREATE TABLE channel_records (
  channel_id INTEGER NOT NULL REFERENCES channels (id),
  seq INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  size INTEGER NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (channel_id, seq)
);

CREATE TABLE channel_parts (
  channel_id INTEGER NOT NULL REFERENCES channels (id),
  part_id TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (channel_id, part_id)
) WITHOUT ROWID;
CREATE INDEX channel_parts_age ON channel_parts (channel_id, seen_at);

CREATE TABLE channel_trims (
  channel_id INTEGER NOT NULL REFERENCES channels (id),
  due INTEGER NOT NULL,
  floor INTEGER NOT NULL
);
CREATE INDEX channel_trims_due ON channel_trims (channel_id, due);
`;
