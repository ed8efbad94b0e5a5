import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { digest } from "../../src/config/load.ts";
import type { HttpSettings } from "../../src/config/settings.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import type { PromptDefinition } from "../../src/prompts/define.ts";
import type { ResourceDefinition } from "../../src/resources/define.ts";
import { type HttpServer, serveOverHttp } from "../../src/server/transports/http.ts";
import type { SessionLimits } from "../../src/server/transports/sessions.ts";
import { CLIENTS, type McpClient, overHttp } from "../support/clients.ts";
import { closing } from "../support/closing.ts";
import { aService, aTool, LOCAL_HTTP, type ServiceParts } from "../support/service.ts";

const closed = closing();

async function serve(
  parts: ServiceParts = {},
  settings: Partial<HttpSettings> = {},
  sessions?: SessionLimits,
): Promise<HttpServer & { service: ReturnType<typeof aService> }> {
  const service = aService(parts);
  const server = await serveOverHttp(service, { ...LOCAL_HTTP, ...settings }, sessions ? { sessions } : {});
  closed(server);
  return { ...server, service };
}

async function connect(...args: Parameters<typeof overHttp>): Promise<McpClient> {
  const client = await overHttp(...args);
  closed(client);
  return client;
}

const echo = aTool({
  name: "get_run",
  input: z.object({ run_id: z.string() }),
  view: (data) => ({ text: `run ${(data as { run_id: string }).run_id}`, structured: { status: "DONE" } }),
});

const resource: ResourceDefinition = {
  name: "run",
  title: "A run",
  description: "One run.",
  uri: "trigger://runs/{runId}",
  permission: { action: "read", type: "runs" },
  complete: { runId: async (typed) => ["run_a", "run_b"].filter((id) => id.startsWith(typed)) },
  async read({ runId }) {
    if (runId === "run_gone") throw new TriggerError("not_found", "404", { status: 404 });
    if (runId === "run_broken") throw new Error("internal detail");
    return `# ${runId}`;
  },
};

const prompt: PromptDefinition = {
  name: "debug_run",
  title: "Debug",
  description: "Debugs.",
  permission: { action: "read", type: "runs" },
  arguments: [{ name: "run_id", description: "The run", required: true, complete: async () => ["run_a"] }],
  text: ({ run_id = "" }) => `debug ${run_id}`,
};

const everything: ServiceParts = {
  tools: [echo],
  resources: [resource, { ...resource, name: "runs", uri: "trigger://runs", read: async () => "# runs" }],
  prompts: [prompt],
};

