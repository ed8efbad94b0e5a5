import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbedded } from "../../src/embedded/index.ts";
import { applyOperations } from "../../src/embedded/routes/metadata-operations.ts";
import { type Ask, startTestApi, type TestApi } from "../support/embedded.ts";

const DAY_MS = 86_400_000;
const post = (body?: unknown, rest: Ask = {}): Ask => ({ method: "POST", body, ...rest });
const idsOf = ({ body }: { body: { data: { id: string }[] } }) => body.data.map(({ id }) => id);

describe("listing runs", () => {
  let api: TestApi;
  let offset = 0;
  const ids: Record<string, string> = {};
  const list = (query: string, ask?: Ask) => api.ask(`/api/v1/runs?${query}`, ask);

  beforeAll(async () => {
    api = await startTestApi({ now: () => Date.now() + offset });
    ids.done = await api.trigger("send-welcome-email", {}, { tags: ["a", "b"], machine: "micro" });
    ids.failed = await api.trigger("process-order", { customer: { cards: [] } }, { tags: ["b"] });
    ids.later = await api.trigger(
      "send-welcome-email",
      {},
      { delay: "30d", test: true, queue: { name: "slow" } },
    );
    ids.elsewhere = await api.trigger("unknown-task", {}, { region: "mars" });
    await Promise.all([api.settled(ids.done), api.settled(ids.failed)]);
  });
  afterAll(() => api?.close());

  it.each<[string, string[]]>([
    ["filter[status]=COMPLETED", ["done"]],
    ["filter[status]=FAILED,DELAYED", ["later", "failed"]],
    ["filter[status]=PENDING_VERSION", ["elsewhere"]],
    ["filter[status]=INTERRUPTED", []],
    ["filter[status]=FROZEN,REATTEMPTING", []],
    ["filter[taskIdentifier]=send-welcome-email", ["later", "done"]],
    ["filter[taskIdentifier]=process-order,unknown-task", ["elsewhere", "failed"]],
    ["filter[tag]=b", ["failed", "done"]],
    ["filter[tag]=a,nope", ["done"]],
    ["filter[isTest]=true", ["later"]],
    ["filter[queue]=slow", ["later"]],
    ["filter[queue]=task/unknown-task,orders", ["elsewhere", "failed"]],
    ["filter[machine]=micro", ["done"]],
    ["filter[region]=mars", ["elsewhere"]],
    ["filter[schedule]=sched_none", []],
    ["filter[bulkAction]=bulk_none", []],
    ["filter[createdAt][to]=1000", []],
    ["filter[createdAt][from]=1000&filter[status]=COMPLETED", ["done"]],
    ["filter[createdAt][period]=nonsense&filter[status]=COMPLETED", ["done"]],
    ["page[size]=2&page[size]=1", ["elsewhere"]],
  ])("%s", async (query, expected) => {
    expect(idsOf(await list(query))).toEqual(expected.map((name) => ids[name]));
  });

  it("a failure is found by the id of its cause", async () => {
    const { body } = await list("filter[status]=FAILED");
    expect(idsOf({ body })).toEqual([ids.failed]);
    expect(idsOf(await list("filter[error]=error_none"))).toEqual([]);
  });

  it("statuses are told in the vocabulary of the version asked for", async () => {
    const legacy = await list("filter[status]=PENDING_VERSION", {
      headers: { "x-trigger-api-version": "x" },
    });
    expect(legacy.body.data[0].status).toBe("PENDING_VERSION");
    const [done] = (await list("filter[status]=COMPLETED")).body.data;
    expect(done).toMatchObject({ isCompleted: true, isSuccess: true, isFailed: false, tags: ["a", "b"] });
    expect(done.finishedAt).toBeDefined();
    expect(done).not.toHaveProperty("error");
  });

  it("without a window only the last seven days are listed, with one the whole of it", async () => {
    offset = 8 * DAY_MS;
    try {
      expect(idsOf(await list("filter[status]=COMPLETED"))).toEqual([]);
      expect(idsOf(await list("filter[status]=COMPLETED&filter[createdAt][period]=9d"))).toEqual([ids.done]);
      expect(idsOf(await list("filter[status]=COMPLETED&filter[createdAt][to]=99999999999999"))).toEqual([
        ids.done,
      ]);
    } finally {
      offset = 0;
    }
  });

  it("a bare run id is a cursor too, and before wins over after", async () => {
    expect(idsOf(await list(`page[after]=${ids.failed}`))).toEqual([ids.done]);
    const both = await list(`page[before]=${ids.failed}&page[after]=${ids.failed}`);
    expect(idsOf(both)).toEqual([ids.elsewhere, ids.later]);
    expect(both.body.pagination.previous).toBeUndefined();
  });

  it("a link to a value ends after 300 seconds and is for one value only", async () => {
    const { body } = await api.ask(`/api/v1/runs/${ids.done}/packets/payload`);
    const open = async (url: string) => (await fetch(url)).status;
    expect(await open(body.presignedUrl)).toBe(200);
    expect(await open(body.presignedUrl.replace("/payload", "/output"))).toBe(403);
    expect((await fetch(body.presignedUrl, { method: "PUT" })).status).toBeGreaterThanOrEqual(400);
    offset = 301_000;
    try {
      expect(await open(body.presignedUrl)).toBe(403);
    } finally {
      offset = 0;
    }
  });
});

