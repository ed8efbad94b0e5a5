import { describe, expect, test } from "vitest";
import type { StoredSpan, TaskDefinition } from "../../src/embedded/engine/types.ts";
import { deferred, startEngine } from "../support/engine.ts";

const ONCE = { maxAttempts: 1, minTimeoutMs: 1, factor: 1 };

/** `Attempt 1 > load` for every span, by who hangs under whom. */
function paths(spans: StoredSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const path = (span: StoredSpan): string => {
    const parent = span.parentId === undefined ? undefined : byId.get(span.parentId);
    return parent === undefined ? span.message : `${path(parent)} > ${span.message}`;
  };
  return spans.map(path);
}

describe("spans", () => {
  test("hang as the task nests them, also side by side", async () => {
    const task: TaskDefinition = {
      id: "nests",
      run: (_, { span, log, work }) =>
        span("outer", { a: 1 }, async (outer) => {
          await Promise.all([
            span("left", {}, async () => {
              await work(2);
              log("INFO", "from the left", { side: "left" });
            }),
            span("right", {}, () => work(1)),
          ]);
          outer.set({ b: 2 });
        }),
    };
    const { run, trace } = startEngine([task]);
    const spans = trace(await run("nests"));
    expect(paths(spans)).toEqual([
      "nests",
      "nests > Attempt 1",
      "nests > Attempt 1 > outer",
      "nests > Attempt 1 > outer > left",
      "nests > Attempt 1 > outer > right",
      "nests > Attempt 1 > outer > left > from the left",
    ]);
    expect(spans[1]).toMatchObject({ attempt: 1, entityType: "attempt" });
    expect(spans[2]).toMatchObject({
      properties: { a: 1, b: 2 },
      isPartial: false,
      level: "TRACE",
      attempt: 1,
    });
    expect(spans[2]?.duration).toBeGreaterThan(spans[3]?.duration ?? Number.POSITIVE_INFINITY);
    expect(spans[5]).toMatchObject({ kind: "log", level: "INFO", properties: { side: "left" }, duration: 0 });
  });

  test("are seen while they are open", async () => {
    const reached = deferred();
    const gate = deferred();
    const task: TaskDefinition = {
      id: "open",
      run: (_, { span }) =>
        span("still going", {}, async () => {
          reached.resolve();
          await gate.promise;
        }),
    };
    const { engine, trigger, trace } = startEngine([task]);
    const run = trigger("open");
    await reached.promise;
    for (const span of trace(run)) expect(span).toMatchObject({ isPartial: true, duration: 0 });
    expect(trace(run)).toHaveLength(3);
    gate.resolve();
    await engine.settled(run.friendlyId);
    expect(trace(run).every(({ isPartial, duration }) => !isPartial && duration > 0)).toBe(true);
  });

  test("the exception is on every span it passed, the failed attempt is marked, no path of this machine shows", async () => {
    const task: TaskDefinition = {
      id: "fails",
      retry: ONCE,
      run: (_, { span }) =>
        span("inner", {}, async () => {
          throw new TypeError("boom");
        }),
    };
    const { run, trace } = startEngine([task]);
    const ended = await run("fails");
    const spans = trace(ended);
    for (const span of spans) {
      expect(span).toMatchObject({ isError: true, isPartial: false });
      expect(span.events[0]).toMatchObject({
        name: "exception",
        properties: { exception: { type: "TypeError", message: "boom", stacktrace: expect.any(String) } },
      });
    }
    expect(spans[1]?.events[1]).toMatchObject({
      name: "attempt_failed",
      properties: { attemptNumber: 1, runId: ended.friendlyId, exception: { message: "boom" } },
    });
    expect(JSON.stringify(spans)).not.toContain(process.cwd());
  });

  test("an own frame names its file in the package; the engine's read as a library", async () => {
    const task: TaskDefinition = {
      id: "fails",
      retry: ONCE,
      run: async (_, { span }) =>
        span("inner", {}, async () => {
          throw new Error("boom");
        }),
    };
    const { run } = startEngine([task]);
    const { error } = await run("fails");
    const frames = (error?.type === "BUILT_IN_ERROR" ? error.stackTrace : "").split("\n").slice(1);
    expect(frames[0]).toMatch(/test\/embedded\/engine-trace\.test\.ts:\d+:\d+\)?$/);
    expect(frames.some((frame) => frame.includes("node_modules/trigger-mcp/embedded/engine/"))).toBe(true);
  });

  test("own events leave out DEBUG and child runs; the trace has both", async () => {
    const parent: TaskDefinition = {
      id: "parent",
      run: async (_, { log, triggerAndWait }) => {
        log("DEBUG", "only in the trace");
        await triggerAndWait("child", undefined);
      },
    };
    const child: TaskDefinition = { id: "child", run: async (_, { log }) => log("LOG", "from the child") };
    const { engine, run, trace } = startEngine([parent, child]);
    const ended = await run("parent");
    expect(engine.runs.own(ended, 100).map(({ message }) => message)).toEqual([
      "parent",
      "Attempt 1",
      "triggerAndWait()",
    ]);
    expect(paths(trace(ended))).toEqual([
      "parent",
      "parent > Attempt 1",
      "parent > Attempt 1 > only in the trace",
      "parent > Attempt 1 > triggerAndWait()",
      "parent > Attempt 1 > triggerAndWait() > child",
      "parent > Attempt 1 > triggerAndWait() > child > Attempt 1",
      "parent > Attempt 1 > triggerAndWait() > child > Attempt 1 > from the child",
    ]);
  });

  test("a trace that is cut says so", async () => {
    const task: TaskDefinition = {
      id: "talks",
      run: async (_, { log }) => {
        for (let n = 0; n < 20; n++) log("LOG", `line ${n}`);
      },
    };
    const { engine, run } = startEngine([task]);
    const ended = await run("talks");
    expect(engine.runs.subtree(ended, 22)).toMatchObject({ truncated: false });
    const cut = engine.runs.subtree(ended, 5);
    expect([cut.spans.length, cut.truncated]).toEqual([5, true]);
  });
});

