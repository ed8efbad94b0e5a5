/** Spans and logs in SQLite. */
import type { StoredSpan } from "../engine/types.ts";
import { type Columns, createCodec, type Row } from "./columns.ts";
import type { Db } from "./db.ts";
import { atomically } from "./transaction.ts";

const COLUMNS: Columns<StoredSpan> = {
  traceId: "plain",
  spanId: "plain",
  parentId: "plain",
  runId: "plain",
  message: "plain",
  kind: "plain",
  level: "plain",
  startTime: "plain",
  duration: "plain",
  isError: "flag",
  isPartial: "flag",
  isCancelled: "flag",
  attempt: "plain",
  properties: "json",
  events: "json",
  style: "json",
  entityType: "plain",
};

/** What can change after a span was opened. */
const CHANGING = ["start_time", "duration", "is_error", "is_partial", "is_cancelled", "properties", "events"];

export interface SpanStore {
  /** Inserts or updates all of them in one transaction. */
  write(spans: Iterable<StoredSpan>): void;
  find(traceId: string, spanId: string): StoredSpan | undefined;
  /** Spans of the run and of all runs below it, by start time. */
  subtree(internalRunId: string, limit: number): { spans: StoredSpan[]; truncated: boolean };
  /** Spans and logs of one run, without DEBUG, by start time. */
  own(friendlyRunId: string, limit: number): StoredSpan[];
  open(friendlyRunId: string): StoredSpan[];
  /** When the run last began or ended something; undefined when it has no spans. */
  lastActivity(friendlyRunId: string): number | undefined;
}

export function createSpanStore(db: Db): SpanStore {
  const codec = createCodec(COLUMNS);
  const select = `SELECT ${codec.names} FROM spans`;
  const upsert = db.prepare(
    `INSERT INTO spans (${codec.names}) VALUES (${codec.placeholders}) ON CONFLICT (trace_id, span_id)
     DO UPDATE SET ${CHANGING.map((column) => `${column} = excluded.${column}`).join(", ")}`,
  );
  const find = db.prepare(`${select} WHERE trace_id = ? AND span_id = ?`);
  const subtree = db.prepare(
    `WITH RECURSIVE below (id, friendly_id) AS (
       SELECT id, friendly_id FROM runs WHERE id = ?
       UNION ALL
       SELECT runs.id, runs.friendly_id FROM runs JOIN below ON runs.parent_id = below.id
     )
     ${select} WHERE run_id IN (SELECT friendly_id FROM below) ORDER BY start_time, rowid LIMIT ?`,
  );
  const own = db.prepare(
    `${select} WHERE run_id = ? AND level <> 'DEBUG' ORDER BY start_time, rowid LIMIT ?`,
  );
  const open = db.prepare(`${select} WHERE run_id = ? AND is_partial = 1`);
  const lastActivity = db.prepare("SELECT max(start_time + duration) AS at FROM spans WHERE run_id = ?");

  const many = (rows: unknown[]) => (rows as Row[]).map(codec.fromRow);

  return {
    write: (spans) =>
      atomically(db, () => {
        for (const span of spans) upsert.run(codec.toRow(span));
      }),
    find: (traceId, spanId) => {
      const row = find.get(traceId, spanId);
      return row === undefined ? undefined : codec.fromRow(row as Row);
    },
    subtree: (internalRunId, limit) => {
      const spans = many(subtree.all(internalRunId, limit + 1));
      return { spans: spans.slice(0, limit), truncated: spans.length > limit };
    },
    own: (friendlyRunId, limit) => many(own.all(friendlyRunId, limit)),
    open: (friendlyRunId) => many(open.all(friendlyRunId)),
    lastActivity: (friendlyRunId) =>
      (lastActivity.get(friendlyRunId) as { at: number | null }).at ?? undefined,
  };
}
