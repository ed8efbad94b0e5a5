import { describe, expect, test, vi } from "vitest";
import type { TaskDefinition } from "../../src/embedded/engine/types.ts";
import { DEV, deferred, startEngine } from "../support/engine.ts";

const echo: TaskDefinition = { id: "echo", run: async (payload) => payload };
const QUICK = { maxAttempts: 3, minTimeoutMs: 1, factor: 1 };

describe("triggering", () => {
  test("a run executes and ends with its output", async () => {
    const { run } = startEngine([echo]);
    const ended = await run("echo", { payload: '{"n":1}', tags: ["b", "a", "a"] });
    expect(ended).toMatchObject({
      status: "COMPLETED_SUCCESSFULLY",
      output: '{"n":1}',
      attemptCount: 1,
      queue: "task/echo",
      machine: "small-1x",
      region: "local",
      depth: 0,
      triggerFunction: "trigger",
      tags: ["b", "a"],
    });
    expect(ended.version).toMatch(/^\d{8}\.\d+$/);
    expect(ended.costInCents).toBeGreaterThan(0);
    expect(ended.startedAt).toBeGreaterThanOrEqual(ended.createdAt);
    expect(ended.completedAt).toBeGreaterThanOrEqual(ended.startedAt ?? 0);
  });

  test("absent, null, false, 0 and the empty string are different payloads and outputs", async () => {
    const received: unknown[] = [];
    const task: TaskDefinition = {
      id: "keep",
      run: async (payload) => {
        received.push(payload);
        return payload;
      },
    };
    const { run } = startEngine([task]);
    const outputs: (string | undefined)[] = [];
    for (const payload of [undefined, "null", "false", "0", '""']) {
      outputs.push((await run("keep", payload === undefined ? {} : { payload })).output);
    }
    expect(received).toEqual([undefined, null, false, 0, ""]);
    expect(outputs).toEqual([undefined, "null", "false", "0", '""']);
  });

  test("internal ids sort by creation, also within a millisecond", () => {
    const { trigger } = startEngine([echo]);
    const ids = Array.from({ length: 300 }, () => trigger("echo", { delayUntil: Date.now() + 60_000 }).id);
    expect(ids).toEqual([...ids].sort());
    expect(ids.every((id) => /^c[0-9a-z]{24}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(300);
  });

  test("a task nobody knows waits for a version that has it", () => {
    const { trigger, now } = startEngine([echo]);
    expect(now(trigger("unheard-of")).status).toBe("PENDING_VERSION");
    expect(now(trigger("echo", { lockToVersion: "20200101.1" })).status).toBe("PENDING_VERSION");
  });

  test("more than ten tags are refused", () => {
    const { trigger } = startEngine([echo]);
    const tags = Array.from({ length: 11 }, (_, index) => `t${index}`);
    expect(() => trigger("echo", { tags })).toThrow(/only have 10 tags/);
  });

  test("an idempotency key answers with the first run until it runs out", () => {
    let time = Date.now();
    const { engine } = startEngine([echo], { now: () => time });
    const request = { task: "echo", idempotencyKey: "k", idempotencyKeyTtlMs: 60_000 };
    const first = engine.trigger(DEV, request);
    const second = engine.trigger(DEV, request);
    time += 60_001;
    const third = engine.trigger(DEV, request);
    expect([first.isCached, second.isCached, third.isCached]).toEqual([false, true, false]);
    expect(second.run.id).toBe(first.run.id);
    expect(third.run.id).not.toBe(first.run.id);
  });

  test("a repeated request key answers the first run again for a day, not as cached", () => {
    let time = Date.now();
    const { engine } = startEngine([echo], { now: () => time });
    const request = { task: "echo", requestKey: "8c9a" };
    const first = engine.trigger(DEV, request);
    const second = engine.trigger(DEV, request);
    time += 86_400_001;
    const third = engine.trigger(DEV, request);
    expect(second).toMatchObject({ isCached: false, run: { id: first.run.id } });
    expect(third.run.id).not.toBe(first.run.id);
  });
});

describe("attempts", () => {
  test("a failing task is tried again and may recover", async () => {
    const task: TaskDefinition = {
      id: "shaky",
      retry: QUICK,
      run: async (_, { attempt }) => {
        if (attempt < 3) throw new Error(`attempt ${attempt}`);
        return attempt;
      },
    };
    const { run, trace } = startEngine([task]);
    const ended = await run("shaky");
    expect(ended).toMatchObject({ status: "COMPLETED_SUCCESSFULLY", attemptCount: 3, output: "3" });
    expect(ended.error).toBeUndefined();
    expect(trace(ended).map(({ message }) => message)).toEqual([
      "shaky",
      "Attempt 1",
      "retry wait",
      "Attempt 2",
      "retry wait",
      "Attempt 3",
    ]);
  });

  test("while it waits for the next attempt the run is retrying, with its wait in the trace", async () => {
    const task: TaskDefinition = {
      id: "slow-retry",
      retry: { maxAttempts: 2, minTimeoutMs: 60_000, factor: 1 },
      run: async () => {
        throw new Error("no");
      },
    };
    const { engine, trigger, now, trace } = startEngine([task]);
    const run = trigger("slow-retry");
    await vi.waitFor(() => expect(now(run).status).toBe("RETRYING_AFTER_FAILURE"));
    expect(trace(run).at(-1)).toMatchObject({ message: "retry wait", isPartial: true, duration: 0 });
    engine.cancel(run, "enough");
    expect(await engine.settled(run.friendlyId)).toMatchObject({ status: "CANCELED", attemptCount: 1 });
    expect(trace(run).every(({ isPartial }) => !isPartial)).toBe(true);
  });

  test("the last failure is the run's, under an id that ignores what varies", async () => {
    const task: TaskDefinition = {
      id: "fails",
      retry: { ...QUICK, maxAttempts: 2 },
      run: async (payload) => {
        throw new RangeError(`order ${payload} is unknown`);
      },
    };
    const { run } = startEngine([task]);
    const [first, second] = await Promise.all([
      run("fails", { payload: "17" }),
      run("fails", { payload: "4821" }),
    ]);
    expect(first).toMatchObject({
      status: "COMPLETED_WITH_ERRORS",
      attemptCount: 2,
      error: { type: "BUILT_IN_ERROR", name: "RangeError", message: "order 17 is unknown" },
    });
    expect(first.errorId).toMatch(/^error_[0-9a-f]{16}$/);
    expect(second.errorId).toBe(first.errorId);
  });

  test("whatever is thrown is stored as what it is", async () => {
    const throwing = (id: string, thrown: unknown): TaskDefinition => ({
      id,
      retry: { ...QUICK, maxAttempts: 1 },
      run: async () => {
        throw thrown;
      },
    });
    const { run } = startEngine([throwing("string", "out of stock"), throwing("object", { code: 7 })]);
    expect((await run("string")).error).toEqual({ type: "STRING_ERROR", raw: "out of stock" });
    expect((await run("object")).error).toEqual({ type: "CUSTOM_ERROR", raw: '{"code":7}' });
  });

  test("a run that executes too long is timed out and not tried again; waits do not count", async () => {
    const hanging: TaskDefinition = {
      id: "hangs",
      retry: QUICK,
      maxDuration: 0.05,
      run: (_, { work }) => work(60_000),
    };
    const patient: TaskDefinition = { id: "waits", maxDuration: 0.5, run: (_, { wait }) => wait(600) };
    const { run } = startEngine([hanging, patient]);
    const [timedOut, completed] = await Promise.all([run("hangs"), run("waits")]);
    expect(timedOut).toMatchObject({
      status: "TIMED_OUT",
      attemptCount: 1,
      error: { type: "INTERNAL_ERROR", code: "MAX_DURATION_EXCEEDED" },
    });
    expect(completed.status).toBe("COMPLETED_SUCCESSFULLY");
    expect(completed.usageDurationMs).toBeLessThan(500);
  });
});

describe("changing a run", () => {
  test("cancelling stops an executing run, whatever it makes of the signal", async () => {
    const started = deferred();
    const task: TaskDefinition = {
      id: "stubborn",
      run: (_, { signal }) => {
        started.resolve();
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve("done anyway")));
      },
    };
    const { engine, trigger, trace } = startEngine([task]);
    const run = trigger("stubborn");
    await started.promise;
    engine.cancel(run, "wrong customer");
    const ended = await engine.settled(run.friendlyId);
    expect(ended.status).toBe("CANCELED");
    expect(ended.output).toBeUndefined();
    for (const span of trace(ended)) {
      expect(span).toMatchObject({ isCancelled: true, isPartial: false, isError: false });
      expect(span.events).toMatchObject([{ name: "cancellation", properties: { reason: "wrong customer" } }]);
    }
  });

  test("cancelling reaches the children", async () => {
    const childStarted = deferred();
    const parent: TaskDefinition = { id: "parent", run: (_, c) => c.triggerAndWait("child", 1) };
    const child: TaskDefinition = {
      id: "child",
      run: (_, { work }) => {
        childStarted.resolve();
        return work(60_000);
      },
    };
    const { engine, trigger, now } = startEngine([parent, child]);
    const run = trigger("parent");
    await childStarted.promise;
    engine.cancel(run);
    await engine.settled(run.friendlyId);
    const [ended] = engine.runs.children(run);
    expect(ended && (await engine.settled(ended.friendlyId)).status).toBe("CANCELED");
    expect(now(run).status).toBe("CANCELED");
  });

  test("cancelling what has ended changes nothing", async () => {
    const { engine, run, now } = startEngine([echo]);
    const ended = await run("echo");
    engine.cancel(ended);
    expect(now(ended)).toEqual(ended);
  });

  test("a run cancelled between queue and worker never begins", async () => {
    const { engine, trigger } = startEngine([echo]);
    const run = trigger("echo");
    engine.cancel(run, "never mind");
    const ended = await engine.settled(run.friendlyId);
    expect(ended).toMatchObject({ status: "CANCELED", attemptCount: 0 });
    expect(ended.startedAt).toBeUndefined();
  });

  test("a replay is a fresh root run of the same work, with overrides", async () => {
    const { engine, run } = startEngine([echo]);
    const original = await run("echo", {
      payload: '{"n":1}',
      tags: ["t"],
      queue: "special",
      metadata: '{"a":1}',
      idempotencyKey: "once",
      machine: "medium-1x",
      isTest: true,
    });
    const copy = engine.replay(original, { payload: '{"n":2}' });
    expect(copy).toMatchObject({
      task: "echo",
      payload: '{"n":2}',
      tags: ["t"],
      queue: "special",
      metadata: '{"a":1}',
      machine: "medium-1x",
      isTest: true,
      depth: 0,
    });
    expect(copy.idempotencyKey).toBeUndefined();
    expect(copy.traceId).not.toBe(original.traceId);
    expect((await engine.settled(copy.friendlyId)).output).toBe('{"n":2}');
  });

  test("tags become the union, metadata is replaced, and a task adds to it", async () => {
    const task: TaskDefinition = {
      id: "notes",
      run: async (_, { setMetadata }) => setMetadata("step", "done"),
    };
    const { engine, trigger, now } = startEngine([task]);
    const run = trigger("notes", { tags: ["a"] });
    engine.setTags(run, ["b", "a"]);
    engine.setMetadata(run, '{"by":"api"}');
    await engine.settled(run.friendlyId);
    expect(now(run).tags).toEqual(["a", "b"]);
    expect(JSON.parse(now(run).metadata ?? "")).toEqual({ by: "api", step: "done" });
    expect(engine.runs.list([DEV.id], { tags: ["b"] }, { size: 5 }).rows.map(({ id }) => id)).toEqual([
      run.id,
    ]);
  });
});

test("whoever asked is told of every end, once", async () => {
  const settled = vi.fn();
  const { run } = startEngine([echo], { onRunSettled: settled });
  const ended = await run("echo");
  expect(settled).toHaveBeenCalledExactlyOnceWith(ended);
});

test("closing lets go of what executes at once, keeps it as it was, and can be called twice", async () => {
  const started = deferred();
  const task: TaskDefinition = {
    id: "long",
    run: (_, { work }) => {
      started.resolve();
      return work(60_000);
    },
  };
  const { engine, trigger, now } = startEngine([task]);
  const run = trigger("long");
  const settled = engine.settled(run.friendlyId);
  await started.promise;
  await engine.close();
  await engine.close();
  await expect(settled).rejects.toThrow("The engine was closed.");
  expect(now(run).status).toBe("EXECUTING");
});
