/**
 * Resource subscriptions of the 2025 protocol era: a resource is read again and again only while somebody is subscribed,
 * once for all of them, and they are told when it has changed. What a resource is does not matter here.
 */
import { createHash } from "node:crypto";
import { type McpServer, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { viewContext } from "./pipeline.ts";
import { BUDGET, type FoundResource, findResource } from "./resources.ts";
import type { Service } from "./service.ts";

export interface SubscriptionTiming {
  /** Milliseconds between two reads. */
  everyMs: number;
  /** What that grows to while reading fails. */
  mostMs: number;
}

const TIMING: SubscriptionTiming = { everyMs: 5_000, mostMs: 60_000 };

/** Each costs the API a request every few seconds. */
const MOST = 50;

/** The clock of a watcher stands still, well ahead: ages in the text must not look like news, nor deadlines pass. */
const AHEAD_MS = 30 * 24 * 3_600_000;

class Watcher {
  readonly listeners = new Set<() => void>();
  readonly #service: Service;
  readonly #found: FoundResource;
  readonly #timing: SubscriptionTiming;
  readonly #stopped = new AbortController();
  readonly #view: ReturnType<typeof viewContext>;
  #seen: string | undefined;
  #wait: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(service: Service, found: FoundResource, timing: SubscriptionTiming) {
    this.#service = service;
    this.#found = found;
    this.#timing = timing;
    this.#wait = timing.everyMs;
    const [target] = service.targets;
    this.#view = { ...viewContext(service, target.name, BUDGET), now: service.now() + AHEAD_MS };
    void this.#look();
  }

  async #look(): Promise<void> {
    try {
      const api = await this.#service.targets[0].api();
      const { signal } = this.#stopped;
      const text = await this.#found.resource.read(this.#found.variables, { api, signal, view: this.#view });
      const digest = createHash("sha256").update(text).digest("hex");
      const changed = this.#seen !== undefined && this.#seen !== digest;
      this.#seen = digest;
      this.#wait = this.#timing.everyMs;
      if (changed && !signal.aborted) for (const listener of this.listeners) listener();
    } catch (error) {
      this.#wait = Math.min(this.#wait * 2, this.#timing.mostMs);
      this.#service.log.debug(
        { err: error, resource: this.#found.resource.name },
        "subscribed resource not readable",
      );
    }
    if (this.#stopped.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#look(), this.#wait);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }
}

/** One per process, so that many subscribers of one resource cost as much as one. */
export class Subscriptions {
  readonly #service: Service;
  readonly #timing: SubscriptionTiming;
  readonly #watchers = new Map<string, Watcher>();

  constructor(service: Service, timing: SubscriptionTiming = TIMING) {
    this.#service = service;
    this.#timing = timing;
  }

  /** Resources being watched. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Answers how to end it. A URI that names no resource never changes, so nothing is watched for it. */
  #add(uri: string, listener: () => void): () => void {
    const found = findResource(this.#service, uri);
    if (found === undefined) return () => {};
    let watcher = this.#watchers.get(uri);
    if (watcher === undefined) {
      if (this.#watchers.size >= MOST) {
        throw new ProtocolError(
          ProtocolErrorCode.InvalidParams,
          `At most ${MOST} resources can be watched at a time; unsubscribe from another first.`,
        );
      }
      watcher = new Watcher(this.#service, found, this.#timing);
      this.#watchers.set(uri, watcher);
    }
    const { listeners } = watcher;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      this.#watchers.get(uri)?.stop();
      this.#watchers.delete(uri);
    };
  }

  /** Serves `resources/subscribe` and `resources/unsubscribe` on a connection, until it closes. */
  serve({ server }: McpServer): void {
    const ends = new Map<string, () => void>();
    const end = (uri: string) => {
      ends.get(uri)?.();
      ends.delete(uri);
    };
    server.setRequestHandler("resources/subscribe", ({ params: { uri } }) => {
      if (ends.has(uri)) return {};
      ends.set(
        uri,
        // Whoever has gone is told by the close of the connection, not by us.
        this.#add(uri, () => void server.sendResourceUpdated({ uri }).catch(() => {})),
      );
      return {};
    });
    server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      end(uri);
      return {};
    });
    server.onclose = () => {
      for (const uri of [...ends.keys()]) end(uri);
    };
  }
}
