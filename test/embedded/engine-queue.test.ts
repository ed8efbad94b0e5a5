import { describe, expect, test, vi } from "vitest";
import type { TaskDefinition } from "../../src/embedded/engine/types.ts";
import { deferred, startEngine } from "../support/engine.ts";

/** A task whose runs all execute until they are let go, and which counts how many do at once. */
function gated(id: string, concurrencyLimit?: number) {
  const gate = deferred();
  const seen = { executing: 0, most: 0, order: [] as unknown[] };
  const task: TaskDefinition = {
    id,
    ...(concurrencyLimit !== undefined && { queue: { name: `${id}-queue`, concurrencyLimit } }),
    run: async (payload) => {
      seen.order.push(payload);
      seen.executing++;
      seen.most = Math.max(seen.most, seen.executing);
      await gate.promise;
      seen.executing--;
    },
  };
  return { task, seen, open: () => gate.resolve() };
}

describe("queues", () => {
  test("no more runs of a queue execute at once than it allows, in the order they came", async () => {
    const { task, seen, open } = gated("limited", 2);
    const { engine, trigger, now } = startEngine([task]);
    const runs = [1, 2, 3, 4, 5].map((n) => trigger("limited", { payload: String(n) }));
    await vi.waitFor(() => expect(seen.executing).toBe(2));
    expect(runs.slice(2).map((run) => now(run).status)).toEqual(["PENDING", "PENDING", "PENDING"]);
    open();
    await Promise.all(runs.map((run) => engine.settled(run.friendlyId)));
    expect(seen).toMatchObject({ most: 2, order: [1, 2, 3, 4, 5] });
  });

  test("each concurrency key has the queue to itself", async () => {
    const { task, seen, open } = gated("keyed", 1);
    const { engine, trigger } = startEngine([task]);
    const runs = ["a", "b", "a"].map((concurrencyKey) => trigger("keyed", { concurrencyKey }));
    await vi.waitFor(() => expect(seen.executing).toBe(2));
    open();
    await Promise.all(runs.map((run) => engine.settled(run.friendlyId)));
    expect(seen.most).toBe(2);
  });

  test("a full queue holds up no other", async () => {
    const full = gated("full", 1);
    const free: TaskDefinition = { id: "free", run: async () => "through" };
    const { trigger, run } = startEngine([full.task, free]);
    for (let n = 0; n < 30; n++) trigger("full");
    expect((await run("free")).output).toBe('"through"');
    full.open();
  });

  test("priority counts as seconds in the queue", async () => {
    const { task, seen, open } = gated("urgent", 1);
    const { engine, trigger } = startEngine([task]);
    const runs = [0, 0, 100].map((priority, n) => trigger("urgent", { payload: String(n), priority }));
    open();
    await Promise.all(runs.map((run) => engine.settled(run.friendlyId)));
    expect(seen.order).toEqual([2, 0, 1]);
  });

  test("a parent that waits for children of its own queue does not block them", async () => {
    const queue = { name: "shared", concurrencyLimit: 1 };
    const parent: TaskDefinition = { id: "parent", queue, run: (_, c) => c.triggerAndWait("child", 21) };
    const child: TaskDefinition = { id: "child", queue, run: async (n) => Number(n) * 2 };
    const { run } = startEngine([parent, child]);
    expect((await run("parent")).output).toBe("42");
  });
});

describe("time", () => {
  test("a delayed run begins when its time has come", async () => {
    const task: TaskDefinition = { id: "later", run: async () => "ok" };
    const { engine, trigger } = startEngine([task]);
    const delayUntil = Date.now() + 40;
    const run = trigger("later", { delayUntil });
    expect(run.status).toBe("DELAYED");
    const ended = await engine.settled(run.friendlyId);
    expect(ended.output).toBe('"ok"');
    expect(ended.startedAt).toBeGreaterThanOrEqual(delayUntil);
  });

  test("a delayed run can be moved, and only a delayed one", async () => {
    const task: TaskDefinition = { id: "later", run: async () => "ok" };
    const { engine, trigger } = startEngine([task]);
    const run = trigger("later", { delayUntil: Date.now() + 3_600_000 });
    const moved = engine.reschedule(run, Date.now() + 10);
    expect(moved.status).toBe("DELAYED");
    const ended = await engine.settled(run.friendlyId);
    expect(ended.output).toBe('"ok"');
    expect(() => engine.reschedule(ended, Date.now() + 10)).toThrow(
      "Cannot reschedule a run that is not delayed",
    );
  });

  test("a run that does not begin within its ttl expires; one that began does not", async () => {
    const { task, seen, open } = gated("busy", 1);
    const { engine, trigger, trace } = startEngine([task]);
    const first = trigger("busy", { ttl: "1s" });
    await vi.waitFor(() => expect(seen.executing).toBe(1));
    const second = await engine.settled(trigger("busy", { ttl: "1" }).friendlyId);
    expect(second).toMatchObject({
      status: "EXPIRED",
      attemptCount: 0,
      error: { type: "STRING_ERROR", raw: "Run expired because the TTL (1) was reached" },
    });
    expect(second.expiredAt).toBeGreaterThanOrEqual(second.createdAt + 1000);
    expect(trace(second)).toMatchObject([{ message: "busy", isPartial: false, isError: true }]);
    open();
    expect((await engine.settled(first.friendlyId)).status).toBe("COMPLETED_SUCCESSFULLY");
  });
});

test("a run is waiting while the platform waits for it, and executing again afterwards", async () => {
  const answer = deferred<string>();
  const resumed = deferred();
  const finish = deferred();
  const task: TaskDefinition = {
    id: "asks",
    run: async (_, { waitUntil }) => {
      const text = await waitUntil("wait for an answer", answer.promise);
      resumed.resolve();
      await finish.promise;
      return text;
    },
  };
  const { engine, trigger, now, trace } = startEngine([task]);
  const run = trigger("asks");
  await vi.waitFor(() => expect(now(run).status).toBe("WAITING_TO_RESUME"));
  expect(trace(run).at(-1)).toMatchObject({ message: "wait for an answer", isPartial: true });
  answer.resolve("yes");
  await resumed.promise;
  expect(now(run).status).toBe("EXECUTING");
  finish.resolve();
  expect((await engine.settled(run.friendlyId)).output).toBe('"yes"');
});