describe("child runs", () => {
  const child: TaskDefinition = {
    id: "child",
    retry: ONCE,
    run: async (payload) => {
      if (payload === 2) throw new Error("two is one too many");
      return payload;
    },
  };

  test("a failed child raises an error in the parent that names both", async () => {
    const parent: TaskDefinition = { id: "parent", retry: ONCE, run: (_, c) => c.triggerAndWait("child", 2) };
    const { engine, run } = startEngine([parent, child]);
    const ended = await run("parent");
    expect(ended.error).toMatchObject({
      name: "SubtaskUnwrapError",
      message: "Error in child: two is one too many",
    });
    const [failed] = engine.runs.children(ended);
    expect(failed).toMatchObject({
      status: "COMPLETED_WITH_ERRORS",
      triggerFunction: "triggerAndWait",
      parentId: ended.id,
      rootId: ended.id,
      depth: 1,
      traceId: ended.traceId,
    });
    expect(failed && engine.runs.triggeredBy(ended, failed.parentSpanId ?? "", 50)).toEqual([failed]);
    expect(failed && engine.runs.span(ended, failed.parentSpanId ?? "")?.message).toBe("triggerAndWait()");
  });

  test("a batch gives every outcome, in order, and its runs share a batch", async () => {
    const parent: TaskDefinition = {
      id: "parent",
      run: async (_, { batchTriggerAndWait }) => {
        const outcomes = await batchTriggerAndWait([1, 2, 3].map((payload) => ({ task: "child", payload })));
        return outcomes.map((outcome) => (outcome.ok ? outcome.output : outcome.error.type));
      },
    };
    const { engine, run } = startEngine([parent, child]);
    const ended = await run("parent");
    expect(ended.output).toBe('[1,"BUILT_IN_ERROR",3]');
    const children = engine.runs.children(ended);
    expect(new Set(children.map(({ batchId }) => batchId)).size).toBe(1);
    expect(children.map(({ triggerFunction }) => triggerFunction)).toEqual(
      Array(3).fill("batchTriggerAndWait"),
    );
    const { rows } = engine.runs.list(
      [ended.environmentId],
      { batch: children[0]?.batchId ?? "" },
      { size: 9 },
    );
    expect(rows).toHaveLength(3);
  });

  test("a child's trace is its subtree, with its own children", async () => {
    const top: TaskDefinition = { id: "top", run: (_, c) => c.triggerAndWait("middle", 1) };
    const middle: TaskDefinition = { id: "middle", run: (_, c) => c.triggerAndWait("child", 1) };
    const { engine, run, trace } = startEngine([top, middle, child]);
    const ended = await run("top");
    const [inner] = engine.runs.children(ended);
    expect(inner && paths(trace(inner)).at(-1)).toBe(
      "middle > Attempt 1 > triggerAndWait() > child > Attempt 1",
    );
    expect(trace(ended)).toHaveLength(8);
  });
});
