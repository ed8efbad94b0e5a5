import { afterEach, beforeEach, expect, test } from "vitest";
import { hangUp, json, silence, text } from "../support/fake-api.ts";
import { type Bench, bench, runBody, SECRET, sessionBody, thrown } from "./support.ts";

let at: Bench;
beforeEach(async () => {
  at = await bench();
});
afterEach(async () => {
  await at.close();
});

const RUN = "GET /api/v3/runs/run_1";
const REPLAY = "POST /api/v1/runs/run_1/replay";
const TRIGGER = "POST /api/v1/tasks/t/trigger";

test("a read is repeated after 500, 503, 408, 429 and a broken connection, five times in all", async () => {
  at.server.plan(RUN, json(500, {}), json(503, {}), json(408, {}), hangUp, json(200, runBody()));
  expect((await at.api.runs.retrieve("run_1")).id).toBe("run_1");
  expect(at.server.requests).toHaveLength(5);
  expect(at.sleeps).toEqual([125, 250, 500, 1000]);
  at.server.verify();
});

test("five attempts are all there are", async () => {
  at.server.planForever(RUN, json(500, { error: "Internal Server Error" }));
  const error = await thrown(at.api.runs.retrieve("run_1"));
  expect(error).toMatchObject({
    code: "server_error",
    status: 500,
    retryable: true,
    said: "Internal Server Error",
  });
  expect(at.server.requests).toHaveLength(5);
});