describe("changing runs", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api?.close());

  const later = () => api.trigger("send-welcome-email", {}, { delay: "1h" });

  it("a repeated request is the same run, though not a cached one", async () => {
    const headers = { "x-trigger-request-idempotency-key": "0a1b" };
    const send = (task: string) =>
      api.ask(`/api/v1/tasks/${task}/trigger`, post({ options: { delay: "1h" } }, { headers }));
    const [first, second] = [await send("send-welcome-email"), await send("send-welcome-email")];
    expect(second.body).toEqual({ id: first.body.id, isCached: false });
    expect((await send("process-order")).body.id).not.toBe(first.body.id);
  });

  it("an idempotency key in a header finds the run again", async () => {
    const send = (headers: Record<string, string>) =>
      api.ask("/api/v1/tasks/send-welcome-email/trigger", post({ options: { delay: "1h" } }, { headers }));
    const first = await send({ "idempotency-key": "k1", "idempotency-key-ttl": "1h" });
    expect(await send({ "idempotency-key": "k1" })).toMatchObject({
      body: { id: first.body.id, isCached: true },
    });
    expect((await api.ask(`/api/v3/runs/${first.body.id}`)).body.idempotencyKey).toBe("k1");
  });

  it("a task id with a slash is one path segment", async () => {
    const { body } = await api.ask("/api/v1/tasks/mail%2Fsend/trigger", post({}));
    expect((await api.ask(`/api/v3/runs/${body.id}`)).body.taskIdentifier).toBe("mail/send");
  });

  it.each([
    [null],
    [0],
    [false],
    [""],
    ["text"],
    [[1, null]],
    [{ a: { b: [] } }],
  ])("the payload %j comes back as it was sent", async (payload) => {
    const id = await api.trigger("send-welcome-email", payload, { delay: "1h" });
    const { body } = await api.ask(`/api/v3/runs/${id}`);
    expect(body.payload).toEqual(payload);
  });

  it("no payload at all is absent", async () => {
    const id = await api.trigger("send-welcome-email", undefined, { delay: "1h" });
    expect((await api.ask(`/api/v3/runs/${id}`)).body).not.toHaveProperty("payload");
  });

  it("tags are counted, kept apart and sorted", async () => {
    const id = await later();
    const tag = (tags: unknown) => api.ask(`/api/v1/runs/${id}/tags`, post({ tags }));
    expect((await tag(["z", "a", ""])).body).toEqual({ message: "Successfully set 2 new tags." });
    expect((await tag("a")).body).toEqual({ message: "No new tags to add" });
    const nine = Array.from({ length: 9 }, (_, index) => `t${index}`);
    expect((await tag(nine)).status).toBe(422);
    expect((await api.ask(`/api/v3/runs/${id}`)).body.tags).toEqual(["a", "z"]);
  });

  it("metadata is read as text and written as an object", async () => {
    const id = await later();
    const put = (body: unknown) => api.ask(`/api/v1/runs/${id}/metadata`, { method: "PUT", body });
    expect((await api.ask(`/api/v1/runs/${id}/metadata`)).body).toEqual({
      metadata: null,
      metadataType: "application/json",
    });
    expect((await put({ metadata: { a: 1 } })).body).toEqual({ metadata: { a: 1 } });
    expect((await put({ metadata: { b: 1 }, operations: [] })).body).toEqual({ metadata: { a: 1 } });
    expect((await put({ parentOperations: [{ type: "set", key: "p", value: 1 }] })).body).toEqual({
      metadata: {},
    });
    expect((await api.ask(`/api/v1/runs/${id}/metadata`)).body.metadata).toBe('{"a":1,"p":1}');
  });

  it("operations for a relative come after the run's own and are not in the answer", async () => {
    const id = await later();
    const body = {
      operations: [{ type: "set", key: "own", value: 1 }],
      rootOperations: [{ type: "set", key: "root", value: 1 }],
    };
    const answer = await api.ask(`/api/v1/runs/${id}/metadata`, { method: "PUT", body });
    expect(answer.body).toEqual({ metadata: { own: 1 } });
    expect((await api.ask(`/api/v3/runs/${id}`)).body.metadata).toEqual({ own: 1, root: 1 });
  });

  it("a list shows the idempotency key as it is stored, a run the caller's own", async () => {
    const id = await api.trigger(
      "send-welcome-email",
      {},
      {
        delay: "1h",
        idempotencyKey: "5e6f",
        idempotencyKeyOptions: { key: "welcome-41", scope: "global" },
        tags: ["keyed"],
      },
    );
    expect((await api.ask(`/api/v3/runs/${id}`)).body.idempotencyKey).toBe("welcome-41");
    const { body } = await api.ask("/api/v1/runs?filter[tag]=keyed");
    expect(body.data[0].idempotencyKey).toBe("5e6f");
  });

  it("debounced triggers become one delayed run, pushed back each time", async () => {
    const send = (n: number, debounce: object) =>
      api.trigger("send-welcome-email", { n }, { debounce: { delay: "1h", ...debounce } });
    const read = async (id: string) => (await api.ask(`/api/v3/runs/${id}`)).body;
    const leading = await send(1, { key: "first" });
    const before = await read(leading);
    expect(before).toMatchObject({ status: "DELAYED", payload: { n: 1 } });
    expect(await send(2, { key: "first", delay: "2h" })).toBe(leading);
    const pushed = await read(leading);
    expect(pushed.payload).toEqual({ n: 1 });
    expect(Date.parse(pushed.delayedUntil)).toBeGreaterThan(Date.parse(before.delayedUntil));

    const trailing = await send(1, { key: "last", mode: "trailing" });
    expect(await send(2, { key: "last", mode: "trailing" })).toBe(trailing);
    expect((await read(trailing)).payload).toEqual({ n: 2 });

    const bounded = await send(1, { key: "bounded" });
    expect(await send(2, { key: "bounded", maxDelay: "30m" })).not.toBe(bounded);
    await expect(send(1, { key: "x", delay: "2030-01-01" })).rejects.toThrow(/422.*Invalid debounce delay/);
  });

  it("a span's milliseconds are whole nanoseconds", async () => {
    const id = await api.trigger("send-welcome-email", { userId: "u", email: "u@example.com" });
    await api.settled(id);
    const { events } = (await api.ask(`/api/v1/runs/${id}/events`)).body;
    for (const { spanId, duration } of events) {
      const span = await api.ask(`/api/v1/runs/${id}/spans/${spanId}`);
      expect(span.body.durationMs).toBe(duration / 1e6);
    }
  });

  it("a repeated request for a batch in one call is the same batch", async () => {
    const items = [{ task: "send-welcome-email", options: { delay: "1h", tags: ["batch-once"] } }];
    const headers = { "x-trigger-request-idempotency-key": "b0b1" };
    const send = () => api.ask("/api/v2/tasks/batch", post({ items }, { headers }));
    const [first, second] = [await send(), await send()];
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect((await api.ask("/api/v1/runs?filter[tag]=batch-once")).body.data).toHaveLength(1);
  });

  it("a browser's token may send the items of the batch it was given for", async () => {
    const headers = { "x-trigger-client": "browser" };
    const created = await api.ask("/api/v3/batches", post({ runCount: 1 }, { headers }));
    const send = (token: string | null) =>
      api.ask(`/api/v3/batches/${created.body.id}/items`, {
        ...post(`${JSON.stringify({ index: 0, task: "send-welcome-email", options: { delay: "1h" } })}\n`),
        headers: { "content-type": "application/x-ndjson" },
        token,
      });
    expect((await send(created.headers.get("x-trigger-jwt"))).body).toMatchObject({ sealed: true });
    const other = await api.ask("/api/v3/batches", post({ runCount: 1 }));
    expect((await send(other.headers.get("x-trigger-jwt"))).status).toBe(403);
  });

  it("an upload by link becomes the payload", async () => {
    const { body } = await api.ask("/api/v2/packets/trigger%2Fp1%2Fpayload.json", { method: "PUT" });
    expect(body.storagePath).toBe("trigger/p1/payload.json");
    const upload = { method: "PUT", body: '{"big":true}', headers: { "content-type": "application/json" } };
    expect((await fetch(body.presignedUrl, upload)).status).toBe(200);
    const options = { payloadType: "application/store", delay: "1h" };
    const id = await api.trigger("send-welcome-email", body.storagePath, options);
    expect((await api.ask(`/api/v3/runs/${id}`)).body.payload).toEqual({ big: true });
  });

  it("a batch in one call starts all its items", async () => {
    const items = ["a", "b"].map((tag) => ({
      task: "send-welcome-email",
      payload: {},
      options: { tags: [tag] },
    }));
    const { status, headers, body } = await api.ask("/api/v2/tasks/batch", post({ items }));
    expect(status).toBe(202);
    expect(body).toEqual({ id: expect.stringMatching(/^batch_/), runCount: 2 });
    expect(JSON.parse(headers.get("x-trigger-jwt-claims") ?? "")).toEqual({
      sub: api.environmentId,
      pub: true,
    });
    const token = headers.get("x-trigger-jwt");
    const runs = await api.ask(`/api/v1/runs?filter[batch]=${body.id}`);
    expect(runs.body.data.map(({ tags }: { tags: string[] }) => tags)).toEqual([["b"], ["a"]]);
    for (const id of idsOf(runs)) {
      await api.settled(id);
      const run = await api.ask(`/api/v3/runs/${id}`, { token });
      expect(run.body).toMatchObject({
        status: "COMPLETED",
        batchId: body.id,
        triggerFunction: "batchTrigger",
      });
    }
  });

  it("a batch in one call that cannot be carried out starts none of its items", async () => {
    const tags = ["all-or-nothing"];
    const items = [
      { task: "send-welcome-email", options: { tags, delay: "1h" } },
      { task: "send-welcome-email", options: { tags, delay: "never" } },
    ];
    expect((await api.ask("/api/v2/tasks/batch", post({ items }))).status).toBe(422);
    expect((await api.ask("/api/v1/runs?filter[tag]=all-or-nothing")).body.data).toEqual([]);
  });

  it("a batch sent in parts is sealed when it is whole, and repeated items are dropped", async () => {
    const created = await api.ask("/api/v3/batches", post({ runCount: 2, idempotencyKey: "b1" }));
    expect(created.status).toBe(202);
    const again = await api.ask("/api/v3/batches", post({ runCount: 2, idempotencyKey: "b1" }));
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ id: created.body.id, isCached: true, idempotencyKey: "b1" });
    const item = (index: number) =>
      `${JSON.stringify({ index, task: "send-welcome-email", options: { delay: "1h" } })}\n`;
    const send = (body: string) =>
      api.ask(
        `/api/v3/batches/${created.body.id}/items`,
        post(body, { headers: { "content-type": "application/x-ndjson" } }),
      );
    expect((await send(item(0))).body).toMatchObject({ sealed: false, enqueuedCount: 1, expectedCount: 2 });
    expect((await send(item(0) + item(1))).body).toEqual({
      id: created.body.id,
      itemsAccepted: 1,
      itemsDeduplicated: 1,
      sealed: true,
    });
    const runs = await api.ask(`/api/v1/runs?filter[batch]=${created.body.id}`);
    expect(runs.body.data).toHaveLength(2);
  });

  it("a parent and its children know each other", async () => {
    const id = await api.trigger("generate-report", { month: "2026-10" });
    await api.settled(id);
    const { body } = await api.ask(`/api/v3/runs/${id}`);
    expect(body.status).toBe("FAILED");
    expect(body.error.message).toEqual(expect.any(String));
    expect(body.attempts).toEqual([]);
    expect(body.relatedRuns.children.length).toBeGreaterThan(0);
    const child = await api.ask(`/api/v3/runs/${body.relatedRuns.children[0].id}`);
    expect(child.body.relatedRuns.parent.id).toBe(id);
    expect(child.body.relatedRuns.root.id).toBe(id);
  });
});

