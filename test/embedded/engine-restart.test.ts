import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { TaskDefinition } from "../../src/embedded/engine/types.ts";
import { deferred, startEngine } from "../support/engine.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "trigger-mcp-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const database = () => join(directory, "trigger.sqlite");

/** A task that hangs inside a span in its first life and finishes in its second. */
function twoLives(definition: Partial<TaskDefinition> = {}) {
  const reached = deferred();
  const life = { second: false };
  const task: TaskDefinition = {
    id: "two-lives",
    retry: { maxAttempts: 2, minTimeoutMs: 1, factor: 1 },
    ...definition,
    run: (_, { span, work }) =>
      span("at work", {}, async () => {
        if (life.second) return "finished";
        reached.resolve();
        await work(60_000);
        return "never";
      }),
  };
  return { task, reached: reached.promise, life };
}

describe("after the process has died", () => {
  test("a run that was executing has stalled, honestly, and is tried again", async () => {
    const { task, reached, life } = twoLives();
    const first = startEngine([task], { file: database() });
    const run = first.trigger("two-lives");
    await reached;
    await first.close();
    life.second = true;

    const second = startEngine([task], { file: database() });
    const ended = await second.engine.settled(run.friendlyId);
    expect(ended).toMatchObject({
      status: "COMPLETED_SUCCESSFULLY",
      output: '"finished"',
      attemptCount: 2,
    });
    const [, attempt, work, next] = second.trace(ended);
    expect(attempt).toMatchObject({ message: "Attempt 1", isError: true, isPartial: false });
    expect(attempt?.events.map(({ name }) => name)).toEqual(["exception", "attempt_failed"]);
    expect(work).toMatchObject({
      message: "at work",
      isError: true,
      isPartial: false,
      events: [{ properties: { exception: { type: "TASK_RUN_STALLED_EXECUTING" } } }],
    });
    expect(next).toMatchObject({ message: "Attempt 2", isError: false });
  });

  test("without attempts left it is a system failure, and whoever asked is told", async () => {
    const { task, reached } = twoLives({ retry: { maxAttempts: 1, minTimeoutMs: 1, factor: 1 } });
    const first = startEngine([task], { file: database() });
    const run = first.trigger("two-lives");
    await reached;
    await first.close();

    const onRunSettled = vi.fn();
    const second = startEngine([task], { file: database(), onRunSettled });
    expect(second.now(run)).toMatchObject({
      status: "SYSTEM_FAILURE",
      attemptCount: 1,
      error: { type: "INTERNAL_ERROR", code: "TASK_RUN_STALLED_EXECUTING" },
    });
    expect(second.trace(run).every(({ isPartial, isError }) => !isPartial && isError)).toBe(true);
    await vi.waitFor(() => expect(onRunSettled).toHaveBeenCalledOnce());
  });

  test("a chat agent is not tried again: its session starts a fresh run", async () => {
    const { task, reached } = twoLives({ kind: "AGENT" });
    const first = startEngine([task], { file: database() });
    const run = first.trigger("two-lives");
    await reached;
    await first.close();
    const second = startEngine([task], { file: database() });
    expect(second.now(run).status).toBe("SYSTEM_FAILURE");
  });

  test("a parent that waited for a child has stalled too", async () => {
    const { task: child, reached } = twoLives();
    const parent: TaskDefinition = {
      id: "parent",
      retry: { maxAttempts: 1, minTimeoutMs: 1, factor: 1 },
      run: (_, c) => c.triggerAndWait("two-lives", undefined),
    };
    const first = startEngine([parent, child], { file: database() });
    const run = first.trigger("parent");
    await reached;
    await first.close();
    const second = startEngine([parent, child], { file: database() });
    expect(second.now(run).status).toBe("SYSTEM_FAILURE");
  });

  test("queued and delayed runs go on, and a run waiting for its task finds it", async () => {
    const blocker = twoLives({ queue: { name: "one", concurrencyLimit: 1 } });
    const first = startEngine([blocker.task], { file: database() });
    const stalled = first.trigger("two-lives");
    await blocker.reached;
    const queued = first.trigger("two-lives");
    const delayed = first.trigger("two-lives", { delayUntil: Date.now() + 20 });
    const unknown = first.trigger("new-task");
    await first.close();
    blocker.life.second = true;

    const added: TaskDefinition = { id: "new-task", run: async () => "known now" };
    const second = startEngine([blocker.task, added], { file: database() });
    const ended = await Promise.all(
      [stalled, queued, delayed, unknown].map(({ friendlyId }) => second.engine.settled(friendlyId)),
    );
    expect(ended.map(({ output }) => output)).toEqual([
      '"finished"',
      '"finished"',
      '"finished"',
      '"known now"',
    ]);
  });

  test("a run that waited for its next attempt takes it", async () => {
    const life = { second: false };
    const task: TaskDefinition = {
      id: "retries",
      retry: { maxAttempts: 2, minTimeoutMs: 60_000, factor: 1 },
      run: async () => {
        if (!life.second) throw new Error("not yet");
        return "now";
      },
    };
    const first = startEngine([task], { file: database() });
    const run = first.trigger("retries");
    await vi.waitFor(() => expect(first.now(run).status).toBe("RETRYING_AFTER_FAILURE"));
    await first.close();
    life.second = true;
    const second = startEngine([task], { file: database() });
    const ended = await second.engine.settled(run.friendlyId);
    expect(ended).toMatchObject({ output: '"now"', attemptCount: 2 });
    expect(second.trace(ended).every(({ isPartial }) => !isPartial)).toBe(true);
  });
});
