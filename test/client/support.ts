/** A client on a fake server, with time that passes only when somebody sleeps. */
import type { TriggerApi } from "../../src/client/api.ts";
import { type ClientSettings, createTriggerApi } from "../../src/client/index.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import { type FakeApi, startFakeApi } from "../support/fake-api.ts";

export const SECRET = "tr_dev_aSecretNobodyMaySee";

export interface Bench {
  server: FakeApi;
  api: TriggerApi;
  /** Milliseconds of every sleep. */
  sleeps: number[];
  client(settings?: Partial<ClientSettings>): TriggerApi;
  close(): Promise<void>;
}

export async function bench(settings: Partial<ClientSettings> = {}): Promise<Bench> {
  const server = await startFakeApi();
  const sleeps: number[] = [];
  const opened: TriggerApi[] = [];
  let now = Date.parse("2026-08-20T10:00:00.000Z");
  const client = (own: Partial<ClientSettings> = {}) => {
    const api = createTriggerApi({
      apiUrl: server.url,
      token: SECRET,
      now: () => now,
      random: () => 0.5,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        sleeps.push(ms);
        now += ms;
      },
      ...settings,
      ...own,
    });
    opened.push(api);
    return api;
  };
  return {
    server,
    sleeps,
    client,
    api: client(),
    async close() {
      await Promise.all(opened.map((api) => api.close()));
      await server.close();
    },
  };
}

/** What a call threw; fails when it did not. */
export async function thrown(call: Promise<unknown> | (() => Promise<unknown>)): Promise<TriggerError> {
  try {
    await (typeof call === "function" ? call() : call);
  } catch (error) {
    if (error instanceof TriggerError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

export const runBody = (over: Record<string, unknown> = {}) => ({
  id: "run_1",
  taskIdentifier: "send-report",
  status: "COMPLETED",
  createdAt: "2026-08-20T10:00:00.000Z",
  updatedAt: "2026-08-20T10:00:04.210Z",
  isTest: false,
  tags: [],
  costInCents: 0,
  baseCostInCents: 0,
  durationMs: 5,
  depth: 0,
  attemptCount: 1,
  attempts: [],
  relatedRuns: { children: [] },
  ...over,
});

export const sessionBody = (over: Record<string, unknown> = {}) => ({
  id: "session_1",
  externalId: null,
  type: "chat.agent",
  taskIdentifier: "ai-chat",
  currentRunId: null,
  tags: [],
  metadata: null,
  closedAt: null,
  closedReason: null,
  expiresAt: null,
  createdAt: "2026-04-24T09:00:00.000Z",
  updatedAt: "2026-04-24T09:00:00.000Z",
  ...over,
});
