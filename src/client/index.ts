/** Makes a client for one environment of one server. */
import type { TriggerApi } from "./api.ts";
import { createCaller } from "./caller.ts";
import { channelsApi } from "./channels.ts";
import { createCredentials } from "./credentials.ts";
import { createPipeline } from "./pipeline.ts";
import { probe } from "./probe.ts";
import { runsApi } from "./runs.ts";
import { sessionsApi } from "./sessions.ts";
import { type ClientSettings, clientContext } from "./settings.ts";
import { tokensApi } from "./tokens.ts";

export type { ClientSettings, Timeouts } from "./settings.ts";
export { createTransport, type Transport } from "./transport.ts";

/** Opens no connection yet. Throws `not_configured` for settings that cannot work. */
export function createTriggerApi(settings: ClientSettings): TriggerApi {
  const context = clientContext(settings);
  const pipeline = createPipeline(context);
  const credentials = createCredentials(context, pipeline);
  const caller = createCaller(context, credentials, pipeline);
  return {
    baseUrl: context.base,
    access: credentials.access,
    runs: runsApi(caller),
    sessions: sessionsApi(caller),
    channels: channelsApi(caller),
    tokens: tokensApi(caller),
    probe: (options) => probe(caller, options),
    async close() {
      if (context.ownsTransport) await context.transport.close();
    },
  };
}
