/** The embedded API and the real client of it, for the tests of one `describe`. */
import { afterAll, beforeAll } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { type EmbeddedApi, startEmbedded } from "../../src/embedded/index.ts";
import followRun from "../../src/tools/follow-run.ts";
import { callTool } from "./tools.ts";

export function liveApi() {
  let server: EmbeddedApi;
  let api: TriggerApi;
  beforeAll(async () => {
    server = await startEmbedded();
    api = createTriggerApi({ apiUrl: server.url, token: server.secretKey });
  });
  afterAll(async () => {
    await api.close();
    await server.close();
  });
  return {
    get api(): TriggerApi {
      return api;
    },
    /** Runs a task to its end and answers the run's id. */
    async ended(task: string, payload: unknown): Promise<string> {
      const { id } = await api.runs.trigger(task, { payload });
      await callTool(followRun, { run_id: id, timeout_seconds: 30 }, api);
      return id;
    },
  };
}
