/** Real clients of both protocol eras, behind one face, so that a test can say "each of them can". */
import { Client as V2Client, StreamableHTTPClientTransport as V2Http } from "@modelcontextprotocol/client";
import { StdioClientTransport as V2Stdio } from "@modelcontextprotocol/client/stdio";
import { Client as V1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as V1Stdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as V1Http } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

export const CLIENTS = ["v1", "v2 of the 2025 era", "v2 of the 2026 era"] as const;
export type ClientKind = (typeof CLIENTS)[number];

export interface Tick {
  progress: number;
  message?: string | undefined;
}

export interface CallOptions {
  onprogress?: (tick: Tick) => void;
  signal?: AbortSignal;
}

export interface Result {
  text: string;
  structured: Record<string, unknown>;
  isError: boolean;
}

export interface Listening {
  /** Of the URIs asked for, those the server agreed to watch. */
  honoured: string[];
  /** What it said of the others; the 2026 era has no words for that. */
  refusals: Error[];
  end(): Promise<void>;
}

export interface McpClient {
  /** What its SDK complained about outside of any call, say progress it had not asked for. */
  errors: readonly Error[];
  instructions(): string | undefined;
  tools(): Promise<
    { name: string; description?: string | undefined; inputSchema: unknown; annotations?: unknown }[]
  >;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Result>;
  resources(): Promise<string[]>;
  templates(): Promise<string[]>;
  read(uri: string): Promise<string>;
  prompts(): Promise<string[]>;
  prompt(name: string, args: Record<string, string>): Promise<string>;
  completeResource(
    uri: string,
    name: string,
    value: string,
    known?: Record<string, string>,
  ): Promise<string[]>;
  completePrompt(prompt: string, name: string, value: string): Promise<string[]>;
  /** Asks to be told when these resources change: a listen request, or a subscription each. */
  listen(uris: string[]): Promise<Listening>;
  /** URIs of the resources it was told have changed, in order. */
  updates: readonly string[];
  close(): Promise<void>;
}

/** Longer than any test: the tests' own limits decide. */
const TIMEOUT_MS = 120_000;

const INFO = { name: "test-client", version: "1.0.0" };

const v2Options = (kind: ClientKind) => ({
  versionNegotiation: { mode: kind === "v2 of the 2026 era" ? { pin: "2026-07-28" } : ("legacy" as const) },
});

interface ToolResult {
  content?: unknown;
  structuredContent?: unknown;
  isError?: unknown;
}

function resultOf(result: ToolResult): Result {
  const [block] = result.content as { type: string; text: string }[];
  return {
    text: block?.text ?? "",
    structured: (result.structuredContent ?? {}) as Record<string, unknown>,
    isError: result.isError === true,
  };
}

const textOf = (result: { contents: unknown[] }): string =>
  result.contents.map((part) => (part as { text: string }).text).join("\n");

const promptText = (result: { messages: { content: unknown }[] }): string =>
  result.messages.map(({ content }) => (content as { text: string }).text).join("\n");

async function listen(client: V2Client, uris: string[]): Promise<Listening> {
  const { honoredFilter, close } = await client.listen({ resourceSubscriptions: uris });
  return { honoured: honoredFilter.resourceSubscriptions ?? [], refusals: [], end: close };
}

async function subscribe(client: V1Client | V2Client, uris: string[]): Promise<Listening> {
  const outcomes = await Promise.allSettled(uris.map((uri) => client.subscribeResource({ uri })));
  const honoured = uris.filter((_, index) => outcomes[index]?.status === "fulfilled");
  return {
    honoured,
    refusals: outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : [])),
    async end() {
      await Promise.all(honoured.map((uri) => client.unsubscribeResource({ uri })));
    },
  };
}

function face(client: V1Client | V2Client, kind: ClientKind): McpClient {
  const errors: Error[] = [];
  const updates: string[] = [];
  client.onerror = (error) => void errors.push(error);
  if (client instanceof V1Client) {
    client.setNotificationHandler(
      ResourceUpdatedNotificationSchema,
      ({ params }) => void updates.push(params.uri),
    );
  } else {
    client.setNotificationHandler(
      "notifications/resources/updated",
      ({ params }) => void updates.push(params.uri),
    );
  }
  return {
    errors,
    updates,
    listen: (uris) =>
      client instanceof V2Client && kind === "v2 of the 2026 era"
        ? listen(client, uris)
        : subscribe(client, uris),
    instructions: () => client.getInstructions(),
    tools: async () => (await client.listTools()).tools,
    async call(name, args = {}, options = {}) {
      const request = { timeout: TIMEOUT_MS, ...options };
      const params = { name, arguments: args };
      return resultOf(
        client instanceof V1Client
          ? ((await client.callTool(params, undefined, request)) as ToolResult)
          : await client.callTool(params, request),
      );
    },
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => textOf(await client.readResource({ uri })),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, args) => promptText(await client.getPrompt({ name, arguments: args })),
    completeResource: async (uri, name, value, known = {}) =>
      (
        await client.complete({
          ref: { type: "ref/resource", uri },
          argument: { name, value },
          context: { arguments: known },
        })
      ).completion.values,
    completePrompt: async (prompt, name, value) =>
      (await client.complete({ ref: { type: "ref/prompt", name: prompt }, argument: { name, value } }))
        .completion.values,
    close: () => client.close(),
  };
}

export async function overHttp(
  kind: ClientKind,
  url: string,
  headers: Record<string, string> = {},
): Promise<McpClient> {
  const options = { requestInit: { headers } };
  if (kind === "v1") {
    const client = new V1Client(INFO);
    // The SDK's own transport does not satisfy its own interface under exactOptionalPropertyTypes.
    await client.connect(new V1Http(new URL(url), options) as Parameters<V1Client["connect"]>[0]);
    return face(client, kind);
  }
  const client = new V2Client(INFO, v2Options(kind));
  await client.connect(new V2Http(new URL(url), options));
  return face(client, kind);
}

export async function overStdio(
  kind: ClientKind,
  args: string[],
  env: Record<string, string> = {},
): Promise<McpClient> {
  const server = {
    command: process.execPath,
    args,
    env: { PATH: process.env.PATH ?? "", ...env },
    stderr: "inherit" as const,
  };
  if (kind === "v1") {
    const client = new V1Client(INFO);
    await client.connect(new V1Stdio(server));
    return face(client, kind);
  }
  const client = new V2Client(INFO, v2Options(kind));
  await client.connect(new V2Stdio(server));
  return face(client, kind);
}
