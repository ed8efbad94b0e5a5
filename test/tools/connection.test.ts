import { describe, expect, it } from "vitest";
import type { Access } from "../../src/domain/access.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import getConnection from "../../src/tools/get-connection.ts";
import { type ApiPlan, apiWith, CREATED } from "../support/api.ts";
import { callTool } from "../support/tools.ts";

const connection = {
  apiUrl: "https://api.trigger.dev",
  embedded: false,
  readOnly: false,
  version: "1.2.3",
  targets: ["dev"],
};
const probe = async () => ({ environment: "dev" });

const connected = (plan: ApiPlan, facts: Partial<typeof connection> = {}) =>
  callTool(getConnection, {}, apiWith({ probe, ...plan }), {
    context: { now: () => CREATED, connection: { ...connection, ...facts } },
  });

const token: Access = {
  kind: "public",
  scopes: ["read:runs", "read:sessions:chat-81", "write:sessions:chat-81"],
  expiresAt: CREATED + 3_600_000,
};

describe("get_connection", () => {
  it("tells target, API, credential kind and version", async () => {
    const answer = await connected({});
    expect(answer.text).toMatchInlineSnapshot(`
      "dev · API at https://api.trigger.dev · reachable, credential accepted
      credential secret key, everything in its environment
      server trigger-mcp 1.2.3
      next: list_runs {}
            list_sessions {}"
    `);
    expect(answer.structured).toMatchObject({
      target: "dev",
      reachable: true,
      credential: { kind: "secret" },
      environment: "dev",
    });
  });

  it("tells a public token's scopes, what they are good for and when they end", async () => {
    const answer = await connected(
      { access: token },
      { embedded: true, readOnly: true, targets: ["dev", "prod"] },
    );
    expect(answer.text).toMatchInlineSnapshot(`
      "dev · embedded API at https://api.trigger.dev · reachable, credential accepted
      credential public token, expires in 1h (2026-08-20 11:00:00Z)
      may read runs, read sessions, start sessions and write to them, as far as its scopes reach; replay, reschedule, tags and metadata need a secret key
      scope read:runs
      scope read:sessions:chat-81
      scope write:sessions:chat-81
      started with --read-only: nothing here changes anything
      targets dev, prod: say which with "target"
      server trigger-mcp 1.2.3
      next: list_runs {}
            list_sessions {}"
    `);
    expect(answer.structured.credential).toEqual({
      kind: "public",
      scopes: token.scopes,
      expires_at: token.expiresAt,
    });
  });

  it("says that a token has expired", async () => {
    expect((await connected({ access: { ...token, expiresAt: CREATED - 60_000 } })).text).toContain(
      "EXPIRED 1m ago",
    );
  });

  it.each([
    ["unauthorized", /credential is NOT accepted .*TRIGGER_SECRET_KEY/],
    ["unreachable", /NOT reachable .*TRIGGER_API_URL/],
    ["server_error", /not sure to work: server_error/],
  ] as const)("answers also when the API does not: %s", async (code, words) => {
    const failing = async () => {
      throw new TriggerError(code, "said no");
    };
    const answer = await connected({ probe: failing });
    expect(answer.text).toMatch(words);
    expect(answer.structured).toMatchObject({
      reachable: code !== "unreachable",
      accepted: false,
      problem: { code },
    });
  });

  it("counts the scopes there is no room for", async () => {
    const scopes = Array.from({ length: 900 }, (_, n) => `read:runs:run_cm9x2k4p3${n}ab12cd34ef56`);
    const { text } = await connected({ access: { kind: "public", scopes } });
    expect(text).toMatch(/\d+ of 900 scopes not shown/);
  });
});