describe("run feeds", () => {
  let api: TestApi;
  let run: string;
  const feed = (path: string, headers = {}) => api.ask(`/realtime/v1${path}`, { headers });

  beforeAll(async () => {
    api = await startTestApi();
    run = await api.trigger("send-welcome-email", { a: 1 }, { delay: "1h", tags: ['say "hi"', "b"] });
  });
  afterAll(() => api?.close());

  it("a snapshot is one full row of text and the way to go on", async () => {
    const { headers, body } = await feed(`/runs/${run}?offset=-1`, {
      "x-trigger-electric-version": "1.0.0-beta.1",
    });
    expect(headers.get("electric-offset")).toMatch(/^\d+_\d+$/);
    expect(headers.get("electric-handle")).toMatch(/^run-c/);
    expect(Object.keys(JSON.parse(headers.get("electric-schema") ?? ""))).toHaveLength(26);
    expect(headers.has("x-ratelimit-limit")).toBe(false);
    expect(body[0].value).toMatchObject({
      friendlyId: run,
      status: "DELAYED",
      isTest: "f",
      payload: '{"a":1}',
    });
    expect(body[0].value.runTags).toContain('"say \\"hi\\""');
    expect(body[0].value.createdAt).toMatch(/T[\d:.]+$/);
    expect(body[1]).toEqual({ headers: { control: "up-to-date" } });
  });

  it("a live request answers when the run changes", async () => {
    const first = await feed(`/runs/${run}`);
    expect(first.headers.has("electric-shape-id")).toBe(true);
    const offset = first.headers.get("electric-chunk-last-offset");
    const live = feed(`/runs/${run}?offset=${offset}&live=true`);
    await api.ask(`/api/v1/runs/${run}/metadata`, { method: "PUT", body: { metadata: { step: 1 } } });
    const { body, headers } = await live;
    expect(headers.has("electric-cursor")).toBe(true);
    expect(body[0]).toMatchObject({ headers: { operation: "update" }, value: { metadata: '{"step":1}' } });
  });

  it("columns can be left out, though not the ones a run is known by", async () => {
    const { body } = await feed(`/runs/${run}?skipColumns=payload,status,metadata`);
    expect(body[0].value).not.toHaveProperty("payload");
    expect(body[0].value).toHaveProperty("status");
  });

  it("refuses what it cannot serve", async () => {
    const missing = await feed("/runs/run_none");
    expect([missing.status, missing.headers.get("x-should-retry")]).toEqual([404, "false"]);
    const batch = await feed("/batches/batch_none");
    expect([batch.status, batch.headers.get("x-should-retry")]).toEqual([404, "true"]);
    for (const tags of ["a,,b", "%22", "%0a", "%5c"])
      expect((await feed(`/runs?tags=${tags}`)).status).toBe(400);
    expect((await feed("/runs?tags=b&createdAt=whenever")).body).toHaveLength(2);
    expect((await feed("/runs?tags=b,nope")).body).toHaveLength(1);
  });
});

