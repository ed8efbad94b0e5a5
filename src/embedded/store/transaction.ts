import type { Db } from "./db.ts";

/** Runs `work` in a transaction, or inside the one that is already open: all of it is stored, or none. */
export function atomically<T>(db: Db, work: () => T): T {
  return db.inTransaction ? work() : db.transaction(work)();
}
