import { afterEach, beforeEach, expect, test } from "vitest";
import type { Span } from "../../src/domain/trace.ts";
import { json, text } from "../support/fake-api.ts";
import { type Bench, bench, runBody, SECRET, sessionBody, thrown } from "./support.ts";

let at: Bench;
beforeEach(async () => {
  at = await bench();
});
afterEach(async () => {
  await at.close();
});

const RUN = "GET /api/v3/runs/run_1";
const TRACE = "GET /api/v1/runs/run_1/trace";
const T0 = "2026-08-20T10:00:01.100Z";
const MS0 = Date.parse(T0);

test("a list query is spelled as the API reads it", async () => {
  at.server.plan("GET /api/v1/runs", json(200, { data: [], pagination: {} }));
  await at.api.runs.list({
    status: ["FAILED", "CRASHED"],
    task: ["a"],
    tag: [],
    isTest: false,
    period: "7d",
    from: 1.5,
    to: 2.5,
    limit: 3,
    after: "x",
    before: "y",
  });
  expect(at.server.requests[0]?.query).toEqual({
    "filter[status]": "FAILED,CRASHED",
    "filter[taskIdentifier]": "a",
    "filter[isTest]": "false",
    "filter[createdAt][period]": "7d",
    "filter[createdAt][from]": "1",
    "filter[createdAt][to]": "3",
    "page[size]": "3",
    "page[before]": "y",
  });
});

test("a value with a comma in it is refused: the API would read two", async () => {
  const error = await thrown(async () => at.api.runs.list({ tag: ["a,b"] }));
  expect(error.code).toBe("invalid_request");
});

test("a run keeps what is absent absent and what is null null", async () => {
  at.server.plan(RUN, json(200, runBody({ payload: null, output: false, region: null })));
  const run = await at.api.runs.retrieve("run_1");
  expect(run).toMatchObject({ payload: null, output: false, children: [] });
  expect("region" in run || "version" in run || "parent" in run || "error" in run).toBe(false);
  at.server.plan(RUN, json(200, runBody()));
  expect(await at.api.runs.retrieve("run_1")).not.toHaveProperty("payload");
});

test("a status nobody knows passes, and an odd incidental field costs only itself", async () => {
  at.server.plan(RUN, json(200, runBody({ status: "MEDITATING", costInCents: "free", env: 7 })));
  const run = await at.api.runs.retrieve("run_1");
  expect(run).toMatchObject({ status: "MEDITATING", costInCents: 0 });
  expect(run).not.toHaveProperty("env");
});

test("an error is never lost, whatever it looks like", async () => {
  at.server.plan(RUN, json(200, runBody({ error: "boom" })), json(200, runBody({ error: { raw: 1 } })));
  expect((await at.api.runs.retrieve("run_1")).error).toEqual({ message: "boom" });
  expect((await at.api.runs.retrieve("run_1")).error).toEqual({ message: '{"raw":1}' });
});

test("a payload stored out of line is brought in without credentials", async () => {
  const url = (name: string) => `${at.server.url}/store/${name}?X-Amz-Signature=s`;
  at.server.plan(RUN, json(200, runBody({ payloadPresignedUrl: url("p"), outputPresignedUrl: url("o") })));
  at.server.plan("GET /store/p", text(200, '{"big":true}'));
  at.server.plan("GET /store/o", text(403, "expired"));
  const run = await at.api.runs.retrieve("run_1");
  expect(run.payload).toEqual({ big: true });
  expect(run).not.toHaveProperty("payloadPresignedUrl");
  expect(run.outputPresignedUrl).toBe(url("o"));
  for (const request of at.server.requests.filter(({ path }) => path.startsWith("/store"))) {
    expect(JSON.stringify(request.headers)).not.toContain(SECRET);
  }
});

test("a link that is not http is not followed", async () => {
  at.server.plan(RUN, json(200, runBody({ payloadPresignedUrl: "file:///etc/passwd" })));
  expect(await at.api.runs.retrieve("run_1")).not.toHaveProperty("payload");
});

