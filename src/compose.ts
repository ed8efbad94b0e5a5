/**
 * The one place that joins everything: settings to the targets calls can be about, and to what is offered for them.
 * The API client and the embedded API are loaded on first use, so that a host's `initialize` never waits for them.
 */
import type { TriggerApi } from "./client/api.ts";
import { ConfigError, NO_CREDENTIALS } from "./config/error.ts";
import type { Settings, TargetSettings } from "./config/settings.ts";
import { version } from "./config/version.ts";
import { type Access, credentialKind } from "./domain/access.ts";
import { TriggerError } from "./domain/errors.ts";
import type { EmbeddedApi } from "./embedded/index.ts";
import { prompts } from "./prompts/index.ts";
import { resources } from "./resources/index.ts";
import { createLogger, type Logger } from "./server/log.ts";
import { createMetrics } from "./server/metrics.ts";
import { type Service, type Target, visible } from "./server/service.ts";
import { tools } from "./tools/index.ts";

export type { EmbeddedApi };

export interface Composition {
  service: Service;
  /** The embedded API, started on first use; absent unless the settings ask for it. */
  embedded?: () => Promise<EmbeddedApi>;
  /** Lets go of connections, worker and store. Can be called twice. */
  close(): Promise<void>;
}

/** One promise however often it is asked for; a failure is forgotten, so that the next call tries again. */
function once<T>(make: () => Promise<T>): { get: () => Promise<T>; made: () => Promise<T> | undefined } {
  let promise: Promise<T> | undefined;
  return {
    get: () => {
      promise ??= make().catch((error) => {
        promise = undefined;
        throw error;
      });
      return promise;
    },
    made: () => promise,
  };
}

async function connect(
  target: TargetSettings,
  embedded: (() => Promise<EmbeddedApi>) | undefined,
): Promise<TriggerApi> {
  const local = await embedded?.().catch((error: ConfigError) => {
    throw new TriggerError("not_configured", error.message);
  });
  const token = local?.secretKey ?? target.token;
  if (token === undefined) throw new TriggerError("not_configured", NO_CREDENTIALS);
  const { createTriggerApi } = await import("./client/index.ts");
  const { projectRef, environment, branch } = target;
  return createTriggerApi({
    apiUrl: local?.url ?? target.apiUrl,
    token,
    userAgent: `trigger-mcp/${version}`,
    ...(projectRef === undefined ? {} : { projectRef }),
    ...(environment === undefined ? {} : { environment }),
    ...(branch === undefined ? {} : { branch }),
  });
}

/** Scopes are read by the client, which only a public token needs before the first call. */
async function accessOf(target: TargetSettings, api: () => Promise<TriggerApi>): Promise<Access | undefined> {
  if (target.token === undefined) return undefined;
  const kind = credentialKind(target.token);
  return kind === "public" || kind === undefined ? (await api()).access : { kind };
}

/** What kept it from starting is for the user to mend: a data directory in use, a port taken, SQLite missing. */
function notStarted(error: unknown): ConfigError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === "ERR_MODULE_NOT_FOUND" && message.includes("libsql")
      ? "the optional package libsql is not installed (npm install libsql)"
      : message;
  return new ConfigError(`The embedded API did not start: ${why}`);
}

/** The embedded API of these settings. Throws {@link ConfigError}. */
export async function openEmbedded(settings: Settings, log: Logger): Promise<EmbeddedApi> {
  const { dataDir, port = 0 } = settings.embedded ?? {};
  try {
    const { startEmbedded } = await import("./embedded/index.ts");
    const logger = { error: (facts: object, message: string) => log.error({ ...facts }, message) };
    const api = await startEmbedded({
      port,
      seed: true,
      logger,
      ...(dataDir === undefined ? {} : { dataDir }),
    });
    log.info({ url: api.url, dataDir: dataDir ?? "memory" }, "embedded API started");
    return api;
  } catch (error) {
    throw notStarted(error);
  }
}

export async function compose(settings: Settings): Promise<Composition> {
  const log = createLogger(settings.logLevel);
  const local = settings.embedded ? once(() => openEmbedded(settings, log)) : undefined;
  const apis: { made: () => Promise<TriggerApi> | undefined }[] = [];

  const targets = await Promise.all(
    settings.targets.map(async (target): Promise<Target> => {
      const api = once(() => connect(target, target.embedded ? local?.get : undefined));
      apis.push(api);
      const access = await accessOf(target, api.get);
      return {
        name: target.name,
        embedded: target.embedded,
        ...(access === undefined ? {} : { access }),
        api: api.get,
      };
    }),
  );
  const [first, ...others] = targets;
  if (first === undefined) throw new Error("settings without a target");

  const service: Service = {
    version,
    targets: [first, ...others],
    surface: visible({ tools, resources, prompts }, settings, targets),
    readOnly: settings.readOnly,
    redact: settings.redact,
    redactEmails: settings.redactEmails,
    log,
    metrics: createMetrics(),
    now: Date.now,
  };

  return {
    service,
    ...(local === undefined ? {} : { embedded: local.get }),
    async close() {
      await Promise.allSettled(apis.map(async (api) => (await api.made())?.close()));
      await local?.made()?.then(
        (api) => api.close(),
        () => {},
      );
    },
  };
}
