/** One run in full: contract api.md 1.2. */
import { z } from "zod";
import type { Run } from "../domain/run.ts";
import { viewRun } from "../views/run.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";

export default defineTool({
  name: "get_run",
  title: "Get run",
  summary:
    "One run: status, timing, attempts, error with stack, payload, output, metadata, cost, parent and children.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input: z.object({ run_id: params.runId }),
  output: z.looseObject({
    run_id: z.string(),
    status: z.string(),
    attempts: z.number(),
    children: z.record(z.string(), z.number()).optional(),
    next: nextCalls.optional(),
  }),
  run: loadRun,
  view: viewRun,
});

export function loadRun(asked: { run_id: string }, context: ReadContext): Promise<Run> {
  return context.api.runs.retrieve(asked.run_id, callOptions(context));
}
