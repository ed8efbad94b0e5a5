/** A run's events and log lines, from its beginning. */
import { searchEvents } from "../tools/search-run-events.ts";
import { viewEvents } from "../views/events.ts";
import { completeRunIds } from "./complete.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

/** As many as the protocol's own reading budget has room for. */
const MOST = 500;

export const runEvents: ResourceDefinition = {
  name: "run_events",
  title: "Run events",
  description: "A run's events and log lines, oldest first.",
  uri: "trigger://runs/{runId}/events",
  permission: { action: "read", type: "runs" },
  complete: { runId: (typed, _, { api, signal }) => completeRunIds(typed, api, signal) },
  read: async ({ runId = "" }, context) => {
    const asked = { run_id: runId, limit: MOST };
    return viewEvents(await searchEvents(asked, readContext(context)), context.view, asked).text;
  },
};
