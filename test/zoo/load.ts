/** An exhibit behind the real thing: the embedded API, the real client over HTTP, the server's own pipeline. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { type EmbeddedApi, startEmbedded } from "../../src/embedded/index.ts";
import { createLogger } from "../../src/server/log.ts";
import { createMetrics } from "../../src/server/metrics.ts";
import { callTool, type ToolAnswer } from "../../src/server/pipeline.ts";
import type { Service } from "../../src/server/service.ts";
import { tools } from "../../src/tools/index.ts";
import { NOW } from "./rows.ts";
import type { Exhibit } from "./scenario.ts";

/** undici's: told of every request, whoever sends it. */
const REQUESTS = "undici:request:create";

export interface OpenExhibit {
  embedded: EmbeddedApi;
  api: TriggerApi;
  service: Service;
  /** Calls a tool as a host does. Throws when there is no tool of that name. */
  call(tool: string, args: Record<string, unknown>): Promise<ToolAnswer>;
  /** How many API requests have been made so far. */
  requests(): number;
  close(): Promise<void>;
}

/** Everybody's clock stands at `now`, so that the same question gets the same answer. */
export async function openExhibit({ rows, oldServer }: Exhibit, now = () => NOW): Promise<OpenExhibit> {
  const embedded = await startEmbedded({ idle: true, now, pagedTraces: !oldServer });
  embedded.load(rows);
  const api = createTriggerApi({ apiUrl: embedded.url, token: embedded.secretKey, now });
  const service: Service = {
    version: "0.0.0",
    targets: [{ name: "dev", embedded: true, access: api.access, api: async () => api }],
    surface: { tools, resources: [], prompts: [] },
    readOnly: false,
    redact: true,
    log: createLogger("silent"),
    metrics: createMetrics(),
    now,
  };
  let requests = 0;
  const count = (message: unknown) => {
    const { request } = message as { request: { origin?: string | URL } };
    if (String(request.origin).startsWith(embedded.url)) requests += 1;
  };
  subscribe(REQUESTS, count);
  return {
    embedded,
    api,
    service,
    call: (name, args) => {
      const tool = tools.find((known) => known.name === name);
      if (tool === undefined) throw new Error(`there is no ${name}`);
      return callTool(service, tool, args, { signal: new AbortController().signal });
    },
    requests: () => requests,
    close: async () => {
      unsubscribe(REQUESTS, count);
      await api.close();
      await embedded.close();
    },
  };
}
