/** A caller that goes away: what the built bundle holds open upstream for it is closed, over both transports, in both eras. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SECRET, sessionBody } from "../client/support.ts";
import { BUNDLE, type Running, running } from "../support/bundle.ts";
import { CLIENTS, type ClientKind, type McpClient, overHttp, overStdio } from "../support/clients.ts";
import { type FakeApi, json, startFakeApi, stream } from "../support/fake-api.ts";
import { startFaultyProxy } from "../support/faulty-proxy.ts";

const RECORD = {
  seq_num: 0,
  timestamp: 1,
  body: '{"data":{"type":"text-delta","id":"t","delta":"so far"},"id":"p"}',
};

let api: FakeApi;
let server: Running;
let env: Record<string, string>;
let url = "";
/** Told of every stream that is opened. */
let opened: (response: ServerResponse) => void = () => {};

beforeAll(async () => {
  api = await startFakeApi();
  api.planForever("GET /api/v1/sessions/chat-1", json(200, sessionBody({ externalId: "chat-1" })));
  for (const io of ["in", "out"]) {
    api.planForever(`GET /realtime/v1/sessions/chat-1/${io}/records`, json(200, { records: [] }));
  }
  api.planForever("GET /realtime/v1/sessions/chat-1/out", async (response, request) => {
    await stream(`event: batch\ndata: ${JSON.stringify({ records: [RECORD] })}\n\n`, "stay")(
      response,
      request,
    );
    opened(response);
  });
  env = { TRIGGER_API_URL: api.url, TRIGGER_SECRET_KEY: SECRET };
  server = await running(["http", "--auth", "none", "--port", "0"], /serves MCP at \S+\n/, env);
  url = /serves MCP at (\S+)/.exec(server.printed)?.[1] ?? "";
});

afterAll(async () => {
  await server.end();
  await api.close();
});

/**
 * It takes no timer (test/bridge/leaving.test.ts) and a few milliseconds on an idle machine; a pause of the transport's, its
 * keep-alive or a time-out would take longer than this.
 */
const PROMPT_MS = 2_000;

const TRANSPORTS: Record<string, (kind: ClientKind) => Promise<McpClient>> = {
  HTTP: (kind) => overHttp(kind, url),
  stdio: (kind) => overStdio(kind, [BUNDLE], env),
};

/** A call that follows the open stream, once its first record has come, and the end of the socket that brings them. */
async function following(client: McpClient) {
  const caller = new AbortController();
  const connected = new Promise<ServerResponse>((resolve) => {
    opened = resolve;
  });
  let call: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const onprogress = ({ message = "" }) => {
      if (message.includes("so far")) resolve();
    };
    call = client.call("follow_session", { session: "chat-1" }, { onprogress, signal: caller.signal });
    call.then(() => reject(new Error("it has ended by itself")), reject);
  });
  const response = await connected;
  expect(response.destroyed).toBe(false);
  return { caller, call, closed: once(response, "close") };
}

describe.each(Object.entries(TRANSPORTS))("over %s", (transport, connect) => {
  it.each(CLIENTS)("the stream is closed when a %s client cancels its call", async (kind) => {
    const client = await connect(kind);
    const { caller, call, closed } = await following(client);
    const left = performance.now();
    caller.abort();
    await closed;
    expect(performance.now() - left).toBeLessThan(PROMPT_MS);
    await expect(call).rejects.toThrow();
    await client.close();
  });

  it.skipIf(transport === "HTTP").each(CLIENTS)("and when a %s client ends the server", async (kind) => {
    const client = await connect(kind);
    const { call, closed } = await following(client);
    call.catch(() => {});
    await client.close();
    await closed;
  });
});

it("over HTTP in the 2026 era it is closed when the connection of the call breaks", async () => {
  const proxy = await startFaultyProxy(new URL(url).origin, () => undefined);
  const client = await overHttp("v2 of the 2026 era", `${proxy.url}${new URL(url).pathname}`);
  const { call, closed } = await following(client);
  call.catch(() => {});
  await proxy.close();
  await closed;
  await client.close();
});