describe("metadata operations", () => {
  it("follow paths, make what is missing and leave prototypes alone", () => {
    const start = { list: [1, { a: 1 }], n: "x", deep: { items: [{ v: 1 }] } };
    const result = applyOperations(start, [
      { type: "append", key: "list", value: 2 },
      { type: "remove", key: "list", value: { a: 1 } },
      { type: "append", key: "n", value: "y" },
      { type: "append", key: "$.made.here", value: 1 },
      { type: "increment", key: "n2", value: -3 },
      { type: "set", key: "$.deep.items[0].v", value: 2 },
      { type: "set", key: "$.quoted['a b']", value: true },
      { type: "delete", key: "$.nothing.there" },
      { type: "set", key: "$.__proto__.polluted", value: true },
      { type: "set", key: "__proto__", value: { polluted: true } },
      { type: "set", key: "dotted.name", value: 1 },
      { type: "set", key: "$.list[999999999]", value: 1 },
      { type: "set", key: "$.list.length", value: 1e9 },
      { type: "set", key: "$.list[5].a", value: 1 },
      { type: "set", key: "$.list[2]", value: 3 },
    ]);
    expect(result).toEqual({
      list: [1, 2, 3],
      n: ["x", "y"],
      made: { here: [1] },
      n2: -3,
      deep: { items: [{ v: 2 }] },
      quoted: { "a b": true },
      "dotted.name": 1,
    });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(start.list).toEqual([1, { a: 1 }]);
  });
});

