/** Runs that are written down instead of executed: rows for the store, so that any state of affairs can be looked at. */
import type { Environment, StoredRun, StoredSpan } from "./engine/types.ts";
import type { Db } from "./store/db.ts";
import { createRunStore } from "./store/runs.ts";
import { createSpanStore } from "./store/spans.ts";
import { atomically } from "./store/transaction.ts";

export interface Scenario {
  /** Parents before their children, or after them: nothing is checked, the rows are stored as they are. */
  runs: Omit<StoredRun, "environmentId">[];
  spans: StoredSpan[];
}

/**
 * Stores all of it or nothing. Only an API whose worker is idle leaves runs alone that have not ended: any other
 * executes the queued ones and takes the executing ones for its own.
 */
export function loadScenario(db: Db, { id: environmentId }: Environment, { runs, spans }: Scenario): void {
  const store = createRunStore(db);
  atomically(db, () => {
    for (const run of runs) store.insert({ ...run, environmentId });
    createSpanStore(db).write(spans);
  });
}
