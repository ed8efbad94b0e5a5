/** The writing tools through the real client against the embedded API: one story, as a caller would live it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { type EmbeddedApi, startEmbedded } from "../../src/embedded/index.ts";
import addRunTags from "../../src/tools/add-run-tags.ts";
import cancelRun from "../../src/tools/cancel-run.ts";
import getConnection from "../../src/tools/get-connection.ts";
import replayRun from "../../src/tools/replay-run.ts";
import rescheduleRun from "../../src/tools/reschedule-run.ts";
import triggerTask from "../../src/tools/trigger-task.ts";
import updateRunMetadata from "../../src/tools/update-run-metadata.ts";
import { callTool } from "../support/tools.ts";

describe("the writing tools on the embedded API", () => {
  let server: EmbeddedApi;
  const clients: TriggerApi[] = [];
  const connect = (token: string): TriggerApi => {
    const api = createTriggerApi({ apiUrl: server.url, token });
    clients.push(api);
    return api;
  };
  let api: TriggerApi;

  beforeAll(async () => {
    server = await startEmbedded();
    api = connect(server.secretKey);
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
  });

  const trigger = (args: z.input<typeof triggerTask.input>) => callTool(triggerTask, args, api);
  const idOf = (answer: { structured: Record<string, unknown> }): string => String(answer.structured.run_id);

  it("start a delayed run once per key, move it, and cancel it", async () => {
    const first = await trigger({ task: "send-welcome-email", delay: "10m", key: "once" });
    expect(first.structured).toMatchObject({ status: "DELAYED", cached: false });
    const again = await trigger({ task: "send-welcome-email", delay: "10m", key: "once" });
    expect(again.structured).toMatchObject({ run_id: idOf(first), cached: true });

    const moved = await callTool(rescheduleRun, { run_id: idOf(first), delay: "1h" }, api);
    expect(moved.text).toContain("DELAYED until");
    const cancelled = await callTool(cancelRun, { run_id: idOf(first) }, api);
    expect(cancelled.structured).toMatchObject({ status: "CANCELED", before: "DELAYED", cancelled: true });
    await expect(callTool(rescheduleRun, { run_id: idOf(first), delay: "1h" }, api)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("is CANCELED"),
    });
  });

  it("cancel what is executing, and say so of what has finished", async () => {
    const run_id = idOf(await trigger({ task: "sync-inventory" }));
    const cancelled = await callTool(cancelRun, { run_id }, api);
    expect(cancelled.structured).toMatchObject({ status: "CANCELED", cancelled: true });
    const again = await callTool(cancelRun, { run_id }, api);
    expect(again.text).toMatch(/^already finished, nothing was cancelled/);
  });

  it("tag up to ten, and change metadata by operations and as a whole", async () => {
    const run_id = idOf(await trigger({ task: "send-welcome-email", delay: "10m", tags: ["a"] }));
    const tagged = await callTool(addRunTags, { run_id, tags: ["a", "b"] }, api);
    expect(tagged.structured).toMatchObject({ added: 1, tags: ["a", "b"] });
    expect((await api.runs.retrieve(run_id)).tags.sort()).toEqual(["a", "b"]);
    const nine = Array.from({ length: 9 }, (_, n) => `t${n}`);
    await expect(callTool(addRunTags, { run_id, tags: nine }, api)).rejects.toMatchObject({
      code: "invalid_request",
    });

    const operations = [{ type: "append" as const, key: "$.steps", value: "load" }];
    await callTool(updateRunMetadata, { run_id, operations }, api);
    expect(await api.runs.metadata(run_id)).toEqual({ steps: ["load"] });
    const replaced = await callTool(updateRunMetadata, { run_id, metadata: { only: null } }, api);
    expect(replaced.text).toContain('{"only":null}');
  });

  it("replay with overrides that the copy really has", async () => {
    const run_id = idOf(await trigger({ task: "send-welcome-email", delay: "10m", payload: { to: "a" } }));
    const copy = await callTool(
      replayRun,
      { run_id, payload: { to: "b" }, tags: ["again"], delay: "10m" },
      api,
    );
    expect(copy.text).toContain("asked to differ in payload, tags, delay");
    expect(copy.structured.ignored).toBeUndefined();
    expect(await api.runs.retrieve(idOf(copy))).toMatchObject({ payload: { to: "b" }, tags: ["again"] });
  });

  it("tell what a public token may do, and that a wrong key is not accepted", async () => {
    const token = await api.tokens.mint(["read:runs", "write:tasks:sync-inventory"], "5m");
    const limited = await callTool(getConnection, {}, connect(token));
    expect(limited.text).toMatch(/may read runs, cancel runs, .*as far as its scopes reach/);
    expect(limited.text).not.toContain(token);
    const wrong = await callTool(getConnection, {}, connect("tr_dev_thisisnotthekey"));
    expect(wrong.structured).toMatchObject({ reachable: true, accepted: false, problem: { status: 401 } });
  });
});