const node = (id: string, children: unknown[] = [], data: Record<string, unknown> = {}) => ({
  id,
  runId: "run_1",
  data: { message: id, duration: 2_500_000, startTime: T0, level: "TRACE", events: [], ...data },
  children,
});

test("a tree becomes a table, depth first, in milliseconds", async () => {
  const events = [{ name: "exception", time: T0, properties: { exception: { message: "boom" } } }];
  const tree = node("a", [
    node("b", [node("c")]),
    { ...node("d", [], { events, isError: true }), parentId: "a" },
  ]);
  at.server.plan(TRACE, json(200, { trace: { traceId: "t", rootSpan: tree } }));
  const trace = await at.api.runs.trace("run_1");
  expect(trace).toMatchObject({ traceId: "t", truncated: false });
  expect(trace.spans.map((span) => span.id)).toEqual(["a", "b", "c", "d"]);
  expect(fieldsOf(trace.spans[3])).toEqual({
    id: "d",
    parentId: "a",
    runId: "run_1",
    message: "d",
    startTime: MS0,
    duration: 2.5,
    isError: true,
    isPartial: false,
    isCancelled: false,
    level: "TRACE",
    events: [{ name: "exception", time: MS0, properties: { exception: { message: "boom" } } }],
  });
});

/** A span may answer for its fields without holding them. */
const fieldsOf = (span: Span | undefined) => {
  const { id, parentId, runId, message, startTime, duration } = span as Span;
  const { isError, isPartial, isCancelled, level, attempt, task, events, properties } = span as Span;
  const times = { startTime, duration };
  const flags = { isError, isPartial, isCancelled };
  return { id, parentId, runId, message, ...times, ...flags, level, attempt, task, events, properties };
};

test("a tree ten thousand deep does not end the stack", async () => {
  const depth = 10_000;
  const open = Array.from({ length: depth }, (_, at) =>
    JSON.stringify(node(String(at))).replace(/\]\}$/, ""),
  );
  const body = `{"trace":{"traceId":"t","rootSpan":${open.join("")}${"]}".repeat(depth)}}}`;
  at.server.plan(TRACE, text(200, body));
  expect((await at.api.runs.trace("run_1")).spans).toHaveLength(depth);
});

const flat = (id: string, over: Record<string, unknown> = {}) => ({
  id,
  runId: "run_1",
  message: id,
  startTime: T0,
  duration: 1_000_000,
  level: "TRACE",
  ...over,
});

test("a paged trace is followed to its end and joined", async () => {
  at.server.plan(
    TRACE,
    json(200, {
      data: [flat("a"), flat("b", { isPartial: true })],
      attemptFailures: [],
      pagination: { next: "1" },
    }),
    json(200, {
      data: [flat("b", { isError: true }), flat("c")],
      attemptFailures: [{ spanId: "b", attemptNumber: 2, runId: "run_1" }],
      pagination: { truncated: true },
    }),
  );
  const trace = await at.api.runs.trace("run_1");
  expect(trace.truncated).toBe(true);
  expect(trace.spans.map((span) => span.id)).toEqual(["a", "b", "c"]);
  expect(trace.spans[1]).toMatchObject({
    isError: true,
    isPartial: false,
    events: [{ name: "attempt_failed", time: MS0 + 1, properties: { attemptNumber: 2 } }],
  });
  expect(at.server.requests[1]?.query).toEqual({ "page[size]": "10000", "page[after]": "1" });
});

