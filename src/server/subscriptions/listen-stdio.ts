/** `subscriptions/listen` over stdio: many on one connection, each until it is cancelled, answered, or the host is gone. */
import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type Transport,
} from "@modelcontextprotocol/server";
import type { Listener, Subscriptions } from "./index.ts";
import { Listening, urisAsked, withUris } from "./listening.ts";

type Id = string | number;

/** A transport that looks at what passes, since the SDK does not tell what is listened to. */
export class ListeningTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport["onmessage"];
  readonly #wire: Transport;
  readonly #subscriptions: Subscriptions;
  readonly #tell: Listener;
  readonly #open = new Map<Id, Listening>();

  constructor(wire: Transport, subscriptions: Subscriptions, tell: Listener) {
    this.#wire = wire;
    this.#subscriptions = subscriptions;
    this.#tell = tell;
  }

  async start(): Promise<void> {
    this.#wire.onmessage = (message) => this.#received(message);
    this.#wire.onerror = (error) => this.onerror?.(error);
    this.#wire.onclose = () => {
      for (const id of [...this.#open.keys()]) this.#end(id);
      this.onclose?.();
    };
    await this.#wire.start();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    // The answer of a listen request is its end: refused by the SDK, or over.
    const answer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
    if (answer && message.id !== undefined) this.#end(message.id);
    await this.#wire.send(message);
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  #received(message: JSONRPCMessage): void {
    const uris = isJSONRPCRequest(message) ? urisAsked(message) : undefined;
    if (isJSONRPCRequest(message) && uris !== undefined) {
      void this.#listen(message, message.id, uris);
      return;
    }
    if (isJSONRPCNotification(message) && message.method === "notifications/cancelled") {
      const id = message.params?.requestId;
      if (typeof id === "string" || typeof id === "number") this.#end(id);
    }
    this.onmessage?.(message);
  }

  /** Hands the request on once it is known what of it is honoured, unless it is over by then. */
  async #listen(message: JSONRPCMessage, id: Id, uris: string[]): Promise<void> {
    this.#end(id);
    const listening = new Listening(this.#subscriptions, this.#tell);
    this.#open.set(id, listening);
    const honoured = await listening.honour(uris);
    if (!listening.ended) this.onmessage?.(withUris(message, honoured));
  }

  #end(id: Id): void {
    this.#open.get(id)?.end();
    this.#open.delete(id);
  }
}
