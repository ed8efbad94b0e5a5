/** The newest runs. */
import { loadRuns } from "../tools/list-runs.ts";
import { viewRuns } from "../views/runs.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const runs: ResourceDefinition = {
  name: "runs",
  title: "Runs",
  description: "The newest runs, as a list.",
  uri: "trigger://runs",
  permission: { action: "read", type: "runs" },
  read: async (_, context) => viewRuns(await loadRuns({}, readContext(context)), context.view, {}).text,
};
