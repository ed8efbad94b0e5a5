import { jwtVerify, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Listening, listen } from "../../src/embedded/listen.ts";
import { createServices, type Services } from "../../src/embedded/services.ts";
import { openDatabase } from "../../src/embedded/store/db.ts";
import { createEnvironmentStore } from "../../src/embedded/store/environments.ts";
import { type Answer, type Ask, asker } from "../support/embedded.ts";

const ADDITIONAL = `tr_dev_sk_${"a".repeat(24)}`;
const ADMIN = `tr_dev_sk_${"b".repeat(24)}`;
const post = (body?: unknown, token?: string | null): Ask => ({
  method: "POST",
  body,
  ...(token === undefined ? {} : { token }),
});

describe("credentials", () => {
  const db = openDatabase();
  let services: Services;
  let server: Listening;
  let ask: (path: string, ask?: Ask) => Promise<Answer>;
  let run: string;
  let previewKey: string;
  const environments = () => createEnvironmentStore(db).all();

  beforeAll(async () => {
    services = createServices({ db });
    const store = createEnvironmentStore(db);
    const { development } = services.instance;
    store.addKey(ADDITIONAL, development, ["read:runs", "write:tasks:send-welcome-email"]);
    store.addKey(ADMIN, development, ["admin"]);
    const preview = environments().find(({ slug }) => slug === "preview");
    if (preview === undefined) throw new Error("no preview environment");
    previewKey = preview.rootKey;
    store.insert({ ...preview, id: "cbranch", parentId: preview.id, branch: "feature/a" });
    server = await listen(services.app.fetch, "127.0.0.1", 0);
    ask = asker(server.url, development.rootKey);
    const body = { payload: {}, options: { delay: "1h", tags: ["env:staging"] } };
    run = (await ask("/api/v1/tasks/send-welcome-email/trigger", post(body))).body.id;
  });

  afterAll(async () => {
    services.endStreams();
    await server.close();
    await services.close();
    db.close();
  });

  interface Parts {
    claims?: Record<string, unknown>;
    key?: string;
    issuer?: string;
    audience?: string;
    expires?: string | number;
  }

  const sign = ({ claims = {}, key, issuer, audience, expires = "1h" }: Parts) => {
    const { development } = services.instance;
    return new SignJWT({ sub: development.id, pub: true, scopes: ["read:runs"], ...claims })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer(issuer ?? "https://id.trigger.dev")
      .setAudience(audience ?? "https://api.trigger.dev")
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(key ?? development.rootKey));
  };

  const statusWith = async (scopes: string[], path: string, how: Ask = {}) =>
    (await ask(path, { ...how, token: await sign({ claims: { scopes } }) })).status;

  it("a missing header on /api is refused before the route, as problem+json", async () => {
    const answer = await ask("/api/v1/runs", { token: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(answer.body).toMatchObject({ title: "Unauthorized", error: "No authorization header provided" });
    expect(answer.text).toContain('\n  "title"');
    expect((await ask("/realtime/v1/sessions/a/out", { token: null })).body).toEqual({
      error: "Invalid or Missing API key",
    });
  });

  it.each<[string, () => Promise<string> | string, string]>([
    ["an unknown key", () => "tr_dev_nobody", "Invalid API key"],
    ["an unknown additional key", () => `tr_dev_sk_${"z".repeat(24)}`, "Invalid API key"],
    ["a personal token", () => services.instance.personalToken, "Invalid API key"],
    ["a legacy public key", () => "pk_dev_abc", "Invalid API key"],
    ["garbage", () => "a.b.c", "Invalid API key"],
    ["a JWT that is not public", () => sign({ claims: { pub: false } }), "Invalid API key"],
    ["no environment", () => sign({ claims: { sub: undefined } }), "Invalid Public Access Token"],
    ["another environment", () => sign({ claims: { sub: "cnone" } }), "Invalid Public Access Token"],
    ["a wrong signature", () => sign({ key: "tr_dev_other" }), "Public Access Token is invalid"],
    ["a wrong issuer", () => sign({ issuer: "https://x" }), "Public Access Token is invalid"],
    ["a wrong audience", () => sign({ audience: "https://x" }), "Public Access Token is invalid"],
    ["an expired token", () => sign({ expires: 1_000 }), "Public Access Token is invalid"],
  ])("401 for %s", async (_, token, text) => {
    const answer = await ask("/api/v1/runs", { token: await token() });
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 401, body: { error: text } });
  });

  it("a public token signed without an algorithm is refused", async () => {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { sub: services.instance.development.id, pub: true, scopes: ["admin"], exp: 9e9 };
    const answer = await ask("/api/v1/runs", { token: `${encode({ alg: "none" })}.${encode(claims)}.` });
    expect(answer.status).toBe(401);
  });

  it("scopes open what they name and nothing else", async () => {
    const retrieve = `/api/v3/runs/${run}`;
    for (const scope of [
      "admin",
      "read:all",
      "*:all",
      "*:runs",
      "read:runs",
      `read:runs:${run}`,
      "read:tasks:send-welcome-email",
      "read:tags:env:staging",
    ]) {
      expect([scope, await statusWith([scope], retrieve)]).toEqual([scope, 200]);
    }
    for (const scope of [
      "read",
      "write:runs",
      "read:Runs",
      "read:runs:run_other",
      "read:tags:env",
      "admin:runs",
      "read:sessions",
      "",
    ]) {
      expect([scope, await statusWith([scope], retrieve)]).toEqual([scope, 403]);
    }
    expect(await statusWith([], retrieve)).toBe(403);
  });

  it("a scope with an id never opens the whole list; a task filter needs every task", async () => {
    expect(await statusWith([`read:runs:${run}`], "/api/v1/runs")).toBe(403);
    expect(await statusWith(["read:tasks"], "/api/v1/runs")).toBe(200);
    const filtered = "/api/v1/runs?filter[taskIdentifier]=a,b";
    expect(await statusWith(["read:tasks:a"], filtered)).toBe(403);
    expect(await statusWith(["read:tasks:a", "read:tasks:b"], filtered)).toBe(200);
  });

  it("a read of what is not there is 404 even to a token that could not have read it", async () => {
    expect(await statusWith([], "/api/v3/runs/run_none")).toBe(404);
    expect(await statusWith([], "/api/v2/runs/run_none/cancel", post())).toBe(403);
  });

  it("public tokens are not taken where only keys are", async () => {
    const token = await sign({ claims: { scopes: ["admin"] } });
    for (const [path, how] of [
      [`/api/v1/runs/${run}/tags`, post({ tags: "a" })],
      [`/api/v1/runs/${run}/metadata`, {}],
      [`/api/v1/runs/${run}/metadata`, { method: "PUT", body: {} }],
      [`/api/v1/runs/${run}/result`, {}],
      [`/api/v1/runs/${run}/replay`, post()],
      [`/api/v1/runs/${run}/reschedule`, post({ delay: "1h" })],
      ["/api/v1/auth/jwt", post({})],
      ["/api/v1/auth/public-tokens", post({ scopes: ["read:runs"] })],
      ["/api/v1/projects", {}],
    ] as [string, Ask][]) {
      expect([path, (await ask(path, { ...how, token })).status]).toEqual([path, 401]);
    }
  });

  it("an additional key does what its scopes say, and plain routes only as admin", async () => {
    const as = (token: string, path: string, how: Ask = {}) => ask(path, { ...how, token });
    expect((await as(ADDITIONAL, "/api/v1/runs")).status).toBe(200);
    expect((await as(ADDITIONAL, `/api/v1/runs/${run}/replay`, post())).status).toBe(200);
    expect((await as(ADDITIONAL, "/api/v1/tasks/a/trigger", post({}))).status).toBe(403);
    expect((await as(ADDITIONAL, `/api/v1/runs/${run}/metadata`, { method: "PUT", body: {} })).status).toBe(
      403,
    );
    expect((await as(ADDITIONAL, `/api/v1/runs/${run}/result`)).body).toEqual({
      error: "Invalid or Missing API Key",
    });
    expect((await as(ADMIN, `/api/v1/runs/${run}/metadata`)).status).toBe(200);
    expect((await as(ADMIN, `/api/v1/runs/${run}/metadata`, { method: "PUT", body: {} })).status).toBe(200);
  });

  it("an additional key hands out no more than it has", async () => {
    const mint = (scopes: string[], token: string) =>
      ask("/api/v1/auth/public-tokens", post({ scopes }, token));
    const mine = await mint(["read:runs", "read:runs:run_1"], ADDITIONAL);
    expect((await ask(`/api/v3/runs/${run}`, { token: mine.body.token })).status).toBe(200);
    const more = await mint(["read:runs", "write:runs", "admin"], ADDITIONAL);
    expect(more.status).toBe(403);
    expect(more.body).toMatchObject({
      code: "scopes_exceed_key_access",
      deniedScopes: ["write:runs", "admin"],
    });
  });

  it("preview keys need a branch that exists, dev keys may name none", async () => {
    const as = (branch?: string, token = previewKey) =>
      ask("/api/v1/runs", { token, headers: branch === undefined ? {} : { "x-trigger-branch": branch } });
    expect((await as()).body).toEqual({ error: "x-trigger-branch header required for preview env" });
    expect((await as("refs/other/a")).body).toEqual({
      error: "x-trigger-branch header required for preview env",
    });
    expect((await as("nope")).body).toEqual({ error: "No matching branch env" });
    expect((await as("refs/heads/feature/a")).status).toBe(200);
    const { rootKey } = services.instance.development;
    expect((await as("default", rootKey)).status).toBe(200);
    expect((await as("nope", rootKey)).status).toBe(401);
  });

  it("runs belong to one environment", async () => {
    const production = environments().find(({ slug }) => slug === "prod");
    expect((await ask(`/api/v3/runs/${run}`, { token: production?.rootKey ?? "" })).status).toBe(404);
  });

  it("tells a key its environment and signs what it asks for", async () => {
    const { development } = services.instance;
    const claims = await ask("/api/v1/auth/jwt/claims", post());
    expect(claims.body).toEqual({ sub: development.id, pub: true });
    expect(claims.headers.has("x-ratelimit-limit")).toBe(false);
    const { body } = await ask(
      "/api/v1/auth/jwt",
      post({ claims: { scopes: ["read:runs"] }, expirationTime: "5m" }),
    );
    const { payload } = await jwtVerify(body.token, new TextEncoder().encode(development.rootKey));
    expect(payload).toMatchObject({
      sub: development.id,
      pub: true,
      scopes: ["read:runs"],
      iss: "https://id.trigger.dev",
      aud: "https://api.trigger.dev",
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
  });

  it("leads a personal token to an environment", async () => {
    const { personalToken: token, projectRef, development } = services.instance;
    const projects = await ask("/api/v1/projects", { token });
    expect(projects.body[0].externalRef).toBe(projectRef);
    const base = `/api/v1/projects/${projectRef}`;
    const rows = await ask(`${base}/environments`, { token });
    expect(rows.body.map(({ slug }: { slug: string }) => slug)).toEqual(
      expect.arrayContaining(["dev", "stg", "prod", "preview"]),
    );
    expect((await ask(`${base}/dev`, { token })).body.apiKey).toBe(development.rootKey);
    expect((await ask(`${base}/dev`)).body.apiKey).toBe(development.rootKey);
    expect((await ask(`${base}/dev`, { token: ADDITIONAL })).body.apiKey).toBe(ADDITIONAL);

    const jwt = (env: string, how: Ask) => ask(`${base}/${env}/jwt`, { token, method: "POST", ...how });
    const minted = await jwt("dev", { body: { claims: { scopes: ["read:runs"] } } });
    expect((await ask(`/api/v3/runs/${run}`, { token: minted.body.token })).status).toBe(200);
    const useless = await jwt("dev", { body: {} });
    expect((await ask(`/api/v3/runs/${run}`, { token: useless.body.token })).status).toBe(403);

    expect((await jwt("stg", { body: {} })).body).toEqual({ error: "Invalid Params" });
    expect((await jwt("constructor", { body: {} })).status).toBe(400);
    expect((await jwt("staging", { body: {} })).status).toBe(200);
    expect((await jwt("preview", { body: {}, headers: { "x-trigger-branch": "nope" } })).body).toEqual({
      error: "Branch not found",
    });
    expect((await jwt("dev", { body: { claims: 5 } })).status).toBe(400);
    expect((await jwt("dev", { body: "{" })).status).toBe(500);
    expect((await jwt("dev", { body: {}, token: "tr_pat_x" })).body).toEqual({
      error: "Invalid or Missing Access Token",
    });
    expect((await ask("/api/v1/projects/proj_x/dev/jwt", { token, method: "POST", body: {} })).body).toEqual({
      error: "Project not found",
    });
  });

  it("a one-time token starts one run", async () => {
    const { body } = await ask(
      "/api/v1/auth/public-tokens",
      post({ scopes: ["trigger:tasks:send-welcome-email"], oneTimeUse: true }),
    );
    const start = (delay = "1h") =>
      ask("/api/v1/tasks/send-welcome-email/trigger", post({ options: { delay } }, body.token));
    expect((await start("never")).body).toEqual({ error: "Invalid delay: never" });
    expect((await start()).status).toBe(200);
    const again = await start();
    expect(again.status).toBe(422);
    expect(again.body.error).toBe(
      "Cannot trigger send-welcome-email with a one-time use token as it has already been used.",
    );
  });

  it("no answer ever contains the key it was asked with", async () => {
    const { rootKey } = services.instance.development;
    for (const path of [
      "/api/v1/runs",
      `/api/v3/runs/${run}`,
      "/api/v1/nothing",
      "/api/v1/runs?page[size]=0",
    ]) {
      expect((await ask(path)).text).not.toContain(rootKey);
    }
  });
});
