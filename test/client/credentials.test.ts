import { SignJWT } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { json, type Reply, silence, stream } from "../support/fake-api.ts";
import { type Bench, bench, runBody, SECRET, sessionBody, thrown } from "./support.ts";

const PAT = "tr_pat_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const JWT = "POST /api/v1/projects/proj_1/prod/jwt";
const KEY = "GET /api/v1/projects/proj_1/prod";
const RUN = "GET /api/v3/runs/run_1";

let at: Bench;
beforeEach(async () => {
  at = await bench({ token: PAT, projectRef: "proj_1", environment: "prod" });
});
afterEach(async () => {
  await at.close();
});

const jwt = (name: string, expires = "2026-08-20T11:00:00.000Z") =>
  new SignJWT({ pub: true, scopes: ["read:runs"], name })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime(new Date(expires))
    .sign(new TextEncoder().encode("key"));

const hands = (token: string): Reply => json(200, { token });
const bearers = (path: string) =>
  at.server.requests
    .filter((request) => request.path === path)
    .map((request) => request.headers.authorization);

test("every request says who asks and in which vocabulary", async () => {
  const api = at.client({ token: SECRET, branch: "feature/x", userAgent: "trigger-mcp/9" });
  at.server.plan(RUN, json(200, runBody()));
  await api.runs.retrieve("run_1");
  expect(at.server.requests[0]?.headers).toMatchObject({
    authorization: `Bearer ${SECRET}`,
    "x-trigger-api-version": "2025-07-16",
    "x-trigger-source": "mcp",
    "x-trigger-branch": "feature/x",
    "user-agent": "trigger-mcp/9",
  });
});

test("a personal token is exchanged for the scopes a call needs, once for many calls", async () => {
  const token = await jwt("a");
  at.server.plan(JWT, hands(token));
  at.server.planForever(RUN, json(200, runBody()));
  await Promise.all([1, 2, 3].map(() => at.api.runs.retrieve("run_1")));
  await at.api.runs.retrieve("run_1");
  at.server.verify();
  expect(bearers("/api/v1/projects/proj_1/prod/jwt")).toEqual([`Bearer ${PAT}`]);
  expect(JSON.parse(at.server.requests[0]?.body ?? "")).toEqual({ claims: { scopes: ["read:runs"] } });
  expect(new Set(bearers("/api/v3/runs/run_1"))).toEqual(new Set([`Bearer ${token}`]));
});

test("other scopes are another exchange", async () => {
  at.server.plan(JWT, hands(await jwt("a")), hands(await jwt("b")), hands(await jwt("c")));
  at.server.plan(RUN, json(200, runBody()));
  at.server.plan("POST /api/v2/runs/run_1/cancel", json(200, { id: "run_1" }));
  at.server.plan("POST /api/v1/sessions/c/close", json(200, sessionBody()));
  await at.api.runs.retrieve("run_1");
  await at.api.runs.cancel("run_1");
  await at.api.sessions.close("c");
  at.server.verify();
  const scopes = at.server.requests
    .filter((request) => request.path.endsWith("/jwt"))
    .map((request) => JSON.parse(request.body).claims.scopes);
  expect(scopes).toEqual([["read:runs"], ["write:runs"], ["admin:sessions"]]);
});

test("a token is replaced shortly before it expires", async () => {
  at.server.plan(JWT, hands(await jwt("a", "2026-08-20T10:01:30.000Z")), hands(await jwt("b")));
  at.server.plan(RUN, json(200, runBody()), json(429, {}, { "retry-after": "29" }), json(200, runBody()));
  await at.api.runs.retrieve("run_1");
  await at.api.runs.retrieve("run_1");
  at.server.plan(RUN, json(429, {}, { "retry-after": "5" }), json(200, runBody()), json(200, runBody()));
  await at.api.runs.retrieve("run_1");
  await at.api.runs.retrieve("run_1");
  at.server.verify();
});

test.each([401, 403])("%i renews the token once, then is final", async (status) => {
  at.server.plan(JWT, hands(await jwt("a")), hands(await jwt("b")));
  at.server.plan(RUN, json(status, { error: "no" }), json(status, { error: "no" }));
  expect((await thrown(at.api.runs.retrieve("run_1"))).status).toBe(status);
  at.server.verify();
});

test("what must not be repeated still goes out again with a renewed key: it had been refused unseen", async () => {
  at.server.plan(KEY, json(200, { apiKey: "tr_prod_old" }), json(200, { apiKey: "tr_prod_new" }));
  at.server.plan("POST /api/v1/runs/run_1/replay", json(401, {}), json(200, { id: "run_2" }));
  expect(await at.api.runs.replay("run_1")).toEqual({ id: "run_2" });
  expect(bearers("/api/v1/runs/run_1/replay")).toEqual(["Bearer tr_prod_old", "Bearer tr_prod_new"]);
});

test("the secret key is fetched once, for the plain routes only", async () => {
  at.server.plan(KEY, json(200, { apiKey: "tr_prod_secret" }));
  at.server.plan("POST /api/v1/runs/run_1/tags", json(200, { message: "Successfully set 2 new tags." }));
  at.server.plan("POST /api/v1/runs/run_1/reschedule", json(200, runBody()));
  expect(await at.api.runs.addTags("run_1", ["a", "b"])).toEqual({ added: 2 });
  await at.api.runs.reschedule("run_1", "1h");
  at.server.verify();
});

