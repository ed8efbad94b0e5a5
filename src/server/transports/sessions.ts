/**
 * Sessions of the 2025 protocol era. Clients of both SDKs leave them open when they go (sdk.md 2), so idle ones end by
 * themselves and their number is bounded. A session belongs to the key that opened it.
 */
import { randomUUID } from "node:crypto";
import { isInitializeRequest, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { createServer } from "../register.ts";
import type { Service } from "../service.ts";
import { Subscriptions } from "../subscriptions.ts";

export interface SessionLimits {
  /** Milliseconds without a request or an open stream after which a session ends. */
  idleMs: number;
  /** An idle session costs about 80 KB. */
  most: number;
}

export const SESSION_LIMITS: SessionLimits = { idleMs: 30 * 60_000, most: 1_000 };

const KEEP_ALIVE_MS = 15_000;

interface Session {
  transport: WebStandardStreamableHTTPServerTransport;
  principal: string;
  lastUsed: number;
  /** Requests being answered and streams being listened to. */
  open: number;
  close(): Promise<void>;
}

const failure = (status: number, message: string): Response =>
  Response.json({ jsonrpc: "2.0", id: null, error: { code: -32_000, message } }, { status });

/** Tells `onEnd` when the answer has been sent, or the receiver has gone. */
function observed(response: Response, onEnd: () => void): Response {
  if (response.body === null) {
    onEnd();
    return response;
  }
  let ended = false;
  const end = () => {
    if (!ended) onEnd();
    ended = true;
  };
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

export class Sessions {
  readonly #service: Service;
  readonly #limits: SessionLimits;
  readonly #subscriptions: Subscriptions;
  readonly #byId = new Map<string, Session>();
  readonly #sweep: NodeJS.Timeout;

  constructor(service: Service, limits: SessionLimits = SESSION_LIMITS) {
    this.#service = service;
    this.#subscriptions = new Subscriptions(service);
    this.#limits = limits;
    this.#sweep = setInterval(() => void this.#endIdle(limits.idleMs), Math.max(1_000, limits.idleMs / 4));
    this.#sweep.unref();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Answers one request of the 2025 era. `body` is the parsed body of a POST. */
  async handle(request: Request, body: unknown, principal: string): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    const opening = [body].flat().some(isInitializeRequest);
    if (id === null && !opening) return failure(400, "Mcp-Session-Id is missing: begin with initialize.");
    const session = id === null ? await this.#open(principal) : this.#byId.get(id);
    if (session === "full") return failure(503, "Too many sessions are open; try again later.");
    // A stranger's session id is answered like an unknown one: its existence is nobody's business.
    if (session === undefined || session.principal !== principal) {
      return failure(404, "No such session: it has ended. Begin with initialize.");
    }
    session.open += 1;
    session.lastUsed = this.#service.now();
    const ended = () => {
      session.open -= 1;
      session.lastUsed = this.#service.now();
    };
    try {
      const response = await session.transport.handleRequest(
        request,
        body === undefined ? {} : { parsedBody: body },
      );
      return observed(response, ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  async #open(principal: string): Promise<Session | "full"> {
    if (this.#byId.size >= this.#limits.most) await this.#endIdle(0, 1);
    if (this.#byId.size >= this.#limits.most) return "full";
    const server = createServer(this.#service, this.#subscriptions);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      keepAliveMs: KEEP_ALIVE_MS,
      onsessioninitialized: (id) => void this.#byId.set(id, session),
      onsessionclosed: (id) => void this.#byId.delete(id),
    });
    const session: Session = {
      transport,
      principal,
      lastUsed: this.#service.now(),
      open: 0,
      close: () => server.close(),
    };
    await server.connect(transport);
    return session;
  }

  /** Ends sessions that nobody uses and nobody has used for so long, the longest unused first. */
  async #endIdle(idleMs: number, most = Number.POSITIVE_INFINITY): Promise<void> {
    const now = this.#service.now();
    const idle = [...this.#byId]
      .filter(([, session]) => session.open === 0 && now - session.lastUsed >= idleMs)
      .sort(([, a], [, b]) => a.lastUsed - b.lastUsed)
      .slice(0, most);
    for (const [id] of idle) this.#byId.delete(id);
    await Promise.allSettled(idle.map(([, session]) => session.close()));
  }

  /** Ends all. Can be called twice. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    const all = [...this.#byId.values()];
    this.#byId.clear();
    await Promise.allSettled(all.map((session) => session.close()));
  }
}