describe.each(CLIENTS)("a client: %s", (kind) => {
  it("lists tools with closed input schemas and all four annotations", async () => {
    const client = await connect(kind, (await serve(everything)).url);
    const [tool] = await client.tools();
    expect(tool).toMatchObject({
      name: "get_run",
      description: "Does what the test wants.",
      annotations: {
        title: "A tool",
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: true,
      },
    });
    expect(tool?.inputSchema).toEqual({
      type: "object",
      properties: {
        run_id: { type: "string" },
        max_tokens: { type: "integer" },
      },
      required: ["run_id"],
      additionalProperties: false,
    });
    expect(client.instructions()).toContain("environment: dev");
  });

  it("gets text and the structured part, and errors that pass the tool's own schema", async () => {
    const typed = aTool({
      name: "get_run",
      input: z.object({ run_id: z.string() }),
      run: async ({ run_id }) => {
        if (run_id === "run_x") throw new TriggerError("not_found", "404", { status: 404 });
        return run_id;
      },
    });
    typed.output = z.looseObject({ status: z.string(), code: z.string() });
    typed.view = () => ({ text: "fine", structured: { status: "DONE", code: "a" } });
    const client = await connect(kind, (await serve({ tools: [typed] })).url);
    expect(await client.call("get_run", { run_id: "run_a" })).toEqual({
      text: "fine",
      structured: { status: "DONE", code: "a" },
      isError: false,
    });
    const error = await client.call("get_run", { run_id: "run_x" });
    expect(error.isError).toBe(true);
    expect(error.structured).toMatchObject({ code: "not_found", status: 404, retryable: false });
  });

  it("calls the tool it names, and is told of a name that nothing has", async () => {
    const other = aTool({ name: "list_runs", view: () => ({ text: "runs", structured: {} }) });
    const client = await connect(kind, (await serve({ ...everything, tools: [echo, other] })).url);
    expect((await client.call("get_run", { run_id: "run_a" })).text).toBe("run run_a");
    expect((await client.call("list_runs")).text).toBe("runs");
    await expect(client.call("get_rum")).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringContaining("get_rum not found"),
    });
  });

  it("sees progress while the call runs", async () => {
    let release = () => {};
    const slow = aTool({
      run: async (_, context) => {
        context.progress.report("turn 1 · thinking…");
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return "done";
      },
    });
    const client = await connect(kind, (await serve({ tools: [slow] })).url);
    const ticks: string[] = [];
    const result = await client.call(
      "list_runs",
      {},
      {
        onprogress: ({ message = "" }) => {
          ticks.push(message);
          release();
        },
      },
    );
    expect(ticks).toEqual(["turn 1 · thinking…"]);
    expect(result.text).toBe('"done"');
  });

  it("takes the call upstream down with it when it cancels", async () => {
    let begun = () => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let aborted: Promise<unknown> = Promise.resolve();
    const slow = aTool({
      run: (_, context) => {
        aborted = once(context.signal, "abort");
        begun();
        return new Promise(() => {});
      },
    });
    const client = await connect(kind, (await serve({ tools: [slow] })).url);
    const caller = new AbortController();
    const call = client.call("list_runs", {}, { signal: caller.signal }).catch((error) => error);
    await running;
    caller.abort("enough");
    await aborted;
    expect(await call).toBeInstanceOf(Error);
  });

  it("reads resources, completes ids, gets prompts", async () => {
    const client = await connect(kind, (await serve(everything)).url);
    expect(await client.resources()).toEqual(["trigger://runs"]);
    expect(await client.templates()).toEqual(["trigger://runs/{runId}"]);
    expect(await client.read("trigger://runs")).toBe("# runs");
    expect(await client.read("trigger://runs/run%2Fa")).toBe("# run/a");
    expect(await client.completeResource("trigger://runs/{runId}", "runId", "run_b")).toEqual(["run_b"]);
    expect(await client.prompts()).toEqual(["debug_run"]);
    expect(await client.prompt("debug_run", { run_id: "run_a" })).toBe("debug run_a");
    await expect(client.prompt("debug_run", { run_id: "" })).rejects.toThrow("run_id");
    expect(await client.completePrompt("debug_run", "run_id", "")).toEqual(["run_a"]);
  });

  it("is told which resource does not exist, and nothing of what went wrong inside", async () => {
    const { url, service } = await serve(everything);
    const client = await connect(kind, url);
    await expect(client.read("trigger://runs/run_gone")).rejects.toMatchObject({ code: -32_602 });
    await expect(client.read("trigger://nothing")).rejects.toMatchObject({ code: -32_602 });
    const failure = await client.read("trigger://runs/run_broken").catch((error) => error);
    expect(failure.code).toBe(-32_603);
    expect(failure.message).not.toContain("internal detail");
    expect(service.lines.some(({ level }) => level === "error")).toBe(true);
  });
});

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
};

async function openSession(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await post(url, initialize, headers);
  await response.text();
  return response.headers.get("mcp-session-id") ?? "";
}

const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };

