import { ApiClient } from "@trigger.dev/core/v3";
import { auth, batch, configure, idempotencyKeys, runs, tasks } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/embedded.ts";

const ONCE = { retry: { maxAttempts: 1 } };

describe("the real SDK against the embedded API", () => {
  let api: TestApi;
  let client: ApiClient;

  beforeAll(async () => {
    api = await startTestApi();
    configure({ baseURL: api.url, accessToken: api.secretKey });
    client = new ApiClient(api.url, api.secretKey);
  });
  afterAll(() => api?.close());

  const later = () => tasks.trigger("send-welcome-email", { userId: "u1" }, { delay: "1h" });

  it("triggers a task and retrieves what it returned", async () => {
    const payload = { userId: "u7", at: new Date("2026-01-02T03:04:05.000Z") };
    const handle = await tasks.trigger("send-welcome-email", payload, {
      tags: ["user:u7"],
      metadata: { source: "test" },
    });
    await api.settled(handle.id);
    const run = await runs.retrieve(handle.id);
    expect(run).toMatchObject({
      status: "COMPLETED",
      isSuccess: true,
      taskIdentifier: "send-welcome-email",
      payload: { userId: "u7", at: "2026-01-02T03:04:05.000Z" },
      tags: ["user:u7"],
      metadata: { source: "test" },
      attemptCount: 1,
      relatedRuns: { children: [] },
    });
    expect(run.output).toBeDefined();
  });

  it("gives the trigger's public token that run and nothing else", async () => {
    const [mine, other] = [await later(), await later()];
    await auth.withAuth({ baseURL: api.url, accessToken: mine.publicAccessToken }, async () => {
      expect((await runs.retrieve(mine.id)).id).toBe(mine.id);
      await expect(runs.retrieve(other.id, ONCE)).rejects.toMatchObject({ status: 403 });
      await expect(runs.cancel(mine.id, ONCE)).rejects.toMatchObject({ status: 403 });
      await expect(runs.replay(mine.id, ONCE)).rejects.toMatchObject({ status: 401 });
    });
  });

  it("accepts tokens the SDK signs itself, for what their scopes say", async () => {
    const run = await later();
    const token = await auth.createPublicToken({ scopes: { read: { tasks: ["send-welcome-email"] } } });
    await auth.withAuth({ baseURL: api.url, accessToken: token }, async () => {
      expect((await runs.retrieve(run.id)).id).toBe(run.id);
      const page = await runs.list({ taskIdentifier: "send-welcome-email", limit: 1 });
      expect(page.data).toHaveLength(1);
      await expect(runs.list({ limit: 1 }, ONCE)).rejects.toMatchObject({ status: 403 });
    });
  });

  it("lists by page, newest first, every run once", async () => {
    const tag = "page-test";
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      made.push((await tasks.trigger("send-welcome-email", {}, { tags: [tag], delay: "1h" })).id);
    }
    const seen: string[] = [];
    for await (const run of runs.list({ tag, limit: 2 })) seen.push(run.id);
    expect(seen).toEqual(made.reverse());
    const first = await runs.list({ tag, limit: 2 });
    const back = await (await first.getNextPage()).getPreviousPage();
    expect(back.data.map(({ id }) => id)).toEqual(made.slice(0, 2));
  });

  it("lists a project's runs with a personal token", async () => {
    await auth.withAuth({ baseURL: api.url, accessToken: api.personalToken }, async () => {
      const page = await runs.list(api.projectRef, { env: "dev", limit: 1 });
      expect(page.data[0]?.env.name).toBe("dev");
    });
  });

  it("cancels, and cancelling again changes nothing", async () => {
    const { id } = await later();
    expect(await runs.cancel(id)).toEqual({ id });
    await api.settled(id);
    expect(await runs.cancel(id)).toEqual({ id });
    expect((await runs.retrieve(id)).status).toBe("CANCELED");
  });

  it("reschedules a delayed run and refuses any other", async () => {
    const { id } = await later();
    const before = await runs.retrieve(id);
    const moved = await runs.reschedule(id, { delay: "2h" });
    expect(Number(moved.delayedUntil)).toBeGreaterThan(Number(before.delayedUntil));
    await runs.cancel(id);
    await expect(runs.reschedule(id, { delay: "2h" }, ONCE)).rejects.toMatchObject({ status: 400 });
  });

  it("replays with and without overrides", async () => {
    const { id } = await tasks.trigger(
      "send-welcome-email",
      { userId: "u1" },
      { delay: "1h", tags: ["kept"] },
    );
    const copy = await runs.retrieve((await runs.replay(id)).id);
    expect(copy).toMatchObject({ payload: { userId: "u1" }, tags: ["kept"] });
    const changed = await runs.replay(id, { payload: { userId: "u2" }, tags: ["new"], delay: "1h" });
    expect(await runs.retrieve(changed.id)).toMatchObject({
      payload: { userId: "u2" },
      tags: ["new"],
      status: "DELAYED",
    });
  });

  it("answers the first run again for the same idempotency key", async () => {
    const key = await idempotencyKeys.create("once", { scope: "global" });
    const options = { idempotencyKey: key, delay: "1h" } as const;
    const first = await tasks.trigger("send-welcome-email", {}, options);
    const second = await tasks.trigger("send-welcome-email", {}, options);
    expect(second.id).toBe(first.id);
    expect(second).toMatchObject({ isCached: true });
  });

  it("adds tags, reads and changes metadata", async () => {
    const { id } = await later();
    await client.addTags(id, { tags: ["a", "b"] });
    expect((await runs.retrieve(id)).tags).toEqual(["a", "b"]);
    const { metadata } = await client.updateRunMetadata(id, {
      operations: [
        { type: "set", key: "step", value: "one" },
        { type: "increment", key: "$.counters.done", value: 2 },
        { type: "append", key: "log", value: "line" },
      ],
    });
    expect(metadata).toEqual({ step: "one", counters: { done: 2 }, log: ["line"] });
  });

  it("shows the trace as a tree and in pages, the events and a span", async () => {
    const { id } = await tasks.trigger("generate-report", { month: "2026-10" });
    await api.settled(id);
    const { trace } = await client.retrieveRunTrace(id);
    expect(trace.rootSpan.runId).toBe(id);
    const flat = flatten(trace.rootSpan);
    expect(new Set(flat.map(({ runId }) => runId)).size).toBeGreaterThan(1);

    const paged: string[] = [];
    let after: string | undefined;
    do {
      const page = await client.retrieveRunTracePage(id, { limit: 4, ...(after ? { after } : {}) });
      paged.push(...page.data.map((span) => span.id));
      after = page.pagination.next;
    } while (after);
    expect(paged.sort()).toEqual(flat.map((span) => span.id).sort());

    const { events } = await client.listRunEvents(id);
    expect(new Set(events.map(({ runId }: { runId: string }) => runId))).toEqual(new Set([id]));
    expect(events[0].startTime).toMatch(/^\d{13}000000$/);

    const failed = flat.find((span) => span.data.isError && span.runId !== id);
    const span = await client.retrieveSpan(id, failed?.id ?? "");
    expect(span).toMatchObject({ runId: id, isError: true, spanId: failed?.id });
  });

  it("triggers a batch in two phases and by task", async () => {
    const many = await tasks.batchTrigger("send-welcome-email", [
      { payload: { userId: "b1" }, options: { delay: "1h" } },
      { payload: { userId: "b2" }, options: { delay: "1h" } },
    ]);
    expect(many.runCount).toBe(2);
    const page = await runs.list({ batch: many.batchId });
    expect(page.data).toHaveLength(2);
    const mixed = await batch.trigger([{ id: "send-welcome-email", payload: {}, options: { delay: "1h" } }]);
    expect(mixed.runCount).toBe(1);
    await auth.withAuth({ baseURL: api.url, accessToken: many.publicAccessToken }, async () => {
      expect((await runs.retrieve(page.data[0]?.id ?? "")).id).toBe(page.data[0]?.id);
    });
  });

  it("offloads a large payload and gives a link to it", async () => {
    const blob = "x".repeat(700_000);
    const { id } = await tasks.trigger("send-welcome-email", { blob }, { delay: "1h" });
    const { body } = await api.ask(`/api/v3/runs/${id}`);
    expect(body.payload).toBeUndefined();
    expect(await (await fetch(body.payloadPresignedUrl)).json()).toEqual({ blob });
    expect((await runs.retrieve(id)).payload).toEqual({ blob });
  });

  it("follows a run, its tag and its batch to the end", async () => {
    const tag = "followed";
    const { batchId } = await batch.trigger([
      { id: "flaky-webhook", payload: { event: "x" }, options: { tags: [tag] } },
      { id: "send-welcome-email", payload: {}, options: { tags: [tag, "other"] } },
    ]);
    const page = await runs.list({ batch: batchId });
    const [second, first] = page.data.map(({ id }) => id);

    const seen: string[] = [];
    for await (const run of runs.subscribeToRun(first ?? "")) seen.push(run.status);
    expect(seen.at(-1)).toBe("COMPLETED");

    const ended = async (feed: AsyncIterable<{ id: string; isCompleted: boolean }>, count: number) => {
      const done = new Set<string>();
      for await (const run of feed) {
        if (run.isCompleted) done.add(run.id);
        if (done.size === count) break;
      }
      return done;
    };
    expect(await ended(runs.subscribeToBatch(batchId), 2)).toEqual(new Set([first, second]));
    expect(await ended(runs.subscribeToRunsWithTag([tag, "other"]), 1)).toEqual(new Set([second]));
  });

  it("reports a run that does not exist", async () => {
    await expect(runs.retrieve("run_none", ONCE)).rejects.toMatchObject({ status: 404 });
  });
});

interface Node {
  id: string;
  runId: string;
  data: { isError: boolean };
  children: Node[];
}

const flatten = (span: Node): Node[] => [span, ...span.children.flatMap(flatten)];
