/** Joins engine, sessions, channels, tasks and routes over one database. */
import type { Hono } from "hono";
import { createApp, type Log } from "./app.ts";
import { RATE_LIMITS, type RateLimits } from "./auth/rate-limit.ts";
import { createSignedUrls } from "./auth/signed-urls.ts";
import { createChannels } from "./engine/channels.ts";
import { createEngine } from "./engine/index.ts";
import { resumeSessions } from "./engine/resume-sessions.ts";
import { createSessions } from "./engine/sessions.ts";
import type { Project } from "./routes/projects.ts";
import type { Db } from "./store/db.ts";
import { createEnvironmentStore } from "./store/environments.ts";
import { type GivenKeys, type Instance, openInstance } from "./store/instance.ts";
import { createObjects } from "./store/objects.ts";
import { exampleTasks } from "./tasks/index.ts";
import { seed } from "./tasks/seed.ts";
import { createSupportAgent, seedSession } from "./tasks/support-agent.ts";

export interface ServicesOptions {
  db: Db;
  /** Starts example runs and a conversation when there are none yet. */
  seed?: boolean;
  /** Fixed keys for a new database. */
  keys?: GivenKeys;
  /** The contract's numbers unless told. */
  rateLimits?: Partial<RateLimits>;
  logger?: Log;
  /** The routes' clock, Unix milliseconds. */
  now?: () => number;
  /** The worker executes nothing: runs stay as they are stored. */
  idle?: boolean;
  /** Milliseconds between the pings of a silent stream; the contract's unless told. */
  pingMs?: number;
  /** Milliseconds after its command that a trim takes effect. */
  trimDelayMs?: number;
  /** `false` serves traces as the older server does: the tree up to its cap, no pages. */
  pagedTraces?: boolean;
}

export interface Services {
  app: Hono;
  instance: Instance;
  /** Resolves when the run has ended. */
  settled(runId: string): Promise<unknown>;
  endStreams(): void;
  close(): Promise<void>;
}

const SILENT: Log = { error: () => {} };

export function createServices({
  db,
  keys,
  rateLimits,
  logger = SILENT,
  now = Date.now,
  idle = false,
  pagedTraces = true,
  pingMs,
  trimDelayMs,
  ...options
}: ServicesOptions): Services {
  const environments = createEnvironmentStore(db);
  const instance = openInstance(db, environments, keys);
  const objects = createObjects(db);
  const channels = createChannels({ db, ...(trimDelayMs !== undefined && { trimDelayMs }) });
  const agent = createSupportAgent({ db, channels, objects });
  const engine = createEngine({ db, tasks: [...exampleTasks, agent], idle });
  const sessions = createSessions({ db, engine, channels });
  if (!idle) resumeSessions({ db, sessions, channels, environments });
  const app = createApp({
    db,
    engine,
    sessions,
    channels,
    objects,
    signedUrls: createSignedUrls(instance.urlSecret, now),
    credentials: environments,
    project: projectOf(instance),
    projectEnvironments: (userId, ref) =>
      userId === instance.userId && ref === instance.projectRef ? environments.all() : undefined,
    rateLimits: { ...RATE_LIMITS, ...rateLimits },
    pagedTraces,
    ...(pingMs !== undefined && { pingMs }),
    log: logger,
    now,
  });
  if (options.seed) {
    seed(engine, instance.development);
    seedSession({ sessions, channels }, instance.development);
  }
  return {
    app,
    instance,
    settled: engine.settled,
    endStreams: () => channels.close(),
    close: () => engine.close(),
  };
}

const projectOf = ({ projectId, projectRef, organizationId, createdAt }: Instance): Project => ({
  id: projectId,
  ref: projectRef,
  name: "Local project",
  slug: "local-project",
  createdAt,
  organization: { id: organizationId, title: "Local", slug: "local", createdAt },
});
