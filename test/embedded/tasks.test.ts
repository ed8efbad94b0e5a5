import { describe, expect, test } from "vitest";
import type { StoredRun, StoredSpan } from "../../src/embedded/engine/types.ts";
import { exampleTasks } from "../../src/embedded/tasks/index.ts";
import { seed } from "../../src/embedded/tasks/seed.ts";
import { DEV, startEngine } from "../support/engine.ts";

const named = (spans: StoredSpan[], message: string) => spans.filter((span) => span.message === message);

const order = (cards: { id: string }[]) =>
  JSON.stringify({ orderId: 991, amount: 121, customer: { id: "cus_81", cards } });

describe("example tasks", () => {
  test("send-welcome-email succeeds", async () => {
    const { run, trace } = startEngine(exampleTasks);
    const ended = await run("send-welcome-email", { payload: '{"userId":"user_7"}' });
    expect(ended).toMatchObject({
      status: "COMPLETED_SUCCESSFULLY",
      output: '{"messageId":"msg_user_7","to":"user_7@example.com"}',
      queue: "emails",
    });
    const [post] = named(trace(ended), "POST /v1/messages");
    expect(post?.properties).toMatchObject({ http: { method: "POST", status_code: 202 } });
  });

  test("process-order fails three times for a customer without a card, after warning each time", async () => {
    const { run, trace } = startEngine(exampleTasks);
    const ended = await run("process-order", { payload: order([]) });
    expect(ended).toMatchObject({
      status: "COMPLETED_WITH_ERRORS",
      attemptCount: 3,
      error: { name: "TypeError", message: "Cannot read properties of undefined (reading 'id')" },
    });
    const stack = ended.error?.type === "BUILT_IN_ERROR" ? ended.error.stackTrace : "";
    expect(stack.split("\n")[1]).toMatch(
      /^ {4}at (async )?capturePayment \(tasks\/process-order\.ts:\d+:\d+\)$/,
    );
    const spans = trace(ended);
    expect(named(spans, "capture payment").map(({ isError }) => isError)).toEqual([true, true, true]);
    expect(named(spans, "retry wait")).toHaveLength(2);
    expect(spans.filter(({ level }) => level === "WARN").map(({ message }) => message)).toEqual(
      Array(3).fill("no default card for customer cus_81"),
    );
  });

  test("process-order succeeds when there is a card", async () => {
    const { run } = startEngine(exampleTasks);
    const ended = await run("process-order", { payload: order([{ id: "card_1" }]) });
    expect(ended).toMatchObject({ status: "COMPLETED_SUCCESSFULLY", attemptCount: 1 });
    expect(JSON.parse(ended.output ?? "")).toEqual({ orderId: 991, paymentId: "pay_991" });
  });

  test("one section takes generate-report down; its trace leads to the run and span where it began", async () => {
    const { engine, run, trace } = startEngine(exampleTasks);
    const ended = await run("generate-report");
    expect(ended).toMatchObject({ status: "COMPLETED_WITH_ERRORS", error: { name: "SubtaskUnwrapError" } });
    expect(engine.runs.children(ended).map(({ status }) => status)).toEqual([
      "COMPLETED_SUCCESSFULLY",
      "COMPLETED_SUCCESSFULLY",
      "COMPLETED_SUCCESSFULLY",
      "COMPLETED_WITH_ERRORS",
    ]);
    const [began] = named(trace(ended), "fit model");
    expect(began).toMatchObject({ isError: true, runId: engine.runs.children(ended)[3]?.friendlyId });
    const without = await run("generate-report", { payload: '{"sections":["summary"]}' });
    expect(without.status).toBe("COMPLETED_SUCCESSFULLY");
  });

  test("sync-inventory asks for each article in turn, one of them far slower than the rest", async () => {
    const { run, trace } = startEngine(exampleTasks);
    const ended = await run("sync-inventory", { payload: '{"skus":40}' });
    const calls = trace(ended).filter(({ message }) => message.startsWith("GET /stock/SKU-"));
    expect(calls).toHaveLength(40);
    for (const [index, call] of calls.entries()) {
      const before = calls[index - 1];
      if (before) expect(call.startTime).toBeGreaterThan(before.startTime + before.duration - 0.01);
    }
    const slowest = calls.toSorted((a, b) => b.duration - a.duration)[0];
    expect(slowest?.message).toBe("GET /stock/SKU-0029");
  });

  test("sync-inventory makes about 1,200 spans unless told otherwise, all of them stored", async () => {
    const { run, trace } = startEngine(exampleTasks);
    const spans = trace(await run("sync-inventory"));
    expect(spans.filter(({ message }) => message.startsWith("GET /stock/"))).toHaveLength(1199);
    expect(spans.every(({ isPartial }) => !isPartial)).toBe(true);
  });

  test("flaky-webhook recovers on the second attempt", async () => {
    const { run, trace } = startEngine(exampleTasks);
    const ended = await run("flaky-webhook");
    expect(ended).toMatchObject({ status: "COMPLETED_SUCCESSFULLY", attemptCount: 2 });
    expect(named(trace(ended), "POST /orders").map(({ properties }) => properties)).toMatchObject([
      { http: { status_code: 503 } },
      { http: { status_code: 200 } },
    ]);
  });

  test("nightly-import runs out of time in the middle of a page", async () => {
    const { run, trace } = startEngine(exampleTasks);
    const ended = await run("nightly-import", { maxDuration: 0.4 });
    expect(ended).toMatchObject({
      status: "TIMED_OUT",
      attemptCount: 1,
      error: { code: "MAX_DURATION_EXCEEDED" },
    });
    const spans = trace(ended);
    expect(spans.every(({ isPartial }) => !isPartial)).toBe(true);
    expect(spans.filter(({ message }) => message.startsWith("import page")).at(-1)?.isError).toBe(true);
  });
});

test("the seed shows every task once at least, and every way a run can be, and is sown once", async () => {
  const { engine, now } = startEngine(exampleTasks);
  const runs = seed(engine, DEV);
  expect(seed(engine, DEV)).toEqual([]);
  const settled = (run: StoredRun) =>
    run.status === "DELAYED" ? Promise.resolve(run) : engine.settled(run.friendlyId);
  await Promise.all(runs.map(settled));
  const statuses = new Set(runs.map((run) => now(run).status));
  expect(statuses).toEqual(
    new Set(["COMPLETED_SUCCESSFULLY", "COMPLETED_WITH_ERRORS", "TIMED_OUT", "EXPIRED", "DELAYED"]),
  );
  const all = engine.runs.list([DEV.id], {}, { size: 100 }).rows;
  expect(new Set(all.map(({ task }) => task))).toEqual(new Set(exampleTasks.map(({ id }) => id)));
});
