/** Sessions at rest, contract api.md 4.1. Times are Unix milliseconds. */
import type { SessionTriggerConfig } from "../../domain/session.ts";
import type { SessionStatus } from "../../domain/status.ts";
import { type Columns, createCodec, type Row } from "./columns.ts";
import type { Db } from "./db.ts";

export interface StoredSession {
  /** Internal id; sorts by creation and is the list's cursor. */
  id: string;
  environmentId: string;
  externalId?: string;
  type: string;
  task: string;
  triggerConfig: SessionTriggerConfig;
  /** Friendly id of the last run claimed by the session; it may have ended. */
  currentRunId?: string;
  /** The run that has stopped taking input, though it may not have ended yet. */
  leftRunId?: string;
  tags: string[];
  metadata?: Record<string, unknown>;
  closedAt?: number;
  closedReason?: string;
  expiresAt?: number;
  createdAt: number;
  updatedAt: number;
}

export interface SessionFilter {
  type?: string;
  tag?: string;
  task?: string;
  externalId?: string;
  status?: SessionStatus;
  from?: number;
  to?: number;
}

export interface SessionPage {
  size: number;
  /** Internal id of the edge row. */
  after?: string;
  before?: string;
}

export const friendlyId = (session: Pick<StoredSession, "id">): string => `session_${session.id}`;

/** What channels are keyed and tokens are scoped by. */
export const canonicalKey = (session: Pick<StoredSession, "id" | "externalId">): string =>
  session.externalId ?? friendlyId(session);

export interface SessionStore {
  insert(session: StoredSession): void;
  /** Writes every field that can change. */
  save(session: StoredSession): void;
  clearMetadata(id: string): void;
  /** From now on the run takes no more input: the next one that comes starts another run. */
  leave(id: string, runId: string): void;
  /** Open sessions whose last run ended together with the process that executed it. */
  died(): StoredSession[];
  /** By either id form. */
  find(environmentId: string, reference: string): StoredSession | undefined;
  byId(id: string): StoredSession | undefined;
  /** Newest first, whichever way the page is turned; `older` and `newer` tell what lies beyond it. */
  list(
    environmentId: string,
    filter: SessionFilter,
    page: SessionPage,
    now: number,
  ): { rows: StoredSession[]; older: boolean; newer: boolean };
}

const COLUMNS: Columns<StoredSession> = {
  id: "plain",
  environmentId: "plain",
  externalId: "plain",
  type: "plain",
  task: "plain",
  triggerConfig: "json",
  currentRunId: "plain",
  leftRunId: "plain",
  tags: "json",
  metadata: "json",
  closedAt: "plain",
  closedReason: "plain",
  expiresAt: "plain",
  createdAt: "plain",
  updatedAt: "plain",
};

export function createSessionStore(db: Db): SessionStore {
  const codec = createCodec(COLUMNS);
  const insert = db.prepare(`INSERT INTO sessions (${codec.names}) VALUES (${codec.placeholders})`);
  const save = db.prepare(
    `UPDATE sessions SET trigger_config = @trigger_config, current_run_id = @current_run_id,
       left_run_id = @left_run_id, tags = @tags, metadata = @metadata, closed_at = @closed_at,
       closed_reason = @closed_reason, updated_at = @updated_at
     WHERE id = @id`,
  );
  const clearMetadata = db.prepare("UPDATE sessions SET metadata = NULL WHERE id = ?");
  const leave = db.prepare("UPDATE sessions SET left_run_id = ? WHERE id = ?");
  const died = db.prepare(
    `SELECT sessions.* FROM sessions JOIN runs ON runs.friendly_id = sessions.current_run_id
     WHERE sessions.closed_at IS NULL AND runs.status = 'SYSTEM_FAILURE' ORDER BY sessions.id`,
  );
  const byId = db.prepare("SELECT * FROM sessions WHERE id = ?");
  const byExternalId = db.prepare("SELECT * FROM sessions WHERE environment_id = ? AND external_id = ?");

  const one = (row: unknown) => (row === undefined ? undefined : codec.fromRow(row as Row));

  return {
    insert: (session) => void insert.run(codec.toRow(session)),
    save: (session) => void save.run(codec.toRow(session)),
    clearMetadata: (id) => void clearMetadata.run([id]),
    leave: (id, runId) => void leave.run([runId, id]),
    died: () => (died.all() as Row[]).map(codec.fromRow),
    byId: (id) => one(byId.get([id])),

    find(environmentId, reference) {
      if (!reference.startsWith("session_")) return one(byExternalId.get([environmentId, reference]));
      const found = one(byId.get([reference.slice("session_".length)]));
      return found?.environmentId === environmentId ? found : undefined;
    },

    list(environmentId, filter, page, now) {
      const backward = page.before !== undefined;
      const where = conditions(environmentId, filter, now);
      if (page.after !== undefined) where.push(["id < ?", page.after]);
      if (page.before !== undefined) where.push(["id > ?", page.before]);
      const sql =
        `SELECT * FROM sessions WHERE ${where.map(([condition]) => condition).join(" AND ")} ` +
        `ORDER BY id ${backward ? "ASC" : "DESC"} LIMIT ?`;
      const values = [...where.flatMap(([, ...bound]) => bound), page.size + 1];
      const found = (db.prepare(sql).all(values) as Row[]).map(codec.fromRow);
      const rows = found.slice(0, page.size);
      const beyond = found.length > page.size;
      return backward
        ? { rows: rows.reverse(), older: true, newer: beyond }
        : { rows, older: beyond, newer: page.after !== undefined };
    },
  };
}

type Condition = [sql: string, ...values: (string | number)[]];

function conditions(environmentId: string, filter: SessionFilter, now: number): Condition[] {
  const where: Condition[] = [["environment_id = ?", environmentId]];
  if (filter.type !== undefined) where.push(["type = ?", filter.type]);
  if (filter.task !== undefined) where.push(["task = ?", filter.task]);
  if (filter.externalId !== undefined) where.push(["external_id = ?", filter.externalId]);
  if (filter.tag !== undefined)
    where.push(["EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", filter.tag]);
  if (filter.from !== undefined) where.push(["created_at >= ?", filter.from]);
  if (filter.to !== undefined) where.push(["created_at <= ?", filter.to]);
  if (filter.status === "CLOSED") where.push(["closed_at IS NOT NULL"]);
  if (filter.status === "EXPIRED") where.push(["closed_at IS NULL AND expires_at < ?", now]);
  if (filter.status === "ACTIVE") {
    where.push(["closed_at IS NULL AND (expires_at IS NULL OR expires_at >= ?)", now]);
  }
  return where;
}
