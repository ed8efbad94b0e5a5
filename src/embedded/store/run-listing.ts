/** The run list: filters and pages, contract api.md 1.1. */
import type { RunFilter, RunPageRequest, StoredRun } from "../engine/types.ts";
import type { Codec, Row, SqlValue } from "./columns.ts";
import type { Db } from "./db.ts";

export interface RunListing {
  /** Newest first, whichever way the page is turned. */
  list(
    environmentIds: string[],
    filter: RunFilter,
    page: RunPageRequest,
  ): { rows: StoredRun[]; older: boolean; newer: boolean };
}

interface Condition {
  sql: string;
  value: SqlValue;
}

export function createRunListing(db: Db, codec: Codec<StoredRun>): RunListing {
  return {
    list: (environmentIds, filter, page) => {
      const { after, before, size } = page;
      const backwards = before !== undefined;
      const conditions = [oneOf("environment_id", environmentIds), ...filterConditions(filter)];
      const where = conditions.map(({ sql }) => sql);
      const values = conditions.map(({ value }) => value);
      const edge = before ?? after;
      if (edge !== undefined) {
        where.push(`(created_at, id) ${backwards ? ">" : "<"} (?, ?)`);
        values.push(edge.createdAt, edge.id);
      }
      const direction = backwards ? "ASC" : "DESC";
      const found = db
        .prepare(
          `SELECT ${codec.names} FROM runs WHERE ${where.join(" AND ")}
           ORDER BY created_at ${direction}, id ${direction} LIMIT ?`,
        )
        .all(...values, size + 1) as Row[];
      const more = found.length > size;
      const rows = found.slice(0, size).map(codec.fromRow);
      if (backwards) return { rows: rows.reverse(), older: true, newer: more };
      return { rows, older: more, newer: after !== undefined };
    },
  };
}

function filterConditions(filter: RunFilter): Condition[] {
  const conditions: Condition[] = [];
  const anyOf = (column: string, values: readonly string[] | undefined) => {
    if (values !== undefined) conditions.push(oneOf(column, values));
  };
  const compare = (sql: string, value: SqlValue | undefined) => {
    if (value !== undefined) conditions.push({ sql, value });
  };
  anyOf("status", filter.statuses);
  anyOf("task", filter.tasks);
  anyOf("version", filter.versions);
  anyOf("queue", filter.queues);
  anyOf("machine", filter.machines);
  anyOf("region", filter.regions);
  if (filter.tags !== undefined) conditions.push(taggedWith(filter.tags));
  for (const tag of filter.everyTag ?? []) conditions.push(taggedWith([tag]));
  compare("schedule_id = ?", filter.schedule);
  compare("error_id = ?", filter.errorId);
  compare("batch_id = ?", filter.batch);
  compare("is_test = ?", filter.isTest === undefined ? undefined : Number(filter.isTest));
  compare("created_at >= ?", filter.from);
  compare("created_at <= ?", filter.to);
  // No bulk actions here: no run belongs to the one asked for.
  compare("? IS NULL", filter.bulkAction);
  return conditions;
}

function oneOf(column: string, values: readonly string[]): Condition {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return { sql: `${column} = ?`, value: only };
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, value: JSON.stringify(values) };
}

const taggedWith = (tags: readonly string[]): Condition => ({
  sql: "id IN (SELECT run_id FROM run_tags WHERE tag IN (SELECT value FROM json_each(?)))",
  value: JSON.stringify(tags),
});
