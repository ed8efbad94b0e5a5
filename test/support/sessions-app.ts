/** The embedded API's session part alone, over HTTP, with the clock, the pauses and the pings in the test's hand. */
import { Hono } from "hono";
import { createGates } from "../../src/embedded/auth/authenticate.ts";
import { createSignedUrls } from "../../src/embedded/auth/signed-urls.ts";
import { mintPublicToken } from "../../src/embedded/auth/tokens.ts";
import { createChannels } from "../../src/embedded/engine/channels.ts";
import { createEngine } from "../../src/embedded/engine/index.ts";
import { resumeSessions } from "../../src/embedded/engine/resume-sessions.ts";
import { createSessions } from "../../src/embedded/engine/sessions.ts";
import type { TaskDefinition } from "../../src/embedded/engine/types.ts";
import { listen } from "../../src/embedded/listen.ts";
import { channelRoutes } from "../../src/embedded/routes/channels.ts";
import { packetRoutes } from "../../src/embedded/routes/packets.ts";
import { sessionRoutes } from "../../src/embedded/routes/sessions.ts";
import { openDatabase } from "../../src/embedded/store/db.ts";
import { createEnvironmentStore } from "../../src/embedded/store/environments.ts";
import { openInstance } from "../../src/embedded/store/instance.ts";
import { createObjects } from "../../src/embedded/store/objects.ts";
import { createSupportAgent } from "../../src/embedded/tasks/support-agent.ts";

/** Holds a session without reading its channels. */
const quiet: TaskDefinition = {
  id: "quiet",
  kind: "AGENT",
  run: (_, context) => context.waitUntil("nothing", new Promise(() => {})),
};

export interface SessionsAppOptions {
  /** Absent: in memory. */
  file?: string;
  port?: number;
  pace?: number;
  pingMs?: number;
  trimDelayMs?: number;
}

export type SessionsApp = Awaited<ReturnType<typeof startSessionsApp>>;

export async function startSessionsApp({
  file,
  port = 0,
  pace = 0,
  pingMs,
  trimDelayMs,
}: SessionsAppOptions = {}) {
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const db = openDatabase(file);
  const environments = createEnvironmentStore(db);
  const instance = openInstance(db, environments);
  const environment = instance.development;
  const objects = createObjects(db);
  const channels = createChannels({ db, now, ...(trimDelayMs !== undefined && { trimDelayMs }) });
  const agent = createSupportAgent({ db, channels, objects, pace });
  const engine = createEngine({ db, tasks: [quiet, agent] });
  const sessions = createSessions({ db, engine, channels, now });
  resumeSessions({ db, sessions, channels, environments });
  const gates = createGates(environments);
  const signedUrls = createSignedUrls(instance.urlSecret, now);
  const app = new Hono();
  const deps = {
    gates,
    sessions,
    channels,
    objects,
    signedUrls,
    engine,
    ...(pingMs !== undefined && { pingMs }),
  };
  sessionRoutes(app, deps);
  channelRoutes(app, deps);
  packetRoutes(app, deps);
  app.onError(() => Response.json({ error: "Internal Server Error" }, { status: 500 }));
  const server = await listen(app.fetch, "127.0.0.1", port);

  const secretKey = environment.rootKey;
  const request = (
    method: string,
    path: string,
    init: { body?: string; token?: string; headers?: object } = {},
  ) =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${init.token ?? secretKey}`, ...init.headers },
      ...(init.body !== undefined && { body: init.body }),
    });

  return {
    url: server.url,
    /** The same without a socket. */
    fetch: async (asked: Request): Promise<Response> => app.fetch(asked),
    secretKey,
    environment,
    channels,
    sessions,
    objects,
    engine,
    /** Moves the clock that part ids, trims, expiry and links go by; 0 is the present. */
    clock,
    request,
    /** A public token with exactly these scopes. */
    token: (...scopes: string[]) => mintPublicToken(environment, { scopes }),
    /** Creates a session and answers its body. */
    async create(body: Record<string, unknown> = {}) {
      const response = await request("POST", "/api/v1/sessions", {
        body: JSON.stringify({
          type: "chat.agent",
          taskIdentifier: "quiet",
          triggerConfig: { basePayload: {} },
          ...body,
        }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    append: (session: string, io: string, body: string, partId?: string) =>
      request("POST", `/realtime/v1/sessions/${encodeURIComponent(session)}/${io}/append`, {
        body,
        headers: partId === undefined ? {} : { "x-part-id": partId },
      }),
    async close() {
      channels.close();
      await server.close();
      await engine.close();
      db.close();
    },
  };
}