test("runs are listed through the project with the personal token itself", async () => {
  const api = at.client({ environment: "staging" });
  at.server.plan("GET /api/v1/projects/proj_1/runs", json(200, { data: [runBody()], pagination: {} }));
  await api.runs.list({ status: ["FAILED"] });
  expect(at.server.requests[0]?.query).toEqual({ "filter[env]": "stg", "filter[status]": "FAILED" });
  expect(at.server.requests[0]?.headers.authorization).toBe(`Bearer ${PAT}`);
});

test("in dev they are listed with an exchanged token: the project form cannot tell developers apart", async () => {
  const api = at.client({ environment: "dev" });
  at.server.plan("POST /api/v1/projects/proj_1/dev/jwt", hands(await jwt("a")));
  at.server.plan("GET /api/v1/runs", json(200, { data: [], pagination: {} }));
  await api.runs.list({});
  at.server.verify();
});

test("stg is spelled staging in the exchange", async () => {
  at.server.plan("POST /api/v1/projects/proj_1/staging/jwt", hands(await jwt("a")));
  expect(await at.client({ environment: "stg" }).probe()).toEqual({ environment: "stg" });
  at.server.verify();
});

test("a personal token without project and environment says what to set", async () => {
  const api = at.client({ environment: "prod" });
  expect(api.access).toEqual({ kind: "personal" });
  const lost = await bench({ token: PAT });
  expect((await thrown(lost.api.runs.retrieve("run_1"))).code).toBe("not_configured");
  await lost.close();
});

test("a failed exchange is told as it is, and tried again by the next call", async () => {
  at.server.plan(JWT, json(404, { error: "Project not found" }), hands(await jwt("a")));
  at.server.plan(RUN, json(200, runBody()));
  expect(await thrown(at.api.runs.retrieve("run_1"))).toMatchObject({
    status: 404,
    said: "Project not found",
  });
  await at.api.runs.retrieve("run_1");
});

test("a caller who goes away stops waiting for the exchange, which goes on for the others", async () => {
  let answer = () => {};
  const token = await jwt("a");
  const asked = new Promise<void>((resolve) => {
    at.server.plan(JWT, (response, request) => {
      answer = () => hands(token)(response, request);
      resolve();
    });
  });
  at.server.plan(RUN, json(200, runBody()));
  const caller = new AbortController();
  const left = thrown(at.api.runs.retrieve("run_1", { signal: caller.signal }));
  const stayed = at.api.runs.retrieve("run_1");
  await asked;
  caller.abort();
  expect((await left).code).toBe("cancelled");
  answer();
  expect((await stayed).id).toBe("run_1");
});

test("a deadline holds during the exchange", async () => {
  at.server.plan(JWT, silence);
  const api = at.client({ now: Date.now });
  const error = await thrown(api.runs.retrieve("run_1", { deadline: Date.now() + 50 }));
  expect(error.code).toBe("timeout");
});

test("a stream connects with a renewed token after one refusal", async () => {
  at.server.plan(JWT, hands(await jwt("a")), hands(await jwt("b")));
  at.server.plan(
    "GET /realtime/v1/sessions/c/out",
    json(401, {}),
    stream("data: [DONE]\n\n", "end", { "x-session-settled": "true" }),
  );
  for await (const _ of at.api.channels.follow({ session: "c", io: "out" })) expect.unreachable();
  at.server.verify();
});

test("a public token says what it may do", async () => {
  const token = await jwt("a");
  expect(at.client({ token }).access).toEqual({
    kind: "public",
    scopes: ["read:runs"],
    expiresAt: Date.parse("2026-08-20T11:00:00.000Z"),
  });
});

test("a public token that may not list runs still probes as working, one that is refused does not", async () => {
  const api = at.client({ token: await jwt("a") });
  at.server.plan("GET /api/v1/runs", json(403, { error: "Unauthorized" }), json(401, { error: "invalid" }));
  await api.probe();
  expect((await thrown(api.probe())).code).toBe("unauthorized");
});

test("a secret key is probed without reading anything", async () => {
  const api = at.client({ token: SECRET });
  at.server.plan("POST /api/v1/auth/jwt/claims", json(200, { sub: "env", pub: true }));
  expect(await api.probe()).toEqual({ environment: "dev" });
});

test("tokens are minted by a secret key, and exchanged from a personal one", async () => {
  at.server.plan("POST /api/v1/auth/public-tokens", json(200, { token: "a.b.c" }));
  expect(await at.client({ token: SECRET }).tokens.mint(["read:runs"], "1h")).toBe("a.b.c");
  expect(JSON.parse(at.server.requests[0]?.body ?? "")).toEqual({
    scopes: ["read:runs"],
    expirationTime: "1h",
  });
  at.server.plan(JWT, hands("d.e.f"));
  expect(await at.api.tokens.mint(["read:runs"])).toBe("d.e.f");
});