describe("who may call", () => {
  it("a web page from elsewhere and a foreign host name are refused", async () => {
    const { url } = await serve();
    expect((await post(url, initialize, { origin: "https://evil.example" })).status).toBe(403);
    const rebound = await serve({}, { allowedHosts: ["mcp.example"] });
    expect((await post(rebound.url, initialize)).status).toBe(200);
  });

  it("an allowed page may read our answers", async () => {
    const { url } = await serve({}, { allowedOrigins: ["app.example"] });
    const origin = "https://app.example";
    const preflight = await fetch(url, { method: "OPTIONS", headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
    const answer = await post(url, initialize, { origin });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-expose-headers")).toContain("Mcp-Session-Id");
    await answer.text();
  });

  it("with keys, only who has one", async () => {
    const [key, other] = ["0123456789abcdef", "fedcba9876543210"];
    const { url } = await serve({}, { auth: "keys", keyDigests: [digest(key), digest(other)] });
    const refused = await post(url, initialize);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect((await post(url, initialize, { authorization: "Bearer nonsense" })).status).toBe(401);
    for (const kind of CLIENTS) {
      const client = await connect(kind, url, { Authorization: `Bearer ${key}` });
      expect((await client.tools()).length).toBe(1);
    }
    const session = await openSession(url, { authorization: `Bearer ${key}` });
    const stolen = { "mcp-session-id": session, authorization: `Bearer ${other}` };
    expect((await post(url, list, stolen)).status).toBe(404);
  });
});

describe("bad requests", () => {
  it.each<[string, unknown, Record<string, string>, number]>([
    ["no JSON", "{", {}, 400],
    ["no content type", initialize, { "content-type": "text/plain" }, 415],
    ["a body over 4 MiB", { ...initialize, padding: "x".repeat(4 * 1024 * 1024) }, {}, 413],
    ["no session", list, {}, 400],
    ["an unknown session", list, { "mcp-session-id": "nope" }, 404],
    ["an array of nonsense", "[1,2]", {}, 400],
    ["null", "null", {}, 400],
  ])("%s is answered in kind, and the server lives", async (_, body, headers, status) => {
    const { url } = await serve();
    expect((await post(url, body, headers)).status).toBe(status);
    expect(await openSession(url)).not.toBe("");
  });

  it("an unknown path says where MCP is", async () => {
    const { url } = await serve();
    const response = await fetch(new URL("/", url));
    expect([response.status, await response.text()]).toEqual([404, "MCP is served at /mcp.\n"]);
  });
});

describe("sessions", () => {
  it("are bounded: the longest unused one makes room", async () => {
    const { url } = await serve({}, {}, { idleMs: 60_000, most: 2 });
    const first = await openSession(url);
    await openSession(url);
    await openSession(url);
    expect((await post(url, list, { "mcp-session-id": first })).status).toBe(404);
  });

  it("in use are not thrown out for new ones", async () => {
    const { url } = await serve({}, {}, { idleMs: 60_000, most: 1 });
    const client = await connect("v1", url);
    const listening = await fetch(url, {
      headers: { accept: "text/event-stream", "mcp-session-id": "unknown" },
    });
    expect(listening.status).toBe(404);
    const refused = await post(url, initialize);
    expect(refused.status).toBe(503);
    expect((await client.tools()).length).toBe(1);
  });

  it("end when the client says so", async () => {
    const { url } = await serve();
    const session = await openSession(url);
    const headers = { "mcp-session-id": session };
    expect((await fetch(url, { method: "DELETE", headers })).status).toBe(200);
    expect((await post(url, list, headers)).status).toBe(404);
  });
});

describe("operations", () => {
  it("health, readiness and metrics are told", async () => {
    const { url } = await serve();
    const client = await connect("v2 of the 2026 era", url);
    await client.call("list_runs");
    await client.call("list_runs", { nonsense: 1 });
    const read = async (path: string) => (await fetch(new URL(path, url))).text();
    expect(await read("/healthz")).toBe("ok\n");
    expect(await read("/readyz")).toBe("ready\n");
    const metrics = await read("/metrics");
    expect(metrics).toContain('trigger_mcp_tool_calls_total{tool="list_runs",outcome="ok"} 1');
    expect(metrics).toContain('trigger_mcp_tool_calls_total{tool="list_runs",outcome="refused"} 1');
    expect(metrics).toContain("trigger_mcp_active_calls 0");
    expect(metrics).toContain("trigger_mcp_sessions 0");
  });

  it("closing ends streams and frees the port, twice without complaint", async () => {
    const { url, close } = await serve();
    await connect("v1", url);
    await close();
    await close();
    await expect(fetch(new URL("/healthz", url))).rejects.toThrow();
  });
});
