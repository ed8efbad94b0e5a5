/** MCP over Streamable HTTP in both protocol eras, with health, readiness and metrics. Every answer is a `Response`. */
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, isJsonContentType, isLegacyRequest } from "@modelcontextprotocol/server";
import type { HttpSettings } from "../../config/settings.ts";
import { createServer } from "../register.ts";
import type { Service } from "../service.ts";
import { Subscriptions, type SubscriptionTiming } from "../subscriptions/index.ts";
import { listeningHandler } from "../subscriptions/listen-http.ts";
import { corsHeaders, hostGuard, originGuard, principalOf, unauthorized } from "./guards.ts";
import { type SessionLimits, Sessions } from "./sessions.ts";

export interface HttpServer {
  /** Of the MCP endpoint. */
  url: string;
  /** Stops listening, ends streams and sessions, and gives running answers a moment. Can be called twice. */
  close(): Promise<void>;
}

export interface HttpOptions {
  /** Answers `/readyz`. */
  ready?: () => boolean;
  sessions?: SessionLimits;
  subscriptions?: SubscriptionTiming;
}

const MOST_BODY_BYTES = 4 * 1024 * 1024;
const KEEP_ALIVE_MS = 15_000;

/** How long calls that are being answered hold up the end of the server. */
const DRAIN_MS = 2_000;
const DRAIN_STEP_MS = 20;

const text = (status: number, body: string, type = "text/plain; charset=utf-8"): Response =>
  new Response(body, { status, headers: { "content-type": type } });

const refusal = (status: number, code: number, message: string): Response =>
  Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status });

type Parsed = { body: unknown } | { refused: Response };

/** The body, parsed once for both eras. Its size has been limited while it was read. */
async function parsedBody(request: Request): Promise<Parsed> {
  if (request.method !== "POST") return { body: undefined };
  if (!isJsonContentType(request.headers.get("content-type"))) {
    return { refused: refusal(415, -32_000, "Content-Type must be application/json.") };
  }
  try {
    return { body: JSON.parse(await request.text()) };
  } catch {
    return { refused: refusal(400, -32_700, "The request body is not JSON.") };
  }
}

/** The tool a request of the 2026 era calls, by the headers it repeats that in: the SDK has compared them with its body. */
function toolCalled(request: Request | undefined): string | undefined {
  if (request?.headers.get("mcp-method") !== "tools/call") return undefined;
  return request.headers.get("mcp-name") ?? undefined;
}

/** Answers `/mcp`. */
function mcpEndpoint(
  service: Service,
  settings: HttpSettings,
  sessions: Sessions,
  subscriptions: Subscriptions,
) {
  const handler = createMcpHandler(({ requestInfo }) => createServer(service, toolCalled(requestInfo)), {
    legacy: "reject",
    // A plain JSON answer sends no byte until it is complete: quiet calls would look dead to proxies and clients.
    responseMode: "sse",
    keepAliveMs: KEEP_ALIVE_MS,
    maxRequestBodySize: MOST_BODY_BYTES,
    onerror: (error) => service.log.debug({ err: error }, "request refused"),
  });

  const modern = listeningHandler(handler, subscriptions);

  async function fetch(request: Request): Promise<Response> {
    const principal = settings.auth === "none" ? "" : principalOf(request, settings.keyDigests);
    if (principal === undefined) return unauthorized();
    const parsed = await parsedBody(request);
    if ("refused" in parsed) return parsed.refused;
    const legacy = await isLegacyRequest(request, parsed.body);
    return legacy ? sessions.handle(request, parsed.body, principal) : modern(request, parsed.body);
  }
  return { fetch, close: () => handler.close() };
}

/** Listens; resolves once connections are accepted, throws when the address cannot be had. */
export async function serveOverHttp(
  service: Service,
  settings: HttpSettings,
  options: HttpOptions = {},
): Promise<HttpServer> {
  const subscriptions = new Subscriptions(service, options.subscriptions);
  const sessions = new Sessions(service, subscriptions, options.sessions);
  const mcp = mcpEndpoint(service, settings, sessions, subscriptions);
  service.metrics.gauge(
    "trigger_mcp_sessions",
    "Open sessions of the 2025 protocol era.",
    () => sessions.size,
  );
  service.metrics.gauge(
    "trigger_mcp_watched_resources",
    "Resources watched for subscribers of both protocol eras.",
    () => subscriptions.size,
  );
  const guards = [hostGuard(settings), originGuard(settings)];
  let stopping = false;

  async function route(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/mcp":
        return mcp.fetch(request);
      case "/healthz":
        return text(200, "ok\n");
      case "/readyz":
        return stopping || options.ready?.() === false ? text(503, "not ready\n") : text(200, "ready\n");
      case "/metrics":
        return text(200, service.metrics.text(), "text/plain; version=0.0.4; charset=utf-8");
      default:
        return text(404, "MCP is served at /mcp.\n");
    }
  }

  async function fetch(request: Request): Promise<Response> {
    for (const guard of guards) {
      const refused = guard(request);
      if (refused !== undefined) return refused;
    }
    const cors = corsHeaders(request);
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: cors });
    const response = await route(request);
    for (const [name, value] of Object.entries(cors)) response.headers.set(name, value);
    return response;
  }

  const failed = (error: unknown) => service.log.error({ err: error }, "request failed");
  const listener = toNodeHandler({ fetch }, { maxRequestBodySize: MOST_BODY_BYTES, onerror: failed });
  const server = createHttpServer((request, response) => {
    // The adapter types absent headers as missing keys, node as undefined values; it reads both.
    listener(request as Parameters<typeof listener>[0], response).catch(failed);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(":") ? `[${settings.host.replace(/[[\]]/g, "")}]` : settings.host;

  return {
    url: `http://${host}:${port}/mcp`,
    async close() {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const deadline = performance.now() + DRAIN_MS;
      while (service.metrics.active() > 0 && performance.now() < deadline) await sleep(DRAIN_STEP_MS);
      await Promise.allSettled([mcp.close(), sessions.close()]);
      server.closeAllConnections();
      await closed;
    },
  };
}
