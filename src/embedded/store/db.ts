/** Opens the embedded API's SQLite database and brings its schema up to date. */
import Database from "libsql";
import * as runs from "./migrations/0001-runs.ts";
import * as sessions from "./migrations/0002-sessions.ts";
import * as access from "./migrations/0003-access.ts";
import * as keys from "./migrations/0004-keys.ts";

export type Db = Database.Database;

/** In order; what is here has been applied somewhere and is never edited, only followed. */
const MIGRATIONS = [runs.up, sessions.up, access.up, keys.up];

/**
 * `file` absent: in memory. WAL with `synchronous=NORMAL`: a killed process loses nothing it acknowledged, because a
 * commit is in the operating system's hands before it returns; only a power cut could take the last ones.
 */
export function openDatabase(file?: string): Db {
  const db = new Database(file ?? ":memory:");
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.pragma("foreign_keys = ON");
  db.pragma("busy_timeout = 5000");
  const [{ user_version: applied }] = db.pragma("user_version") as [{ user_version: number }];
  MIGRATIONS.slice(applied).forEach((sql, index) => {
    db.exec(`BEGIN; ${sql}; PRAGMA user_version = ${applied + index + 1}; COMMIT;`);
  });
  return db;
}
