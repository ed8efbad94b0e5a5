import {
  CreatedSessionResponseBody,
  EndAndContinueSessionResponseBody,
  ListSessionsResponseBody,
  RetrieveSessionResponseBody,
  SessionTranscriptResponseBody,
  serializeTranscriptSnapshot,
} from "@trigger.dev/core/v3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openApiErrors } from "../support/openapi.ts";
import { type SessionsApp, startSessionsApp } from "../support/sessions-app.ts";

let app: SessionsApp;

beforeEach(async () => {
  app = await startSessionsApp();
});
afterEach(() => app.close());

const call = async (method: string, path: string, body?: unknown, token?: string) => {
  const response = await app.request(method, `/api/v1/sessions${path}`, {
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(token !== undefined && { token }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse((await response.text()) || "null"),
  };
};
const start = {
  type: "chat.agent",
  taskIdentifier: "quiet",
  triggerConfig: { basePayload: { chatId: "c" } },
};
const payloadOf = (runId: string) =>
  JSON.parse(app.engine.runs.find(app.environment.id, runId)?.payload ?? "null");
const end = async (runId: string) => {
  const run = app.engine.runs.find(app.environment.id, runId);
  if (run !== undefined) app.engine.cancel(run);
  await app.engine.settled(runId);
};

describe("creating", () => {
  it("makes a session with a live run and a token that accepts both id forms for an hour", async () => {
    const { status, body, headers } = await call("POST", "", {
      ...start,
      externalId: " chat-1 ",
      tags: ["a"],
      metadata: { plan: "pro" },
      expiresAt: "2099-01-01T00:00:00Z",
      triggerConfig: { basePayload: { chatId: "c" }, idleTimeoutInSeconds: 9, nonsense: true },
    });
    expect(status).toBe(201);
    CreatedSessionResponseBody.parse(body);
    expect(headers.get("x-trigger-jwt")).toBeNull();
    expect(body).toMatchObject({
      externalId: "chat-1",
      type: "chat.agent",
      taskIdentifier: "quiet",
      triggerConfig: { basePayload: { chatId: "c" }, idleTimeoutInSeconds: 9 },
      tags: ["a"],
      metadata: { plan: "pro" },
      closedAt: null,
      closedReason: null,
      expiresAt: "2099-01-01T00:00:00.000Z",
      isCached: false,
    });
    expect(body.triggerConfig).not.toHaveProperty("nonsense");
    expect(body.id).toMatch(/^session_c[0-9a-z]{24}$/);
    expect(body.currentRunId).toBe(body.runId);
    expect(payloadOf(body.runId)).toEqual({ chatId: "c", sessionId: body.id, idleTimeoutInSeconds: 9 });
    const claims = JSON.parse(Buffer.from(body.publicAccessToken.split(".")[1], "base64url").toString());
    expect(claims).toMatchObject({
      pub: true,
      sub: app.environment.id,
      scopes: ["read:sessions:chat-1", "write:sessions:chat-1"],
    });
    expect(claims.exp - claims.iat).toBe(3_600);
    for (const id of ["chat-1", body.id]) {
      expect((await call("GET", `/${id}`, undefined, body.publicAccessToken)).status).toBe(200);
    }
  });

  it("is idempotent on the external id alone and then overwrites only triggerConfig", async () => {
    const first = (await call("POST", "", { ...start, externalId: "c", tags: ["first"] })).body;
    const again = await call("POST", "", {
      type: "other",
      taskIdentifier: "support-agent",
      externalId: "c",
      tags: ["second"],
      metadata: { x: 1 },
      triggerConfig: { basePayload: { chatId: "new" } },
    });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      id: first.id,
      type: "chat.agent",
      taskIdentifier: "quiet",
      tags: ["first"],
      metadata: null,
      triggerConfig: { basePayload: { chatId: "new" } },
      runId: first.runId,
      isCached: true,
    });
    const other = (await call("POST", "", start)).body;
    expect((await call("POST", "", start)).body.id).not.toBe(other.id);
  });

  it("continues in a fresh run when the last one has ended", async () => {
    const basePayload = { chatId: "c", trigger: "submit-message", message: { id: "u" }, messages: [] };
    const create = () => call("POST", "", { ...start, externalId: "c", triggerConfig: { basePayload } });
    const first = (await create()).body;
    expect(payloadOf(first.runId)).toEqual({ ...basePayload, sessionId: first.id });
    await end(first.runId);
    const second = (await create()).body;
    expect(second.runId).not.toBe(first.runId);
    expect(payloadOf(second.runId)).toEqual({
      chatId: "c",
      sessionId: first.id,
      continuation: true,
      previousRunId: first.runId,
    });
  });

  it("refuses closed and expired sessions after overwriting their triggerConfig", async () => {
    await call("POST", "", { ...start, externalId: "shut" });
    await call("POST", "/shut/close", {});
    const triggerConfig = { basePayload: { chatId: "late" } };
    const { status, body } = await call("POST", "", { ...start, externalId: "shut", triggerConfig });
    expect([status, body]).toEqual([
      409,
      { error: "Session is closed; use a different externalId to create a new session" },
    ]);
    expect((await call("GET", "/shut")).body.triggerConfig).toEqual(triggerConfig);

    await call("POST", "", { ...start, externalId: "old", expiresAt: new Date(Date.now() + 60_000) });
    app.clock.aheadMs = 120_000;
    expect((await call("POST", "", { ...start, externalId: "old" })).body.error).toMatch(
      /^Session is expired;/,
    );
  });

  it("keeps every key of triggerConfig and gives its runs what they are for", async () => {
    const triggerConfig = {
      basePayload: {},
      concurrency: ["tenants"],
      concurrencyKey: "acme",
      externalDeploymentId: "sha-1",
      ttl: 600,
      idleTimeoutInSeconds: 5,
    };
    const { body } = await call("POST", "", { ...start, triggerConfig: { ...triggerConfig, unknown: 1 } });
    expect(body.triggerConfig).toEqual(triggerConfig);
    expect(app.engine.runs.find(app.environment.id, body.runId)).toMatchObject({
      concurrencyKey: "acme",
      ttl: "600s",
    });
    const refused = { ...triggerConfig, concurrency: ["a", "b", "c"] };
    expect((await call("POST", "", { ...start, triggerConfig: refused })).status).toBe(400);
  });

  it("waits for a version when nobody has the task", async () => {
    const { status, body } = await call("POST", "", { ...start, taskIdentifier: "unheard-of" });
    expect([status, body.pendingVersion]).toEqual([201, true]);
    expect((await call("GET", `/${body.id}`)).body).not.toHaveProperty("pendingVersion");
  });

  it.each([
    ["", "Request body is empty"],
    ["{", "Invalid JSON"],
    ["null", "Invalid JSON"],
    [{}, /^Validation error: /],
    [{ ...start, type: "" }, /"type"/],
    [{ ...start, type: "x".repeat(65) }, /"type"/],
    [{ ...start, externalId: "session_x" }, /cannot start with 'session_'/],
    [{ ...start, externalId: "  " }, /"externalId"/],
    [{ ...start, externalId: "nul\u0000" }, /"externalId"/],
    [{ ...start, externalId: "half \ud800" }, /"externalId"/],
    [{ ...start, tags: Array(11).fill("t") }, /"tags"/],
    [{ ...start, triggerConfig: {} }, /"triggerConfig.basePayload"/],
    [{ ...start, triggerConfig: { basePayload: {}, maxAttempts: 11 } }, /"triggerConfig.maxAttempts"/],
  ])("answers 400 to %j", async (body, message) => {
    const answer = await call("POST", "", body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(message);
  });

  it("takes no body over 32,768 bytes", async () => {
    const { status, body } = await call("POST", "", { ...start, metadata: { x: "x".repeat(33_000) } });
    expect([status, body]).toEqual([413, { error: "Request body too large" }]);
  });

  it("takes a token for the task or for sessions as a whole", async () => {
    const allowed = [["write:tasks:quiet"], ["write:sessions"], ["admin"]];
    for (const scopes of allowed)
      expect((await call("POST", "", start, await app.token(...scopes))).status).toBe(201);
    const refused = [["write:tasks:other"], ["write:sessions:c"], ["read:sessions"], []];
    for (const scopes of refused)
      expect((await call("POST", "", start, await app.token(...scopes))).status).toBe(403);
  });
});

describe("reading", () => {
  it("retrieves by either id, and says Not found without a retry", async () => {
    const { id } = (await call("POST", "", { ...start, externalId: "a/b c" })).body;
    for (const form of [id, encodeURIComponent("a/b c")]) {
      const { status, body } = await call("GET", `/${form}`);
      expect([status, body.id]).toEqual([200, id]);
      RetrieveSessionResponseBody.parse(body);
    }
    const missing = await call("GET", "/nobody");
    expect([missing.status, missing.body, missing.headers.get("x-should-retry")]).toEqual([
      404,
      { error: "Not found" },
      "false",
    ]);
    expect((await call("GET", `/${id}`, undefined, await app.token("read:sessions:x"))).status).toBe(403);
  });

  it("pages newest first in both directions", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift((await call("POST", "", start)).body.id);
    const page = async (query: string) => {
      const { body } = await call("GET", `?page[size]=2${query}`);
      ListSessionsResponseBody.parse(body);
      return { ids: body.data.map(({ id }: { id: string }) => id), ...body.pagination };
    };
    const first = await page("");
    expect(first).toEqual({ ids: ids.slice(0, 2), next: ids[1]?.slice(8) });
    const second = await page(`&page[after]=${first.next}`);
    expect(second).toEqual({ ids: ids.slice(2, 4), next: ids[3]?.slice(8), previous: ids[2]?.slice(8) });
    expect(await page(`&page[after]=${second.next}`)).toEqual({
      ids: ids.slice(4),
      previous: ids[4]?.slice(8),
    });
    expect(await page(`&page[before]=${second.previous}`)).toEqual(first);
  });

  it("filters by one value each and never splits on commas", async () => {
    await call("POST", "", { ...start, externalId: "a", tags: ["red", "blue"] });
    await call("POST", "", { ...start, externalId: "b", type: "other", taskIdentifier: "support-agent" });
    await call("POST", "", { ...start, externalId: "c", expiresAt: new Date(Date.now() + 1_000) });
    await call("POST", "/b/close", {});
    app.clock.aheadMs = 5_000;
    const found = async (query: string) => {
      const { body } = await call("GET", `?${query}`);
      for (const item of body.data) expect(item).not.toHaveProperty("triggerConfig");
      return body.data.map(({ externalId }: { externalId: string }) => externalId).sort();
    };
    expect(await found("filter[type]=chat.agent")).toEqual(["a", "c"]);
    expect(await found("filter[type]=chat.agent,other")).toEqual([]);
    expect(await found("filter[tags]=blue")).toEqual(["a"]);
    expect(await found("filter[taskIdentifier]=support-agent")).toEqual(["b"]);
    expect(await found("filter[externalId]=c")).toEqual(["c"]);
    expect(await found("filter[status]=ACTIVE")).toEqual(["a"]);
    expect(await found("filter[status]=CLOSED")).toEqual(["b"]);
    expect(await found("filter[status]=EXPIRED")).toEqual(["c"]);
    expect(await found("filter[createdAt][period]=1h")).toEqual(["a", "b", "c"]);
    expect(await found(`filter[createdAt][from]=${Date.now() + 60_000}`)).toEqual([]);
    expect(await found("filter[status]=CLOSED&filter[status]=ACTIVE")).toEqual(["a"]);
  });

  it.each([
    "page[size]=0",
    "page[size]=101",
    "page[after]=a&page[before]=b",
    "filter[status]=ACTIVE,CLOSED",
    "filter[createdAt][from]=2026-01-01",
    "filter[createdAt][period]=soon",
  ])("answers a Query Error to %s", async (query) => {
    const { status, body } = await call("GET", `?${query}`);
    expect([status, body.error]).toEqual([400, "Query Error"]);
  });

  it("lists for tokens of sessions, tasks, or the one task asked for", async () => {
    const status = async (query: string, ...scopes: string[]) =>
      (await call("GET", query, undefined, await app.token(...scopes))).status;
    expect(await status("", "read:sessions")).toBe(200);
    expect(await status("", "read:tasks")).toBe(200);
    expect(await status("", "read:tasks:quiet")).toBe(403);
    expect(await status("?filter[taskIdentifier]=quiet", "read:tasks:quiet")).toBe(200);
    expect(await status("?filter[taskIdentifier]=other", "read:tasks:quiet")).toBe(403);
  });
});