test.each([
  [400, "invalid_request"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not_found"],
  [405, "unsupported"],
  [409, "conflict"],
  [413, "too_large"],
  [415, "unsupported"],
  [422, "unprocessable"],
  [501, "unsupported"],
  [301, "contract"],
])("%i is final and is called %s", async (status, code) => {
  at.server.plan(RUN, json(status, { error: "no" }));
  expect(await thrown(at.api.runs.retrieve("run_1"))).toMatchObject({ code, status, said: "no" });
  expect(at.server.requests).toHaveLength(1);
});

test("x-should-retry overrides the status both ways", async () => {
  at.server.plan(RUN, json(404, { error: "Not found" }, { "x-should-retry": "true" }), json(200, runBody()));
  await at.api.runs.retrieve("run_1");
  at.server.plan(RUN, json(500, {}, { "x-should-retry": "false" }));
  expect((await thrown(at.api.runs.retrieve("run_1"))).retryable).toBe(false);
  expect(at.server.requests).toHaveLength(3);
});

test.each([
  ["reset in milliseconds", { "x-ratelimit-reset": String(Date.parse("2026-08-20T10:00:03.000Z")) }],
  ["reset in seconds", { "x-ratelimit-reset": String(Date.parse("2026-08-20T10:00:03.000Z") / 1000) }],
  ["Retry-After in seconds", { "retry-after": "3", "x-ratelimit-reset": "1" }],
  ["Retry-After as a date", { "retry-after": "Thu, 20 Aug 2026 10:00:03 GMT" }],
])("429 waits for the %s", async (_, headers) => {
  at.server.plan(RUN, json(429, {}, headers), json(200, runBody()));
  await at.api.runs.retrieve("run_1");
  expect(at.sleeps).toEqual([3_125]);
});

test("a reset beyond what a call can wait for is told, not waited for", async () => {
  at.server.plan(RUN, json(429, { error: "slow down" }, { "retry-after": "600" }));
  const error = await thrown(at.api.runs.retrieve("run_1"));
  expect(error).toMatchObject({ code: "rate_limited", retryable: true });
  expect(error.retryAt).toBe(Date.parse("2026-08-20T10:10:00.000Z"));
  expect(at.sleeps).toEqual([]);
});

test("no attempt is begun that the deadline would cut off before its wait is over", async () => {
  at.server.planForever(RUN, json(429, {}, { "retry-after": "10" }));
  const deadline = Date.parse("2026-08-20T10:00:15.000Z");
  expect((await thrown(at.api.runs.retrieve("run_1", { deadline }))).code).toBe("rate_limited");
  expect(at.server.requests).toHaveLength(2);
});

test("a deadline in the past sends nothing", async () => {
  expect((await thrown(at.api.runs.retrieve("run_1", { deadline: 1 }))).code).toBe("timeout");
  expect(at.server.requests).toHaveLength(0);
});

test.each([500, 502, 503, 429])("a replay is sent once when it is answered %i", async (status) => {
  at.server.planForever(REPLAY, json(status, { error: "no" }));
  await thrown(at.api.runs.replay("run_1"));
  expect(at.server.requests).toHaveLength(1);
});

test("a replay whose connection breaks is of unknown outcome and is sent once", async () => {
  at.server.planForever(REPLAY, hangUp);
  expect((await thrown(at.api.runs.replay("run_1"))).code).toBe("outcome_unknown");
  expect(at.server.requests).toHaveLength(1);
});

test("a replay nobody answers in time is of unknown outcome", async () => {
  at.server.plan(REPLAY, silence);
  const api = at.client({ timeouts: { attempt: 50 } });
  expect((await thrown(api.runs.replay("run_1"))).code).toBe("outcome_unknown");
});

test("a replay that could not even connect has not happened", async () => {
  const api = at.client({ apiUrl: "http://127.0.0.1:1" });
  expect((await thrown(api.runs.replay("run_1"))).code).toBe("unreachable");
});

test("a replay whose answer is cut off is of unknown outcome", async () => {
  at.server.plan(REPLAY, (response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write('{"id":"run_', () => response.destroy());
  });
  expect((await thrown(at.api.runs.replay("run_1"))).code).toBe("outcome_unknown");
});

test("a trigger keeps its request key across its attempts", async () => {
  at.server.plan(TRIGGER, hangUp, json(500, {}), json(200, { id: "run_2", isCached: false }));
  expect(await at.api.runs.trigger("t", { payload: 1 })).toEqual({ id: "run_2", isCached: false });
  const keys = at.server.requests.map((request) => request.headers["x-trigger-request-idempotency-key"]);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
});

test("a trigger that keeps breaking is of unknown outcome, unless its caller holds the key", async () => {
  at.server.planForever(TRIGGER, hangUp);
  expect((await thrown(at.api.runs.trigger("t"))).code).toBe("outcome_unknown");
  expect((await thrown(at.api.runs.trigger("t", { idempotencyKey: "k" }))).code).toBe("unreachable");
});

test("a trigger that is refused after a break has not happened", async () => {
  at.server.plan(TRIGGER, hangUp, json(422, { error: "queue is full" }));
  expect((await thrown(at.api.runs.trigger("t"))).code).toBe("unprocessable");
});

test("metadata is repeated when it is set, not when it is appended", async () => {
  const route = "PUT /api/v1/runs/run_1/metadata";
  at.server.plan(route, hangUp, json(200, { metadata: { a: 1 } }), hangUp);
  const set = { operations: [{ type: "set" as const, key: "a", value: 1 }] };
  expect(await at.api.runs.updateMetadata("run_1", set)).toEqual({ a: 1 });
  const append = { operations: [{ type: "append" as const, key: "a", value: 1 }] };
  expect((await thrown(at.api.runs.updateMetadata("run_1", append))).code).toBe("outcome_unknown");
});

test("a session without an external id is created once, one with it is repeated", async () => {
  const route = "POST /api/v1/sessions";
  const start = { type: "chat.agent", task: "ai-chat", triggerConfig: { basePayload: {} } };
  at.server.plan(route, hangUp);
  expect((await thrown(at.api.sessions.create(start))).code).toBe("outcome_unknown");
  const answer = { ...sessionBody(), runId: "run_1", publicAccessToken: "x.y.z", isCached: true };
  at.server.plan(route, hangUp, json(200, answer));
  expect((await at.api.sessions.create({ ...start, externalId: "c" })).created).toBe(false);
});

test("an append is repeated with its part id, and a repeat the server has seen carries no position", async () => {
  const route = "POST /realtime/v1/sessions/c%2F1/in/append";
  at.server.plan(route, hangUp, json(200, { ok: true }));
  expect(await at.api.channels.append({ session: "c/1", io: "in" }, "{}", "part-1")).toEqual({});
  expect(at.server.requests.map((request) => request.headers["x-part-id"])).toEqual(["part-1", "part-1"]);
});

test("aborting a call closes its socket", async () => {
  const caller = new AbortController();
  const closed = new Promise<void>((resolve) => {
    at.server.plan(RUN, (response) => {
      response.on("close", resolve);
      caller.abort();
    });
  });
  const failed = await thrown(at.api.runs.retrieve("run_1", { signal: caller.signal }));
  expect(failed.code).toBe("cancelled");
  await closed;
});

test("closing the client ends what is under way and what comes later, and can be done twice", async () => {
  const api = at.client();
  const failed = new Promise<void>((resolve) => at.server.plan(RUN, () => resolve()));
  const call = thrown(api.runs.retrieve("run_1"));
  await failed;
  await api.close();
  expect((await call).code).toBe("cancelled");
  await api.close();
  expect((await thrown(api.runs.retrieve("run_1"))).code).toBe("cancelled");
  await at.client().close();
});

test("an answer longer than its bound is refused", async () => {
  at.server.plan("GET /api/v1/runs", (response) => {
    response.writeHead(200);
    const block = "x".repeat(1024 * 1024);
    const more = () => response.write(block, (error) => error ?? more());
    more();
  });
  expect((await thrown(at.api.runs.list({}))).code).toBe("too_large");
});

test.each([
  ["a string", json(422, { error: "said" })],
  ["an object with a message", json(422, { error: { message: "said" } })],
  ["a problem's detail", text(422, '{\n "title": "No", "detail": "said"\n}')],
  ["plain text", text(422, "said\n")],
])("the server's words are found in %s", async (_, reply) => {
  at.server.plan(RUN, reply);
  const error = await thrown(at.api.runs.retrieve("run_1"));
  expect(error.said).toBe("said");
  expect(error.request).toBe("GET /api/v3/runs/run_1");
});

test("validation details are told, a page of HTML is not", async () => {
  const details = [{ path: ["page[size]"], message: "too big", code: "too_big" }];
  at.server.plan(RUN, json(400, { error: "Query Error", details }), text(404, "<!DOCTYPE html><p>nothing"));
  expect((await thrown(at.api.runs.retrieve("run_1"))).said).toBe("Query Error; page[size]: too big");
  expect((await thrown(at.api.runs.retrieve("run_1"))).said).toBe("");
});

test.each([
  [400, { ok: false, error: "Cannot append to a closed session" }],
  [400, { ok: false, error: "Cannot append to an expired session" }],
  [409, { ok: false, error: "no", code: "session_closed" }],
  [409, { error: "Session is closed; use a different externalId to create a new session" }],
])("%i %j is a closed session and final", async (status, body) => {
  const route = "POST /realtime/v1/sessions/c/in/append";
  at.server.planForever(route, json(status, body));
  const error = await thrown(at.api.channels.append({ session: "c", io: "in" }, "{}", "p"));
  expect(error).toMatchObject({ code: "session_closed", retryable: false });
  expect(at.server.requests).toHaveLength(1);
});

test("a server that echoes the credential does not get it into an error", async () => {
  at.server.plan(RUN, json(401, { error: `who is ${SECRET}?` }));
  const error = await thrown(at.api.runs.retrieve("run_1"));
  expect(JSON.stringify([error.message, error.said, error.stack])).not.toContain(SECRET);
});

test("a 2xx that does not fit is a contract error and is not repeated", async () => {
  at.server.plan(RUN, json(200, { hello: 1 }), text(200, "not json"));
  expect((await thrown(at.api.runs.retrieve("run_1"))).code).toBe("contract");
  expect((await thrown(at.api.runs.retrieve("run_1"))).code).toBe("contract");
  at.server.plan("POST /api/v1/runs/run_1/tags", json(200, { status: 405, body: "Method Not Allowed" }));
  expect((await thrown(at.api.runs.addTags("run_1", ["a"]))).code).toBe("contract");
  expect(at.server.requests).toHaveLength(3);
});
