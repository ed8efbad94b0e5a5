/** The run view as it is served, to clients of both eras: declared with the tool, readable, and sent to those who show it. */
import { Client as V2Client, StreamableHTTPClientTransport as V2Http } from "@modelcontextprotocol/client";
import { StdioClientTransport as V2Stdio } from "@modelcontextprotocol/client/stdio";
import { getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as V1Http } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apps } from "../../src/apps/index.ts";
import { type HttpServer, serveOverHttp } from "../../src/server/transports/http.ts";
import { tools } from "../../src/tools/index.ts";
import { RUN_VIEW } from "../../src/views/run-view-shape.ts";
import { apiWith, aRun } from "../support/api.ts";
import { BUNDLE } from "../support/bundle.ts";
import { CLIENTS, type ClientKind } from "../support/clients.ts";
import { aService, target } from "../support/service.ts";
import { aSpan } from "../support/spans.ts";

const MIME_TYPE = "text/html;profile=mcp-app";
const INFO = { name: "test-client", version: "1.0.0" };
const APPS = { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [MIME_TYPE] } } };

const SETTINGS = {
  host: "127.0.0.1",
  port: 0,
  auth: "none" as const,
  keyDigests: [],
  allowedHosts: [],
  allowedOrigins: [],
};

const v2 = (kind: ClientKind, capabilities: object) =>
  new V2Client(INFO, {
    capabilities,
    versionNegotiation: { mode: kind === "v2 of the 2026 era" ? { pin: "2026-07-28" } : ("legacy" as const) },
  });

let server: HttpServer;

beforeAll(async () => {
  const spans = [aSpan(1, undefined, "process-order", 0, 10)];
  const api = apiWith({
    runs: { retrieve: async () => aRun(), trace: async () => ({ spans, truncated: false }) },
  });
  const service = aService({ tools: [...tools], targets: [target("dev", api)] });
  server = await serveOverHttp(service, SETTINGS);
});

afterAll(() => server.close());

async function connect(kind: ClientKind, capabilities: object): Promise<V1Client | V2Client> {
  const url = new URL(server.url);
  if (kind === "v1") {
    const client = new V1Client(INFO, { capabilities });
    // The SDK's own transport does not satisfy its own interface under exactOptionalPropertyTypes.
    await client.connect(new V1Http(url) as Parameters<V1Client["connect"]>[0]);
    return client;
  }
  const client = v2(kind, capabilities);
  await client.connect(new V2Http(url));
  return client;
}

const ask = { name: "get_run_trace", arguments: { run_id: aRun().id } };

describe.each(CLIENTS)("for a client of %s", (kind) => {
  it("the page is declared with its tool alone, under both keys, and in nothing a model reads", async () => {
    const client = await connect(kind, {});
    const listed = (await client.listTools()).tools;
    const withPage = listed.filter(({ _meta }) => _meta?.ui !== undefined);
    expect(withPage.map(({ name }) => name)).toEqual(["get_run_trace"]);
    expect(withPage[0]?._meta).toMatchObject({
      ui: { resourceUri: RUN_VIEW.uri },
      "ui/resourceUri": RUN_VIEW.uri,
    });
    expect(getToolUiResourceUri({ _meta: withPage[0]?._meta ?? {} })).toBe(RUN_VIEW.uri);
    const read = listed.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(JSON.stringify(read)).not.toContain("ui://");
    await client.close();
  });

  it("the page is a resource that may reach nothing", async () => {
    const client = await connect(kind, {});
    const [listed] = (await client.listResources()).resources.filter(({ uri }) => uri === RUN_VIEW.uri);
    expect(listed).toMatchObject({ name: "run_view", mimeType: MIME_TYPE });
    const { contents } = await client.readResource({ uri: RUN_VIEW.uri });
    expect(contents).toHaveLength(1);
    expect(contents[0]).toMatchObject({ uri: RUN_VIEW.uri, mimeType: MIME_TYPE, _meta: { ui: { csp: {} } } });
    expect(contents[0]).toHaveProperty("text", await apps[0]?.html());
    await client.close();
  });

  it("its data come with the answer when the client shows apps, and only then", async () => {
    const [showing, plain] = [await connect(kind, APPS), await connect(kind, {})];
    const [shown, bare] = [await showing.callTool(ask), await plain.callTool(ask)];
    expect(shown._meta?.[RUN_VIEW.key]).toMatchObject({ task: "process-order", total: 1 });
    expect(bare._meta ?? {}).not.toHaveProperty([RUN_VIEW.key]);
    expect(JSON.stringify(shown.structuredContent)).not.toContain('spans":[');
    expect(Object.keys(shown.structuredContent ?? {})).toEqual(Object.keys(bare.structuredContent ?? {}));
    await Promise.all([showing.close(), plain.close()]);
  });
});

it("a client that shows apps of another kind gets no data", async () => {
  const client = await connect("v1", {
    extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/plain"] } },
  });
  expect((await client.callTool(ask))._meta ?? {}).not.toHaveProperty([RUN_VIEW.key]);
  await client.close();
});

describe.each(["v2 of the 2025 era", "v2 of the 2026 era"] as const)("over stdio, %s", (kind) => {
  it("the built bundle serves the finished page and its data", async () => {
    const client = v2(kind, APPS);
    await client.connect(
      new V2Stdio({
        command: process.execPath,
        args: [BUNDLE, "stdio", "--embedded", "--ephemeral"],
        env: { PATH: process.env.PATH ?? "" },
        stderr: "inherit",
      }),
    );
    const { contents } = await client.readResource({ uri: RUN_VIEW.uri });
    expect(contents[0]).toHaveProperty("text", await apps[0]?.html());
    const started = await client.callTool({
      name: "trigger_task",
      arguments: { task: "send-welcome-email", payload: { to: "ada@example.com", name: "Ada" } },
    });
    const { run_id } = started.structuredContent as { run_id: string };
    const traced = await client.callTool({ name: "get_run_trace", arguments: { run_id } });
    expect(traced._meta?.[RUN_VIEW.key]).toMatchObject({ task: "send-welcome-email", runs: [run_id] });
    await client.close();
  });
});