describe("changing", () => {
  it("replaces tags and metadata, clears metadata with null, and keeps the external id", async () => {
    await call("POST", "", { ...start, externalId: "c", tags: ["a"], metadata: { x: 1 } });
    const patched = await call("PATCH", "/c", { tags: ["b"], externalId: "c" });
    RetrieveSessionResponseBody.parse(patched.body);
    expect(patched.body).toMatchObject({ tags: ["b"], metadata: { x: 1 } });
    expect((await call("PATCH", "/c", { metadata: null })).body.metadata).toBeNull();
    expect((await call("PATCH", "/c", {})).body.tags).toEqual(["b"]);
    const fixed =
      "externalId cannot be changed after creation; close this session and create a new one with the desired externalId";
    for (const externalId of ["d", null]) {
      expect(await call("PATCH", "/c", { externalId })).toMatchObject({
        status: 422,
        body: { error: fixed },
      });
    }
    expect(await call("PATCH", "/nobody", {})).toMatchObject({
      status: 404,
      body: { error: "Session not found" },
    });
  });

  it("closes once and for good, and says so on .out", async () => {
    await call("POST", "", { ...start, externalId: "c" });
    const closed = await call("POST", "/c/close", { reason: "solved" });
    RetrieveSessionResponseBody.parse(closed.body);
    expect(closed.body.closedReason).toBe("solved");
    expect(closed.body.closedAt).toMatch(/Z$/);
    const again = await call("POST", "/c/close", { reason: "other" });
    expect([again.body.closedAt, again.body.closedReason]).toEqual([closed.body.closedAt, "solved"]);
    const records = await app.request("GET", "/realtime/v1/sessions/c/out/records");
    expect(await records.json()).toMatchObject({
      records: [
        {
          headers: [
            ["trigger-control", "session-closed"],
            ["session-closed-reason", "solved"],
          ],
        },
      ],
    });
    expect((await call("POST", "/c/close", "")).status).toBe(400);
    expect((await call("POST", "/c/close", { reason: "x".repeat(1_100) })).status).toBe(413);
    expect((await call("POST", "/nobody/close", {})).body).toEqual({ error: "Session not found" });
    expect((await call("PATCH", "/c", { tags: ["still"] })).body.tags).toEqual(["still"]);
  });

  it("updates and closes only for the admin action on the id as written", async () => {
    const { id } = (await call("POST", "", { ...start, externalId: "c" })).body;
    const status = async (form: string, scope: string) =>
      (await call("PATCH", `/${form}`, {}, await app.token(scope))).status;
    expect(await status("c", "write:sessions:c")).toBe(403);
    expect(await status("c", "admin:sessions:c")).toBe(200);
    expect(await status(id, "admin:sessions:c")).toBe(403);
    expect(await status(id, "admin:sessions")).toBe(200);
    expect((await call("POST", "/c/close", {}, await app.token("write:sessions"))).status).toBe(403);
  });

  it("hands over to a fresh run once", async () => {
    const { id, runId } = (await call("POST", "", { ...start, externalId: "c" })).body;
    const handOver = (callingRunId: string) =>
      call("POST", `/${id}/end-and-continue`, { callingRunId, reason: "upgrade" });
    const first = await handOver(runId);
    EndAndContinueSessionResponseBody.parse(first.body);
    expect(first.body.swapped).toBe(true);
    expect(payloadOf(first.body.runId)).toMatchObject({ continuation: true, previousRunId: runId });
    expect((await call("GET", "/c")).body.currentRunId).toBe(first.body.runId);
    expect((await handOver(runId)).body).toEqual({ runId: first.body.runId, swapped: false });
    expect(await handOver("run_nobody")).toMatchObject({
      status: 404,
      body: { error: "callingRunId not found in this environment" },
    });
    await call("POST", "/c/close", {});
    expect(await handOver(first.body.runId)).toMatchObject({
      status: 400,
      body: { error: "Cannot end-and-continue a closed session" },
    });
    expect(
      (await call("POST", "/nobody/end-and-continue", { callingRunId: runId, reason: "x" })).body,
    ).toEqual({
      error: "Resource not found",
    });
  });
});

