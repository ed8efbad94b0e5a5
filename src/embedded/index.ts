/**
 * The embedded API: a local, Trigger.dev-compatible server with a worker, example tasks and a chat agent in this
 * process. Any Trigger.dev client can use it.
 */

import type { Faults } from "./faults.ts";
import { listen } from "./listen.ts";
import { loadScenario, type Scenario } from "./scenario.ts";
import { createServices, type ServicesOptions } from "./services.ts";
import { openDataDir } from "./store/data-dir.ts";
import { openDatabase } from "./store/db.ts";

export interface EmbeddedOptions extends Omit<ServicesOptions, "db"> {
  /** Where the database lives; without it everything is in memory and ends with {@link EmbeddedApi.close}. */
  dataDir?: string;
  /** `127.0.0.1` unless told. */
  host?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** What goes wrong with its requests, on purpose. Default: nothing. */
  faults?: Faults;
}

export interface EmbeddedApi {
  url: string;
  /** Root key of the development environment. */
  secretKey: string;
  personalToken: string;
  projectRef: string;
  environmentId: string;
  /** Resolves when the run has ended, by its `run_…` id; for tests and the demo. */
  settled(runId: string): Promise<void>;
  /** Stores runs of the development environment as they are given; meant for an `idle` API. */
  load(scenario: Scenario): void;
  /** Ends streams, worker, server and database. Can be called twice. */
  close(): Promise<void>;
}

/** Throws when another process uses `dataDir`, or the port is taken. */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedApi> {
  const { dataDir, host = "127.0.0.1", port = 0, faults, ...rest } = options;
  const directory = dataDir === undefined ? undefined : openDataDir(dataDir);
  const ending: (() => void | Promise<void>)[] = [() => directory?.release()];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      for (const end of ending.splice(0).reverse()) await end();
    })();
    return closing;
  };
  try {
    const db = openDatabase(directory?.file);
    ending.push(() => {
      db.close();
    });
    const { app, instance, ...services } = createServices({ db, ...rest });
    ending.push(() => services.close());
    const server = await listen(app.fetch, host, port, faults);
    // First the streams, or the server would wait for them.
    ending.push(() => server.close(), services.endStreams);
    const { development, personalToken, projectRef } = instance;
    return {
      url: server.url,
      secretKey: development.rootKey,
      personalToken,
      projectRef,
      environmentId: development.id,
      settled: async (runId) => void (await services.settled(runId)),
      load: (scenario) => loadScenario(db, development, scenario),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