describe("rate limits", () => {
  it("headers on every answer, 429 with a reset when the bucket is empty, realtime left alone", async () => {
    const bucket = { limit: 3, refill: 1, intervalMs: 10_000 };
    const api = await startTestApi({
      rateLimits: { secretKey: bucket, publicToken: { ...bucket, limit: 1 } },
    });
    try {
      const first = await api.ask("/api/v1/runs");
      expect(first.headers.get("x-ratelimit-limit")).toBe("3");
      expect(first.headers.get("x-ratelimit-remaining")).toBe("2");
      expect(Number(first.headers.get("x-ratelimit-reset"))).toBeGreaterThan(1e12);
      const { body: claims } = await api.ask("/api/v1/auth/jwt", post({ claims: { scopes: ["read:runs"] } }));
      expect((await api.ask("/api/v1/nothing")).headers.get("x-ratelimit-remaining")).toBe("0");
      const refused = await api.ask("/api/v1/runs");
      expect(refused.status).toBe(429);
      expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
      expect(refused.headers.has("retry-after")).toBe(false);
      expect(refused.headers.has("access-control-allow-origin")).toBe(false);
      expect(refused.body).toMatchObject({
        title: "Rate Limit Exceeded",
        limit: 3,
        error: expect.stringMatching(
          /^Rate limit exceeded 0\/3 requests remaining\. Retry in [\d.]+ seconds\.$/,
        ),
      });
      const token = claims.token;
      expect((await api.ask("/api/v1/runs", { token })).status).toBe(200);
      expect((await api.ask("/api/v1/runs", { token })).status).toBe(429);
      expect((await api.ask("/realtime/v1/sessions/a/out/records")).headers.has("x-ratelimit-limit")).toBe(
        false,
      );
      expect((await api.ask("/api/v1/auth/jwt/claims", post())).status).toBe(200);
    } finally {
      await api.close();
    }
  });

  it("the budget of batch items is counted in items and told in seconds", async () => {
    const api = await startTestApi({
      rateLimits: { batchItems: { limit: 5, refill: 5, intervalMs: 10_000 } },
    });
    try {
      expect((await api.ask("/api/v3/batches", post({ runCount: 4 }))).status).toBe(202);
      const refused = await api.ask("/api/v3/batches", post({ runCount: 2 }));
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(10);
      expect(Number(refused.headers.get("x-ratelimit-reset"))).toBeLessThan(1e11);
    } finally {
      await api.close();
    }
  });
});