test("a truncated tree is completed from pages where the server has them, and kept where it has not", async () => {
  const tree = json(200, {
    trace: { traceId: "t", rootSpan: node("a", [], { properties: { k: 1 } }), isTruncated: true },
  });
  at.server.plan(TRACE, tree, json(200, { data: [flat("a"), flat("b")], pagination: {} }));
  const whole = await at.api.runs.trace("run_1");
  expect(whole).toMatchObject({ traceId: "t", truncated: false });
  expect(whole.spans).toMatchObject([{ id: "a", properties: { k: 1 } }, { id: "b" }]);
  at.server.plan(TRACE, tree, tree);
  expect(await at.api.runs.trace("run_1")).toMatchObject({ truncated: true, spans: [{ id: "a" }] });
});

test("pages that turn in a circle are a contract error", async () => {
  at.server.planForever(TRACE, json(200, { data: [flat("a")], pagination: { next: "same" } }));
  expect((await thrown(at.api.runs.trace("run_1"))).code).toBe("contract");
});

test.each([
  ["no trace", {}],
  ["a span without data", { trace: { rootSpan: { id: "a", runId: "r" } } }],
  ["a time that is none", { trace: { rootSpan: node("a", [], { startTime: "soon" }) } }],
])("a trace with %s is a contract error", async (_, body) => {
  at.server.plan(TRACE, json(200, body));
  expect((await thrown(at.api.runs.trace("run_1"))).code).toBe("contract");
});

test("events keep their nanoseconds and lose their nulls", async () => {
  const event = {
    spanId: "s",
    parentId: null,
    runId: "run_1",
    message: "m",
    style: { icon: "task" },
    events: [],
    startTime: "1787220001100250000",
    duration: 3_050_000_000,
    isError: false,
    isPartial: false,
    isCancelled: false,
    kind: "UNSPECIFIED",
    attemptNumber: null,
    level: "INFO",
  };
  at.server.plan("GET /api/v1/runs/run_1/events", json(200, { events: [event] }));
  expect(await at.api.runs.events("run_1")).toEqual([
    {
      id: "s",
      runId: "run_1",
      message: "m",
      startTime: 1787220001100.25,
      duration: 3_050,
      isError: false,
      isPartial: false,
      isCancelled: false,
      level: "INFO",
      events: [],
      kind: "UNSPECIFIED",
      icon: "task",
    },
  ]);
});

test("a span is told whole", async () => {
  const body = {
    spanId: "s",
    parentId: null,
    runId: "run_1",
    message: "m",
    isError: true,
    isPartial: false,
    isCancelled: false,
    level: "TRACE",
    startTime: T0,
    durationMs: 812.4,
    triggeredRuns: [{ runId: "run_2", taskIdentifier: "c", status: "COMPLETED_SUCCESSFULLY", createdAt: T0 }],
  };
  at.server.plan("GET /api/v1/runs/run_1/spans/s", json(200, body));
  const span = await at.api.runs.span("run_1", "s");
  expect(span).toMatchObject({ duration: 812.4, events: [], triggeredRuns: [{ task: "c", createdAt: MS0 }] });
  expect(span).not.toHaveProperty("parentId");
});

test.each([
  ["application/json", '{"n":1}', { n: 1 }],
  ["application/super+json", '{"json":{"n":1},"meta":{}}', { n: 1 }],
  ["text/plain", "[1]", "[1]"],
])("a result of type %s is decoded", async (outputType, output, decoded) => {
  const body = { ok: true, id: "run_1", taskIdentifier: "t", output, outputType };
  at.server.plan("GET /api/v1/runs/run_1/result", json(200, body));
  expect(await at.api.runs.result("run_1")).toEqual({ ok: true, id: "run_1", task: "t", output: decoded });
});

test("a failed result carries its error, and no result is none", async () => {
  const error = { type: "INTERNAL_ERROR", code: "TASK_RUN_CANCELLED" };
  at.server.plan(
    "GET /api/v1/runs/run_1/result",
    json(200, { ok: false, id: "run_1", taskIdentifier: "t", error }),
    json(404, { error: "Run either doesn't exist or is not finished" }),
  );
  expect(await at.api.runs.result("run_1")).toEqual({ ok: false, id: "run_1", task: "t", error });
  expect(await at.api.runs.result("run_1")).toBeUndefined();
});

