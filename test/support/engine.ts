/** An engine on a database in memory (or the file given), with one environment. */
import { onTestFinished } from "vitest";
import { createEngine, type EngineOptions } from "../../src/embedded/engine/index.ts";
import type {
  Engine,
  Environment,
  StoredRun,
  StoredSpan,
  TaskDefinition,
  TriggerRequest,
} from "../../src/embedded/engine/types.ts";
import { type Db, openDatabase } from "../../src/embedded/store/db.ts";
import { createEnvironmentStore } from "../../src/embedded/store/environments.ts";

export const DEV: Environment = {
  id: "cm9x0env00001",
  slug: "dev",
  type: "DEVELOPMENT",
  rootKey: "tr_dev_engine_tests",
  projectId: "cm9x0proj0001",
  projectRef: "proj_engine",
};

export interface EngineUnderTest {
  engine: Engine;
  db: Db;
  trigger(task: string, request?: Partial<TriggerRequest>): StoredRun;
  /** Triggers and waits for the end. */
  run(task: string, request?: Partial<TriggerRequest>): Promise<StoredRun>;
  now(run: StoredRun): StoredRun;
  trace(run: StoredRun): StoredSpan[];
  close(): Promise<void>;
}

/** Closed when the test is over, if it has not done so itself. */
export function startEngine(
  tasks: TaskDefinition[],
  options: Partial<EngineOptions> & { file?: string } = {},
): EngineUnderTest {
  const { file, ...rest } = options;
  const db = openDatabase(file);
  const environments = createEnvironmentStore(db);
  if (environments.byId(DEV.id) === undefined) environments.insert(DEV);
  const engine = createEngine({ db, tasks, ...rest });
  const trigger = (task: string, request: Partial<TriggerRequest> = {}) =>
    engine.trigger(DEV, { task, ...request }).run;
  const close = async () => {
    if (!db.open) return;
    await engine.close();
    db.close();
  };
  onTestFinished(close);
  return {
    engine,
    db,
    trigger,
    run: (task, request) => engine.settled(trigger(task, request).friendlyId),
    now: (run) => {
      const current = engine.runs.byInternalId(run.id);
      if (current === undefined) throw new Error(`no run ${run.friendlyId}`);
      return current;
    },
    trace: (run) => engine.runs.subtree(run, 10_000).spans,
    close,
  };
}

/** A promise to be settled from outside. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
