/** The page's side of MCP Apps (`2026-01-26`): JSON-RPC 2.0 with the host that framed it, over `postMessage`. */
import { type PageMessage, window } from "./dom.ts";

export const PROTOCOL_VERSION = "2026-01-26";

/** What the host may call, by method. A request is answered with an empty result. */
export type Handlers = ReadonlyMap<string, (params: Record<string, unknown>) => void>;

export interface Bridge {
  /** Rejects with the host's words. */
  request(method: string, params: object): Promise<unknown>;
  notify(method: string, params: object): void;
  close(): void;
}

interface Message {
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { message?: string };
}

const isMessage = (data: unknown): data is Message =>
  typeof data === "object" && data !== null && "jsonrpc" in data;

const METHOD_NOT_FOUND = { code: -32_601, message: "Method not found" };

export function connectHost(handlers: Handlers): Bridge {
  const host = window.parent;
  const waiting = new Map<unknown, { resolve(result: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  // The host's origin cannot be known from in here, and nothing secret is ever sent.
  const send = (message: object) => host.postMessage({ jsonrpc: "2.0", ...message }, "*");

  function answered({ id, result, error }: Message): void {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  }

  function receive({ source, data }: PageMessage): void {
    if (source !== host || !isMessage(data)) return;
    const { id, method, params = {} } = data;
    if (method === undefined) {
      answered(data);
      return;
    }
    const handler = handlers.get(method);
    handler?.(params);
    if (id !== undefined) send(handler ? { id, result: {} } : { id, error: METHOD_NOT_FOUND });
  }

  window.addEventListener("message", receive);
  return {
    request(method, params) {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        send({ id, method, params });
      });
    },
    notify: (method, params) => send({ method, params }),
    close: () => window.removeEventListener("message", receive),
  };
}
