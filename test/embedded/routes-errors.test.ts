import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Ask, startTestApi, type TestApi } from "../support/embedded.ts";

/** Bad input: method, path ($run, $done and $batch stand for real ids), what is sent, then the status and body expected. */
type Row = [name: string, path: string, ask: Ask, status: number, body?: unknown];

const PLENTY = { limit: 10_000, refill: 10_000, intervalMs: 10_000 };
const UNAUTHORIZED = {
  error: "Unauthorized",
  code: "unauthorized",
  param: "access_token",
  type: "authorization",
};
const QUERY_ERROR = { error: "Query Error", details: [{ message: expect.any(String) }] };
const WRONG_METHOD = { status: 405, body: "Method Not Allowed" };
const SOMETHING_WRONG = { error: "Something went wrong, please try again." };
const NOT_FOUND = { error: "Not found" };
const validation = (text: RegExp) => ({ error: expect.stringMatching(text) });
const post = (body?: unknown): Ask => ({ method: "POST", body });
const put = (body?: unknown): Ask => ({ method: "PUT", body });

const cursor = (position: object) => Buffer.from(JSON.stringify(position)).toString("base64url");

const ROWS: Row[] = [
  ["unknown route", "/api/v1/nothing", {}, 404, { error: "Not Found" }],
  ["unknown route outside /api", "/nothing", { token: null }, 404, { error: "Not Found" }],
  ["trailing slash", "/api/v1/runs/", {}, 301],

  ["list: page size 0", "/api/v1/runs?page[size]=0", {}, 400, QUERY_ERROR],
  ["list: page size 101", "/api/v1/runs?page[size]=101", {}, 400, QUERY_ERROR],
  ["list: page size a word", "/api/v1/runs?page[size]=many", {}, 400, QUERY_ERROR],
  ["list: unknown status", "/api/v1/runs?filter[status]=FAILED,DONE", {}, 400, QUERY_ERROR],
  ["list: unknown machine", "/api/v1/runs?filter[machine]=huge", {}, 400, QUERY_ERROR],
  ["list: isTest maybe", "/api/v1/runs?filter[isTest]=maybe", {}, 400, QUERY_ERROR],
  ["list: from is no date", "/api/v1/runs?filter[createdAt][from]=soon", {}, 400, QUERY_ERROR],
  ["list: wrong method", "/api/v1/runs", post({}), 405],
  ["list: unreadable cursor is the first page", "/api/v1/runs?page[after]=%00%ff", {}, 200],
  [
    "project list: secret key",
    "/api/v1/projects/$ref/runs?filter[env]=dev",
    {},
    401,
    { error: "Invalid PAT" },
  ],

  ["retrieve: unknown", "/api/v3/runs/run_none", {}, 404, NOT_FOUND],
  ["retrieve: not an id", "/api/v3/runs/%00'%22--", {}, 404, NOT_FOUND],
  ["retrieve: a session's id", "/api/v3/runs/session_x", {}, 404, NOT_FOUND],
  ["retrieve: wrong method", "/api/v3/runs/$run", post({}), 405],
  ["trace: unknown", "/api/v1/runs/run_none/trace", {}, 404, NOT_FOUND],
  ["trace: page size 0", "/api/v1/runs/$run/trace?page[size]=0", {}, 400, QUERY_ERROR],
  ["events: unknown", "/api/v1/runs/run_none/events", {}, 404, NOT_FOUND],
  ["span: unknown run", "/api/v1/runs/run_none/spans/00f067aa0ba902b7", {}, 404, NOT_FOUND],
  ["span: unknown span", "/api/v1/runs/$run/spans/00f067aa0ba902b7", {}, 404, { error: "Span not found" }],
  [
    "result: unknown",
    "/api/v1/runs/run_none/result",
    {},
    404,
    { error: "Run either doesn't exist or is not finished" },
  ],
  [
    "result: unfinished",
    "/api/v1/runs/$run/result",
    {},
    404,
    { error: "Run either doesn't exist or is not finished" },
  ],

  ["tags: unknown run", "/api/v1/runs/run_none/tags", post({ tags: "a" }), 404, { error: "Run not found" }],
  [
    "tags: no tags",
    "/api/v1/runs/$run/tags",
    post({}),
    400,
    { error: "Invalid request body", issues: expect.any(Array) },
  ],
  [
    "tags: too long",
    "/api/v1/runs/$run/tags",
    post({ tags: "x".repeat(129) }),
    400,
    { error: "Invalid request body" },
  ],
  ["tags: not JSON", "/api/v1/runs/$run/tags", post("{"), 500, SOMETHING_WRONG],
  ["tags: PUT", "/api/v1/runs/$run/tags", put({ tags: "a" }), 200, WRONG_METHOD],
  ["tags: GET", "/api/v1/runs/$run/tags", {}, 400],
  [
    "tags: blank",
    "/api/v1/runs/$run/tags",
    post({ tags: ["", " "] }),
    200,
    { message: "No new tags to add" },
  ],
  [
    "tags: eleven",
    "/api/v1/runs/$run/tags",
    post({ tags: Array.from({ length: 11 }, (_, index) => `t${index}`) }),
    422,
    { error: expect.stringMatching(/^Runs can only have 10 tags, you're trying to set 11\. .*'t0', 't1'/) },
  ],

  ["metadata: unknown run", "/api/v1/runs/run_none/metadata", {}, 404, { error: "Run not found" }],
  [
    "metadata put: unknown run",
    "/api/v1/runs/run_none/metadata",
    put({ metadata: {} }),
    404,
    { error: "Task Run not found" },
  ],
  [
    "metadata put: wrong method",
    "/api/v1/runs/$run/metadata",
    post({}),
    405,
    { error: "Method not allowed" },
  ],
  ["metadata put: empty", "/api/v1/runs/$run/metadata", put(""), 400, { error: "Request body is empty" }],
  ["metadata put: not JSON", "/api/v1/runs/$run/metadata", put("{"), 400, { error: "Invalid JSON" }],
  ["metadata put: null", "/api/v1/runs/$run/metadata", put("null"), 400, { error: "Invalid JSON" }],
  ["metadata put: false", "/api/v1/runs/$run/metadata", put("false"), 400, { error: "Invalid JSON" }],
  ["metadata put: a list", "/api/v1/runs/$run/metadata", put([]), 400, validation(/^Validation error: /)],
  [
    "metadata put: unknown operation",
    "/api/v1/runs/$run/metadata",
    put({ operations: [{ type: "x" }] }),
    400,
    validation(/operations\.0/),
  ],
  ["metadata put: nothing to do", "/api/v1/runs/$run/metadata", put({}), 200, { metadata: {} }],
  [
    "metadata put: too large a value",
    "/api/v1/runs/$run/metadata",
    put({ metadata: { a: "x".repeat(262_144) } }),
    413,
    { error: "Metadata exceeds maximum size of 262144 bytes" },
  ],
  [
    "metadata put: too large a body",
    "/api/v1/runs/$run/metadata",
    put({ metadata: { a: "x".repeat(2_100_000) } }),
    413,
    { error: "Request body too large" },
  ],

  ["cancel: unknown", "/api/v2/runs/run_none/cancel", post(), 404, { error: "Resource not found" }],
  ["cancel: GET", "/api/v2/runs/$run/cancel", {}, 400],
  ["cancel: any body is ignored", "/api/v2/runs/$done/cancel", post("{{{"), 200],
  ["replay: unknown", "/api/v1/runs/run_none/replay", post(), 404, { error: "Resource not found" }],
  ["replay: GET", "/api/v1/runs/$run/replay", {}, 400],
  ["replay: not JSON", "/api/v1/runs/$run/replay", post("{"), 400, { error: "Invalid JSON" }],
  ["replay: unknown override", "/api/v1/runs/$run/replay", post({ nope: 1 }), 400, validation(/nope/)],
  ["replay: bad machine", "/api/v1/runs/$run/replay", post({ machine: "huge" }), 400, validation(/machine/)],
  [
    "replay: past delay",
    "/api/v1/runs/$run/replay",
    post({ delay: "2001-01-01" }),
    400,
    validation(/Invalid delay/),
  ],
  [
    "reschedule: unknown",
    "/api/v1/runs/run_none/reschedule",
    post({ delay: "1h" }),
    404,
    { error: "Run not found" },
  ],
  ["reschedule: no delay", "/api/v1/runs/$run/reschedule", post({}), 400, { error: "Invalid request body" }],
  [
    "reschedule: unreadable",
    "/api/v1/runs/$run/reschedule",
    post({ delay: "soon" }),
    400,
    { error: "Invalid delay: soon" },
  ],
  [
    "reschedule: past",
    "/api/v1/runs/$run/reschedule",
    post({ delay: "2001-01-01" }),
    400,
    { error: "Invalid delay: 2001-01-01" },
  ],
  [
    "reschedule: not delayed",
    "/api/v1/runs/$done/reschedule",
    post({ delay: "1h" }),
    400,
    { error: "Cannot reschedule a run that is not delayed" },
  ],
  ["reschedule: not JSON", "/api/v1/runs/$run/reschedule", post("{"), 500],
  ["reschedule: PATCH", "/api/v1/runs/$run/reschedule", { method: "PATCH", body: {} }, 200, WRONG_METHOD],

  ["trigger: GET", "/api/v1/tasks/a/trigger", {}, 405],
  ["trigger: empty", "/api/v1/tasks/a/trigger", post(""), 400, { error: "Request body is empty" }],
  [
    "trigger: eleven tags",
    "/api/v1/tasks/a/trigger",
    post({ options: { tags: Array(11).fill("t") } }),
    400,
    validation(/options\.tags/),
  ],
  [
    "trigger: bad delay",
    "/api/v1/tasks/a/trigger",
    post({ options: { delay: "never" } }),
    422,
    { error: "Invalid delay: never" },
  ],
  [
    "trigger: a delay beyond all dates",
    "/api/v1/tasks/a/trigger",
    post({ options: { delay: "99999999w" } }),
    422,
  ],
  [
    "trigger: a delay beyond year 9999",
    "/api/v1/tasks/a/trigger",
    post({ options: { delay: 8.64e15 } }),
    422,
  ],
  ["list: a cursor beyond all dates", `/api/v1/runs?page[after]=${cursor({ c: 1e308, r: "x" })}`, {}, 200],
  [
    "list: a period beyond all dates",
    "/api/v1/runs?filter[createdAt][period]=99999999999999999999w",
    {},
    200,
  ],
  [
    "trigger: long key",
    "/api/v1/tasks/a/trigger",
    post({ options: { idempotencyKey: "k".repeat(2_049) } }),
    400,
    validation(/2048/),
  ],
  [
    "trigger: long key header",
    "/api/v1/tasks/a/trigger",
    { ...post({}), headers: { "idempotency-key": "k".repeat(2_049) } },
    400,
    { error: "Headers Error" },
  ],
  [
    "trigger: stored payload without a path",
    "/api/v1/tasks/a/trigger",
    post({ options: { payloadType: "application/store" } }),
    400,
    validation(/non-empty string/),
  ],
  [
    "trigger: stored payload that is not there",
    "/api/v1/tasks/a/trigger",
    post({ payload: "none", options: { payloadType: "application/store" } }),
    422,
  ],
  [
    "trigger: broken super+json",
    "/api/v1/tasks/a/trigger",
    post({ payload: "{", options: { payloadType: "application/super+json" } }),
    422,
  ],
  [
    "trigger: too large",
    "/api/v1/tasks/a/trigger",
    post({ payload: "x".repeat(3_145_728) }),
    413,
    { error: "Request body too large" },
  ],

  [
    "v2 batch: empty",
    "/api/v2/tasks/batch",
    post({ items: [] }),
    400,
    { error: "Batch cannot be triggered with no items" },
  ],
  [
    "v2 batch: 501",
    "/api/v2/tasks/batch",
    post({ items: Array(501).fill({ task: "a" }) }),
    400,
    { error: "Batch size of 501 is too large. Maximum allowed batch size is 500." },
  ],
  ["v3 batch: 1,001", "/api/v3/batches", post({ runCount: 1_001 }), 400, validation(/runCount/)],
  ["v3 items: wrong type", "/api/v3/batches/$batch/items", post("{}"), 415],
  ["v3 items: not JSON", "/api/v3/batches/$batch/items", ndjson("{"), 400, { error: "Invalid JSON" }],
  ["v3 items: unknown batch", "/api/v3/batches/batch_none/items", ndjson('{"index":0,"task":"a"}'), 422],
  ["v3 items: beyond the batch", "/api/v3/batches/$batch/items", ndjson('{"index":9,"task":"a"}'), 422],
  ["v3 items: GET", "/api/v3/batches/$batch/items", {}, 405],

  ["packets: no signature", "/packets/runs/x/payload", { token: null }, 403],
  [
    "packets: forged signature",
    "/packets/objects/x?expires=9999999999999&signature=00",
    { token: null },
    403,
  ],
  ["auth/jwt: not JSON", "/api/v1/auth/jwt", post("{"), 500],
  [
    "auth/jwt: wrong claims",
    "/api/v1/auth/jwt",
    post({ claims: { scopes: "all" } }),
    400,
    { error: "Invalid request body" },
  ],
  [
    "auth/public-tokens: not JSON",
    "/api/v1/auth/public-tokens",
    post("{"),
    400,
    { error: "Invalid request body" },
  ],
  [
    "auth/public-tokens: no scopes",
    "/api/v1/auth/public-tokens",
    post({ scopes: [] }),
    400,
    { error: "Invalid request body" },
  ],
  [
    "auth/public-tokens: bad time",
    "/api/v1/auth/public-tokens",
    post({ scopes: ["read:runs"], expirationTime: "soon" }),
    400,
    { error: "Invalid expiration time" },
  ],
  [
    "auth/public-tokens: past",
    "/api/v1/auth/public-tokens",
    post({ scopes: ["read:runs"], expirationTime: 5 }),
    400,
    { error: "Expiration time must be in the future" },
  ],
  [
    "auth/public-tokens: 31 days",
    "/api/v1/auth/public-tokens",
    post({ scopes: ["read:runs"], expirationTime: "31 days" }),
    400,
    { error: "Expiration time cannot exceed 30 days" },
  ],
  [
    "auth/public-tokens: scope without a type",
    "/api/v1/auth/public-tokens",
    post({ scopes: ["read"] }),
    403,
    { code: "scopes_exceed_key_access", deniedScopes: ["read"] },
  ],
];

function ndjson(body: string): Ask {
  return { method: "POST", body, headers: { "content-type": "application/x-ndjson" } };
}

describe("bad input", () => {
  let api: TestApi;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    api = await startTestApi({ logger: { error: () => {} }, rateLimits: { secretKey: PLENTY } });
    ids.run = await api.trigger("send-welcome-email", {}, { delay: "1h" });
    ids.done = await api.trigger("send-welcome-email", {});
    ids.ref = api.projectRef;
    ids.batch = (await api.ask("/api/v3/batches", post({ runCount: 2 }))).body.id;
    await api.settled(ids.done);
  });
  afterAll(() => api?.close());

  afterEach(async () => {
    expect((await api.ask(`/api/v3/runs/${ids.run}`)).body.status).toBe("DELAYED");
  });

  it.each(ROWS)("%s", async (_, path, ask, status, body) => {
    const answer = await api.ask(
      path.replace(/\$(run|done|ref|batch)/, (_, name) => ids[name] ?? ""),
      ask,
    );
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
    if (Array.isArray((body as { details?: unknown[] })?.details)) {
      expect(answer.body.error).toBe("Query Error");
      expect(answer.body.details[0]).toMatchObject({ message: expect.any(String), path: expect.any(Array) });
    } else if (body !== undefined) expect(answer.body).toMatchObject(body as object);
  });

  it("run reads ask to be retried when the run is not there, other 404s do not", async () => {
    for (const path of [
      "/api/v3/runs/run_none",
      "/api/v1/runs/run_none/trace",
      "/api/v1/runs/run_none/events",
    ]) {
      expect((await api.ask(path)).headers.get("x-should-retry")).toBe("true");
    }
    const span = await api.ask(`/api/v1/runs/${ids.run}/spans/00f067aa0ba902b7`);
    expect(span.headers.get("x-should-retry")).toBeNull();
  });

  it("an upload without Content-Length is too large wherever a size is guarded", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{}"));
        controller.close();
      },
    });
    const response = await fetch(`${api.url}/api/v1/tasks/a/trigger`, {
      method: "POST",
      body,
      duplex: "half",
      headers: { authorization: `Bearer ${api.secretKey}` },
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ error: "Request body too large" });
  });

  it("a client that hangs up in the middle of a body does no harm", async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => socket.once("connect", resolve));
    const head = `POST /api/v1/tasks/a/trigger HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.secretKey}\r\n`;
    socket.write(`${head}Content-Length: 100\r\n\r\n{"payload"`, () => socket.destroy());
    await new Promise((resolve) => socket.once("close", resolve));
  });

  it("CORS: preflight is answered, and failures too can be read from any origin", async () => {
    const preflight = await api.ask(`/api/v3/runs/${ids.run}`, { method: "OPTIONS", token: null });
    expect(preflight.status).toBe(200);
    expect(preflight.body).toEqual({});
    expect(preflight.headers.get("access-control-max-age")).toBe("300");
    const missing = await api.ask("/api/v3/runs/run_none");
    expect(missing.headers.get("access-control-allow-origin")).toBe("*");
    expect((await api.ask(`/api/v1/runs/${ids.run}/result`)).headers.has("access-control-allow-origin")).toBe(
      false,
    );
  });

  it("a project list without an environment it knows is a 500, as the real one's is", async () => {
    for (const query of ["", "?filter[env]=staging"]) {
      const answer = await api.ask(`/api/v1/projects/${api.projectRef}/runs${query}`, {
        token: api.personalToken,
      });
      expect(answer.status).toBe(500);
      expect(answer.body).toEqual({ error: "Internal Server Error" });
    }
    const other = await api.ask("/api/v1/projects/proj_x/runs?filter[env]=dev", { token: api.personalToken });
    expect(other.body).toEqual({ error: "Project not found" });
  });

  it("the unauthorized body is the same everywhere", async () => {
    const { body } = await api.ask("/api/v1/auth/jwt", post({}));
    for (const [path, ask] of [
      ["/api/v1/runs", {}],
      [`/api/v3/runs/${ids.run}`, {}],
      [`/api/v2/runs/${ids.run}/cancel`, post()],
      ["/api/v2/runs/run_none/cancel", post()],
      ["/api/v1/tasks/a/trigger", post({})],
    ] as [string, Ask][]) {
      const answer = await api.ask(path, { ...ask, token: body.token });
      expect(answer.status).toBe(403);
      expect(answer.body).toEqual(UNAUTHORIZED);
    }
  });
});
