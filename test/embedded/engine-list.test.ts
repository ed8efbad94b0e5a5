import { describe, expect, test } from "vitest";
import type { RunFilter, StoredRun, TaskDefinition } from "../../src/embedded/engine/types.ts";
import { createEnvironmentStore } from "../../src/embedded/store/environments.ts";
import { DEV, startEngine } from "../support/engine.ts";

const task: TaskDefinition = { id: "any", run: async () => "ok" };
const tasks = [task];

/** Runs made at the same millisecond, all of them delayed: nothing moves while they are listed. */
function stillLife(count: number) {
  const time = Date.now();
  const under = startEngine(tasks, { now: () => time });
  const runs = Array.from({ length: count }, (_, n) =>
    under.trigger("any", { delayUntil: time + 3_600_000, tags: [`n:${n % 3}`] }),
  );
  return { ...under, runs, time };
}

const ids = (rows: StoredRun[]) => rows.map(({ id }) => id);
const cursorAt = (run: StoredRun | undefined) => ({ createdAt: run?.createdAt ?? 0, id: run?.id ?? "" });

describe("the run list", () => {
  test("is newest first, and every page is met once going older and going back", () => {
    const { engine, runs } = stillLife(7);
    const list = (page: Parameters<typeof engine.runs.list>[2]) => engine.runs.list([DEV.id], {}, page);
    const newest = ids(runs).reverse();

    const first = list({ size: 3 });
    expect(first).toMatchObject({ older: true, newer: false });
    const second = list({ size: 3, after: cursorAt(first.rows.at(-1)) });
    expect(second).toMatchObject({ older: true, newer: true });
    const third = list({ size: 3, after: cursorAt(second.rows.at(-1)) });
    expect(third).toMatchObject({ older: false, newer: true });
    expect([first, second, third].flatMap(({ rows }) => ids(rows))).toEqual(newest);

    const back = list({ size: 3, before: cursorAt(third.rows[0]) });
    expect(ids(back.rows)).toEqual(ids(second.rows));
    expect(back).toMatchObject({ older: true, newer: true });
    expect(list({ size: 3, before: cursorAt(back.rows[0]) })).toMatchObject({ newer: false });
  });

  test("finds runs that have every tag, however many newer ones have only some", () => {
    const { engine, trigger, runs } = stillLife(3);
    const both = trigger("any", { delayUntil: Date.now() + 3_600_000, tags: ["n:0", "rare"] });
    trigger("any", { delayUntil: Date.now() + 3_600_000, tags: ["n:0"] });
    const list = (everyTag: string[]) => ids(engine.runs.list([DEV.id], { everyTag }, { size: 1 }).rows);
    expect(list(["n:0", "rare"])).toEqual([both.id]);
    expect(list(["n:1"])).toEqual([runs[1]?.id]);
    expect(list(["n:1", "rare"])).toEqual([]);
  });

  test("shows one environment", () => {
    const { engine, db } = stillLife(2);
    const other = {
      ...DEV,
      id: "cm9x0env00002",
      slug: "prod",
      type: "PRODUCTION",
      rootKey: "tr_prod_x",
    } as const;
    createEnvironmentStore(db).insert(other);
    const { run } = engine.trigger(other, { task: "any" });
    expect(ids(engine.runs.list([other.id], {}, { size: 10 }).rows)).toEqual([run.id]);
    expect(engine.runs.list([other.id, DEV.id], {}, { size: 10 }).rows).toHaveLength(3);
    expect(engine.runs.find(DEV.id, run.friendlyId)).toBeUndefined();
  });

  test("filters by everything the API can filter by, together", async () => {
    const { engine, run, trigger } = startEngine([
      task,
      {
        id: "fails",
        retry: { maxAttempts: 1, minTimeoutMs: 1, factor: 1 },
        run: async () => {
          throw new Error("no");
        },
      },
    ]);
    const later = trigger("any", { delayUntil: Date.now() + 3_600_000, tags: ["a", "b"] });
    const failed = await run("fails", { queue: "mine", isTest: true, tags: ["b"] });
    const done = await run("any", { machine: "large-1x", region: "eu-central-1", batchId: "batch_1" });
    const matching = (filter: RunFilter) => ids(engine.runs.list([DEV.id], filter, { size: 10 }).rows);

    expect(matching({})).toEqual([done.id, failed.id, later.id]);
    expect(matching({ statuses: ["DELAYED", "COMPLETED_WITH_ERRORS"] })).toEqual([failed.id, later.id]);
    expect(matching({ tasks: ["fails"] })).toEqual([failed.id]);
    expect(matching({ versions: [done.version ?? ""] })).toEqual([done.id, failed.id]);
    expect(matching({ tags: ["a", "b"] })).toEqual([failed.id, later.id]);
    expect(matching({ tags: ["b"], tasks: ["any"] })).toEqual([later.id]);
    expect(matching({ queues: ["mine", "task/any"], isTest: false })).toEqual([done.id, later.id]);
    expect(matching({ machines: ["large-1x"], regions: ["eu-central-1"] })).toEqual([done.id]);
    expect(matching({ batch: "batch_1" })).toEqual([done.id]);
    expect(matching({ errorId: failed.errorId ?? "" })).toEqual([failed.id]);
    expect(matching({ from: later.createdAt, to: done.createdAt })).toHaveLength(3);
    expect(matching({ to: later.createdAt - 1 })).toEqual([]);
    expect(matching({ schedule: "sched_1" })).toEqual([]);
    expect(matching({ bulkAction: "bulk_1" })).toEqual([]);
  });

  test("is read from an index in its order, not sorted", () => {
    const { db } = stillLife(1);
    const plan = db
      .prepare(
        "EXPLAIN QUERY PLAN SELECT id FROM runs WHERE environment_id = ? ORDER BY created_at DESC, id DESC LIMIT 10",
      )
      .all(DEV.id) as { detail: string }[];
    expect(plan.map(({ detail }) => detail).join()).toMatch(
      /^SEARCH runs USING (COVERING )?INDEX runs_newest/,
    );
    expect(plan.map(({ detail }) => detail).join()).not.toContain("TEMP B-TREE");
  });
});