describe("a data directory", () => {
  const dataDir = join(mkdtempSync(join(tmpdir(), "embedded-")), "data");
  afterAll(() => rmSync(join(dataDir, ".."), { recursive: true }));

  it("is private, keeps keys and runs, and is used by one server at a time", async () => {
    const first = await startTestApi({ dataDir, keys: { secretKey: "tr_dev_fixed" } });
    expect(first.secretKey).toBe("tr_dev_fixed");
    const id = await first.trigger("send-welcome-email", {}, { delay: "1h" });
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, "trigger.sqlite")).mode & 0o777).toBe(0o600);
    await expect(startEmbedded({ dataDir })).rejects.toThrow(/--ephemeral or another --data-dir/);
    await first.close();
    await first.close();

    const port = Number(new URL(first.url).port);
    const second = await startTestApi({ dataDir, port });
    expect(second.secretKey).toBe("tr_dev_fixed");
    expect(second.personalToken).toBe(first.personalToken);
    expect((await second.ask(`/api/v3/runs/${id}`)).body.status).toBe("DELAYED");
    await expect(startEmbedded({ port })).rejects.toThrow(/EADDRINUSE/);
    await second.close();
  });

  it("seeds once", async () => {
    const count = async (api: TestApi) =>
      (await api.ask("/api/v1/runs?page[size]=100&filter[tag]=monthly")).body.data.length;
    const first = await startTestApi({ dataDir: join(dataDir, "seeded"), seed: true });
    const seeded = await count(first);
    expect(seeded).toBeGreaterThan(0);
    const sessions = await first.ask("/api/v1/sessions");
    expect(sessions.body.data).toHaveLength(1);
    await first.close();
    const second = await startTestApi({ dataDir: join(dataDir, "seeded"), seed: true });
    expect(await count(second)).toBe(seeded);
    await second.close();
  });

  it("closing ends a stream somebody reads", async () => {
    const api = await startTestApi();
    const response = await fetch(`${api.url}/realtime/v1/sessions/chat/out`, {
      headers: { authorization: `Bearer ${api.secretKey}` },
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await api.close();
    const rest = await reader?.read().catch(() => ({ done: true }));
    expect(rest?.done).toBe(true);
  });
});