test("stored metadata is text or null", async () => {
  const route = "GET /api/v1/runs/run_1/metadata";
  at.server.plan(route, json(200, { metadata: '{"a":1}', metadataType: "application/json" }));
  expect(await at.api.runs.metadata("run_1")).toEqual({ a: 1 });
  at.server.plan(route, json(200, { metadata: null, metadataType: "application/json" }));
  expect(await at.api.runs.metadata("run_1")).toBeUndefined();
});

test("a metadata write that lost its race is a conflict to be tried again", async () => {
  at.server.plan("PUT /api/v1/runs/run_1/metadata", json(200, {}));
  const error = await thrown(at.api.runs.updateMetadata("run_1", { metadata: {} }));
  expect(error).toMatchObject({ code: "conflict", retryable: true });
});

test("a replay without overrides has no body, and null is an override of the payload", async () => {
  const route = "POST /api/v1/runs/run_1/replay";
  at.server.plan(route, json(200, { id: "run_2" }), json(200, { id: "run_3" }));
  await at.api.runs.replay("run_1");
  await at.api.runs.replay("run_1", { payload: null, machine: "micro" });
  expect(at.server.requests.map((request) => request.body && JSON.parse(request.body))).toEqual([
    "",
    { payload: null, payloadType: "application/json", machine: "micro" },
  ]);
});

test("a trigger wraps queue, metadata and version as the API wants them", async () => {
  at.server.plan("POST /api/v1/tasks/a%2Fb/trigger", json(200, { id: "run_2", isCached: true }));
  const options = { payload: 0, queue: "q", metadata: { a: 1 }, version: "v", tags: ["x"] };
  expect(await at.api.runs.trigger("a/b", options)).toEqual({ id: "run_2", isCached: true });
  expect(JSON.parse(at.server.requests[0]?.body ?? "")).toEqual({
    payload: 0,
    options: {
      queue: { name: "q" },
      metadata: '{"a":1}',
      metadataType: "application/json",
      payloadType: "application/json",
      lockToVersion: "v",
      tags: ["x"],
    },
  });
});

test("a session is read with its times and without its nulls", async () => {
  const body = sessionBody({
    externalId: "c",
    closedAt: T0,
    triggerConfig: { basePayload: { a: 1 }, machine: null },
  });
  at.server.plan("GET /api/v1/sessions/c", json(200, body));
  expect(await at.api.sessions.retrieve("c")).toEqual({
    id: "session_1",
    externalId: "c",
    type: "chat.agent",
    task: "ai-chat",
    triggerConfig: { basePayload: { a: 1 } },
    tags: [],
    closedAt: MS0,
    createdAt: Date.parse("2026-04-24T09:00:00.000Z"),
    updatedAt: Date.parse("2026-04-24T09:00:00.000Z"),
  });
});

test("sessions are listed with epoch dates and one value each", async () => {
  at.server.plan("GET /api/v1/sessions", json(200, { data: [sessionBody()], pagination: { next: "n" } }));
  const page = await at.api.sessions.list({ status: "ACTIVE", tag: "a,b", from: MS0, externalId: "c" });
  expect(page).toMatchObject({ items: [{ id: "session_1" }], next: "n" });
  expect(at.server.requests[0]?.query).toEqual({
    "filter[status]": "ACTIVE",
    "filter[tags]": "a,b",
    "filter[externalId]": "c",
    "filter[createdAt][from]": String(MS0),
  });
});

test("closing sends a body even without a reason, and metadata is cleared with null", async () => {
  at.server.plan("POST /api/v1/sessions/c/close", json(200, sessionBody({ closedAt: T0 })));
  at.server.plan("PATCH /api/v1/sessions/c", json(200, sessionBody()));
  await at.api.sessions.close("c");
  await at.api.sessions.update("c", { metadata: null });
  expect(at.server.requests.map((request) => request.body)).toEqual(["{}", '{"metadata":null}']);
  expect(at.server.requests.map((request) => request.headers["content-length"])).toEqual(["2", "17"]);
});

