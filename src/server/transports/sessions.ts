/**
 * Sessions of the 2025 protocol era. Clients of both SDKs leave them open when they go (sdk.md 2), so idle ones end by
 * themselves and their number is bounded. A session belongs to the key that opened it.
 */
import { randomUUID } from "node:crypto";
import { isInitializeRequest, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { createServer } from "../register.ts";
import type { Service } from "../service.ts";
import type { Subscriptions } from "../subscriptions/index.ts";
import { type Audience, serveSubscriptions } from "../subscriptions/subscribe.ts";
import { observed } from "./observed.ts";

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
  /** Who hears of what it subscribed to. */
  audience: Audience;
  close(): Promise<void>;
}

const failure = (status: number, message: string): Response =>
  Response.json({ jsonrpc: "2.0", id: null, error: { code: -32_000, message } }, { status });

export class Sessions {
  readonly #service: Service;
  readonly #limits: SessionLimits;
  readonly #subscriptions: Subscriptions;
  readonly #byId = new Map<string, Session>();
  readonly #sweep: NodeJS.Timeout;

  constructor(service: Service, subscriptions: Subscriptions, limits: SessionLimits = SESSION_LIMITS) {
    this.#service = service;
    this.#subscriptions = subscriptions;
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
      return request.method === "GET" && response.ok
        ? this.#heard(session, request, response, ended)
        : observed(response, ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** The stream that updates go out on. A client that comes back for it is refused until its end was noticed. */
  #heard({ audience }: Session, request: Request, response: Response, ended: () => void): Response {
    audience.heard();
    const end = () => {
      audience.unheard();
      ended();
    };
    return observed(response, end, { request, preface: ": open\n\n" });
  }

  async #open(principal: string): Promise<Session | "full"> {
    if (this.#byId.size >= this.#limits.most) await this.#endIdle(0, 1);
    if (this.#byId.size >= this.#limits.most) return "full";
    const server = createServer(this.#service);
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
      audience: serveSubscriptions(server, this.#service, this.#subscriptions, { heard: false }),
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
