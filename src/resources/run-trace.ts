/** A run's span tree. */
import { loadTrace } from "../tools/get-run-trace.ts";
import { viewTrace } from "../views/trace.ts";
import { completeRunIds } from "./complete.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const runTrace: ResourceDefinition = {
  name: "run_trace",
  title: "Run trace",
  description: "A run's span tree, errors and slowest first.",
  uri: "trigger://runs/{runId}/trace",
  permission: { action: "read", type: "runs" },
  complete: { runId: (typed, _, { api, signal }) => completeRunIds(typed, api, signal) },
  read: async ({ runId = "" }, context) =>
    viewTrace(await loadTrace({ run_id: runId }, readContext(context)), context.view).text,
};