describe("the official document", () => {
  it("describes every good answer about sessions", async () => {
    const check = async (template: string, method: string, path: string, body?: unknown) => {
      const answer = await call(method.toUpperCase(), path, body);
      const documented = `/api/v1/sessions${template}`;
      expect(openApiErrors(method, documented, answer.status, answer.body)).toEqual([]);
      return answer.status;
    };
    const given = { ...start, externalId: "c", tags: ["a"], metadata: { x: 1 } };
    expect(await check("", "post", "", given)).toBe(201);
    expect(await check("", "post", "", given)).toBe(200);
    expect(await check("", "get", "?page[size]=1")).toBe(200);
    expect(await check("/{session}", "get", "/c")).toBe(200);
    expect(await check("/{session}", "patch", "/c", { tags: [] })).toBe(200);
    expect(await check("/{session}/close", "post", "/c/close", {})).toBe(200);
  });
});

describe("snapshot and transcript", () => {
  const messages = ["one", "two", "three"].map((text) => ({
    id: text,
    role: "user" as const,
    parts: [{ type: "text" as const, text }],
  }));

  it("stores and serves the snapshot by links that live 300 s, and pages the transcript from it", async () => {
    const { id } = (await call("POST", "", { ...start, externalId: "c" })).body;
    const token = await app.token(`read:sessions:${id}`, "write:sessions:c");
    const link = async (method: string) =>
      (await call(method, "/c/snapshot-url", undefined, token)).body.presignedUrl;
    expect((await fetch(await link("GET"))).status).toBe(404);
    expect((await call("GET", "/c/transcript")).body).toEqual({ messages: [] });

    const snapshot = { version: 1, savedAt: 1, messages, lastOutEventId: "41", lastInEventId: "7" };
    const upload = await link("PUT");
    expect((await fetch(upload, { method: "PUT", body: JSON.stringify(snapshot) })).status).toBe(200);
    const download = await link("GET");
    expect(await (await fetch(download)).json()).toEqual(snapshot);
    expect((await fetch(download, { method: "PUT", body: "{}" })).status).toBe(403);

    const page = await call("GET", `/${id}/transcript?limit=2`);
    SessionTranscriptResponseBody.parse(page.body);
    const cursors = { lastOutEventId: "41", lastInEventId: "7" };
    expect(page.body).toEqual({ messages: messages.slice(1), cursors, nextCursor: "two" });
    expect((await call("GET", "/c/transcript?limit=2&before=two")).body).toEqual({
      messages: messages.slice(0, 1),
      cursors,
    });
    expect((await call("GET", "/c/transcript", undefined, token)).status).toBe(401);

    app.clock.aheadMs = 300_001;
    expect((await fetch(download)).status).toBe(403);
  });

  it("reads a version 2 transcript as it reads a snapshot", async () => {
    await call("POST", "", { ...start, externalId: "c" });
    const { presignedUrl } = (await call("PUT", "/c/snapshot-url")).body;
    const entries = messages.map((message) => ({ id: message.id, final: true, message }));
    const stored = { version: 2, savedAt: 1, messages: entries, state: { private: true } } as const;
    const body = serializeTranscriptSnapshot({ ...stored, lastOutEventId: "41", lastInEventId: "7" });
    const headers = { "content-type": "application/vnd.trigger.transcript+ndjson" };
    expect((await fetch(presignedUrl, { method: "PUT", body, headers })).status).toBe(200);
    expect((await call("GET", "/c/transcript?limit=2")).body).toEqual({
      messages: messages.slice(1),
      cursors: { lastOutEventId: "41", lastInEventId: "7" },
      nextCursor: "two",
    });
  });

  it("finds no link for a session that is not there", async () => {
    expect((await call("GET", "/nobody/snapshot-url")).body).toEqual({ error: "Not found" });
    expect((await call("PUT", "/nobody/snapshot-url")).body).toEqual({ error: "Resource not found" });
    await call("POST", "", { ...start, externalId: "c" });
    const reader = await app.token("read:sessions:c");
    expect((await call("PUT", "/c/snapshot-url", undefined, reader)).status).toBe(403);
  });
});
