/** The embedded API's routes as one Hono app. */
import { Hono } from "hono";
import { type Credentials, createGates } from "./auth/authenticate.ts";
import { type RateLimits, rateLimit } from "./auth/rate-limit.ts";
import type { SignedUrls } from "./auth/signed-urls.ts";
import { createTokenBuckets } from "./auth/token-bucket.ts";
import { createUsedTokens } from "./auth/used-tokens.ts";
import type { Channels } from "./engine/channels.ts";
import type { Sessions } from "./engine/sessions.ts";
import { type Engine, EngineRefusal, type Environment } from "./engine/types.ts";
import { authRoutes } from "./routes/auth.ts";
import { batchRoutes } from "./routes/batches.ts";
import { channelRoutes } from "./routes/channels.ts";
import { metadataRoutes } from "./routes/metadata.ts";
import { createPackets, packetRoutes } from "./routes/packets.ts";
import { RouteFailure } from "./routes/plain.ts";
import { type Project, projectRoutes } from "./routes/projects.ts";
import { error } from "./routes/replies.ts";
import { runChangeRoutes } from "./routes/run-changes.ts";
import { runFeedRoutes } from "./routes/run-feeds.ts";
import { runListRoutes } from "./routes/run-list.ts";
import { runPlainRoutes } from "./routes/run-plain.ts";
import { runReadRoutes } from "./routes/run-reads.ts";
import { runStreamRoutes } from "./routes/run-streams.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { triggerRoutes } from "./routes/trigger.ts";
import { createBatches } from "./store/batches.ts";
import type { Db } from "./store/db.ts";
import type { Objects } from "./store/objects.ts";

/** What the app tells about itself; a pino logger will do. */
export interface Log {
  error(details: object, message: string): void;
}

export interface AppOptions {
  db: Db;
  engine: Engine;
  sessions: Sessions;
  channels: Channels;
  objects: Objects;
  signedUrls: SignedUrls;
  credentials: Credentials;
  project: Project;
  /** The project's environments when the user belongs to it. */
  projectEnvironments(userId: string, projectRef: string): Environment[] | undefined;
  rateLimits: RateLimits;
  /** The paged form of the trace, contract api.md 1.3; without it the query is ignored. */
  pagedTraces: boolean;
  /** Milliseconds between the pings of a silent stream. */
  pingMs?: number;
  log: Log;
  now?: () => number;
}

export function createApp(options: AppOptions): Hono {
  const { db, credentials, rateLimits, log, now = Date.now } = options;
  const deps = {
    ...options,
    now,
    gates: createGates(credentials),
    packets: createPackets(options),
    usedTokens: createUsedTokens(db),
    batches: createBatches(db),
    itemBuckets: createTokenBuckets(rateLimits.batchItems, now),
  };
  const app = new Hono();

  app.use(async (c, next) => {
    const url = new URL(c.req.url);
    if (url.pathname === "/" || !url.pathname.endsWith("/")) return next();
    // A path only: `//host` must not become a way to another host.
    return c.redirect(`/${url.pathname.replace(/^\/+|\/+$/g, "")}${url.search}`, 301);
  });
  app.use("/api/*", rateLimit(rateLimits, credentials, now));

  runListRoutes(app, deps);
  runReadRoutes(app, deps);
  runPlainRoutes(app, deps);
  metadataRoutes(app, deps);
  runChangeRoutes(app, deps);
  triggerRoutes(app, deps);
  batchRoutes(app, deps);
  packetRoutes(app, deps);
  runFeedRoutes(app, deps);
  runStreamRoutes(app, deps);
  sessionRoutes(app, deps);
  channelRoutes(app, deps);
  authRoutes(app, deps);
  projectRoutes(app, deps);

  app.notFound(() => error(404, "Not Found"));
  app.onError((thrown, c) => {
    if (thrown instanceof EngineRefusal) return error(thrown.status, thrown.message);
    const failure = thrown instanceof RouteFailure ? thrown : undefined;
    log.error({ err: failure?.cause ?? thrown, method: c.req.method, path: c.req.path }, "a route failed");
    return failure?.response ?? error(500, "Internal Server Error");
  });
  return app;
}
