/** The embedded API behind a tap, with a session and a run that change only when a test changes them. */
import { randomUUID } from "node:crypto";
import { startTestApi } from "./embedded.ts";
import { startTap, type Tap } from "./tap.ts";

const PLENTY = { limit: 1e9, refill: 1e9, intervalMs: 1_000 };

export interface WatchedApi {
  tap: Tap;
  secretKey: string;
  /** Requests with the secret key past the tap; the answer must be a success. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of every shape.
  ask(method: string, path: string, body?: unknown): Promise<any>;
  /** A session nobody answers in; its external id. */
  session(): Promise<string>;
  /** A run that never starts; its id. */
  run(): Promise<string>;
  /** Appends a record past the tap; `channel` as in a resource's URI: `out`, `in` or `notes/out`. */
  append(session: string, channel: string, body: string): Promise<void>;
  /** Paths of the session streams that are open through the tap. */
  streams(): string[];
  close(): Promise<void>;
}

export async function startWatchedApi(): Promise<WatchedApi> {
  const api = await startTestApi({ idle: true, rateLimits: { secretKey: PLENTY, publicToken: PLENTY } });
  const tap = await startTap(api.url);

  const ask: WatchedApi["ask"] = async (method, path, body) => {
    const answer = await api.ask(path, { method, ...(body !== undefined && { body }) });
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return answer.body;
  };

  return {
    tap,
    secretKey: api.secretKey,
    ask,
    async session() {
      const externalId = `chat-${randomUUID()}`;
      const start = {
        type: "chat.agent",
        taskIdentifier: "support-agent",
        triggerConfig: { basePayload: {} },
      };
      await ask("POST", "/api/v1/sessions", { ...start, externalId });
      return externalId;
    },
    run: () => api.trigger("process-order", { order: 1 }),
    async append(session, channel, body) {
      const path = channel.includes("/") ? `channels/${channel}` : channel;
      await ask("POST", `/realtime/v1/sessions/${session}/${path}/append`, body);
    },
    streams: () =>
      tap
        .open()
        .filter((name) => name.startsWith("GET /realtime/"))
        .map((name) => name.slice("GET ".length)),
    async close() {
      await tap.close();
      await api.close();
    },
  };
}
