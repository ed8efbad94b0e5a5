/** One run in full. */
import { loadRun } from "../tools/get-run.ts";
import { viewRun } from "../views/run.ts";
import { completeRunIds } from "./complete.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const run: ResourceDefinition = {
  name: "run",
  title: "Run",
  description: "One run: status, timing, error, payload, output, related runs.",
  uri: "trigger://runs/{runId}",
  permission: { action: "read", type: "runs" },
  complete: { runId: (typed, _, { api, signal }) => completeRunIds(typed, api, signal) },
  read: async ({ runId = "" }, context) =>
    viewRun(await loadRun({ run_id: runId }, readContext(context)), context.view).text,
};