test("ending and continuing answers which run it is now", async () => {
  at.server.plan("POST /api/v1/sessions/c/end-and-continue", json(200, { runId: "run_2", swapped: true }));
  const request = { callingRunId: "run_1", reason: "upgrade" };
  expect(await at.api.sessions.endAndContinue("c", request)).toEqual({ runId: "run_2", swapped: true });
});

const LINK = "GET /api/v1/sessions/c/snapshot-url";
const V2 = [
  { v: 2, savedAt: 1, lastOutEventId: "41", lastInEventId: "7", state: null },
  { id: "u1", final: true, message: { id: "u1", role: "user" } },
  { id: "a1", final: false, message: { id: "a1", parts: [] } },
  { id: "a1", final: true, message: { id: "a1", parts: [1] } },
  { ids: ["u1", "a1"], offsets: [1, 2, 3] },
];

test.each([
  [
    "v1",
    JSON.stringify({
      version: 1,
      savedAt: 1,
      messages: [
        { id: "u1", role: "user" },
        { id: "a1", parts: [1] },
      ],
      lastOutEventId: "41",
      lastInEventId: "7",
    }),
  ],
  ["v2", `${V2.map((line) => JSON.stringify(line)).join("\n")}\n#tt2:0000000000000042\n`],
])("a snapshot of %s is read", async (_, stored) => {
  at.server.plan(LINK, json(200, { presignedUrl: `${at.server.url}/store/s?sig=1` }));
  at.server.plan("GET /store/s", text(200, stored));
  expect(await at.api.sessions.snapshot("c")).toEqual({
    messages: [
      { id: "u1", role: "user" },
      { id: "a1", parts: [1] },
    ],
    lastOut: "41",
    lastIn: "7",
  });
});

test("no snapshot is none: the object is not there, or there is no store", async () => {
  at.server.plan(LINK, json(200, { presignedUrl: `${at.server.url}/store/s` }));
  at.server.plan("GET /store/s", text(404, "<NoSuchKey/>"));
  expect(await at.api.sessions.snapshot("c")).toBeUndefined();
  const error = "Failed to generate presigned URL: Object store is not configured for protocol: default";
  at.server.plan(LINK, json(500, { error }), json(500, { error }));
  expect(await at.api.sessions.snapshot("c")).toBeUndefined();
});

test("a transcript is paged, and a server without transcripts has none", async () => {
  const route = "GET /api/v1/sessions/c/transcript";
  const cursors = { lastOutEventId: "4", lastInEventId: "2" };
  at.server.plan(
    route,
    json(200, { messages: [{ id: "u1" }], cursors, nextCursor: "m0" }),
    text(404, "<html>"),
  );
  expect(await at.api.sessions.transcript("c", { limit: 1, before: "m9" })).toEqual({
    messages: [{ id: "u1" }],
    lastOut: "4",
    lastIn: "2",
    next: "m0",
  });
  expect(at.server.requests[0]?.query).toEqual({ limit: "1", before: "m9" });
  expect(await at.api.sessions.transcript("c")).toBeUndefined();
});

test("named channels have their own paths, and .out records go out as they are", async () => {
  at.server.plan("POST /realtime/v1/sessions/c/channels/side/out/append", json(200, { ok: true, seq: 0 }));
  const channel = { session: "c", io: "out" as const, channel: "side" };
  expect(await at.api.channels.append(channel, "ü raw", "p")).toEqual({ seq: 0 });
  expect(at.server.requests[0]).toMatchObject({ body: "ü raw", headers: { "content-length": "6" } });
});

test.each(["", "a\nb", "schlüssel"])("%j cannot be a part id", async (key) => {
  const error = await thrown(at.api.channels.append({ session: "c", io: "in" }, "{}", key));
  expect(error.code).toBe("invalid_request");
});
