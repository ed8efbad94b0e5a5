/** HTTP as the client uses it: one exchange at a time over pooled connections, nothing followed, nothing retried. */
import type { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH";

export interface HttpRequest {
  method: Method;
  url: URL;
  headers: Record<string, string>;
  body?: string;
  /** Aborting it destroys the socket. */
  signal: AbortSignal;
}

export interface HttpResponse {
  status: number;
  /** First value of a header, by its lowercase name. */
  header(name: string): string | undefined;
  /** Pulled by whoever reads it: what is not read stays in the socket. */
  body: Readable;
}

/** Can be shared by any number of clients, which then leave closing it to its maker. */
export interface Transport {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Streams last for minutes and must not use up the connections of calls. */
  stream(request: HttpRequest): Promise<HttpResponse>;
  /** Can be called twice. */
  close(): Promise<void>;
}

/** Per origin. Calls beyond it queue; their own time-outs still hold. */
const CALL_CONNECTIONS = 64;
/** Twice what one process is expected to follow. */
const STREAM_CONNECTIONS = 2_048;
const CONNECT_TIMEOUT_MS = 10_000;

export function createTransport(): Transport {
  const calls = lazyAgent(CALL_CONNECTIONS);
  const streams = lazyAgent(STREAM_CONNECTIONS);
  return {
    request: (request) => calls.exchange(request),
    stream: (request) => streams.exchange(request),
    async close() {
      await Promise.all([calls.close(), streams.close()]);
    },
  };
}

/** undici is loaded by the first request, so that a server answers `initialize` before paying for it. */
function lazyAgent(connections: number) {
  let agent: Promise<Agent> | undefined;
  const open = async () => {
    const undici = await import("undici");
    return new undici.Agent({
      connections,
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      // Every request brings its own time-outs.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  };
  return {
    async exchange(request: HttpRequest): Promise<HttpResponse> {
      agent ??= open();
      const response = await (await agent).request(toUndici(request));
      return {
        status: response.statusCode,
        header: (name) => {
          const value = response.headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
        body: response.body,
      };
    },
    /** What is under way fails, and so does whatever comes later. */
    async close() {
      agent ??= open();
      await (await agent).destroy();
    },
  };
}

const toUndici = (request: HttpRequest): Dispatcher.RequestOptions => ({
  origin: request.url.origin,
  path: request.url.pathname + request.url.search,
  method: request.method,
  headers: request.headers,
  body: request.body ?? null,
  signal: request.signal,
});

/** The whole body as text, or `undefined` (and a destroyed socket) when it is longer than `limit` bytes. */
export async function readText(body: Readable, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString("utf8");
}
