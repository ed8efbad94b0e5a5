/** One run in full: contract api.md 1.2. */
import { z } from "zod";
import type { Run } from "../domain/run.ts";
import { viewRun } from "../views/run.ts";
import { type RunSlice, viewRunSlices } from "../views/run-slices.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";
import { sliceRun } from "./slicing.ts";

export default defineTool({
  name: "get_run",
  title: "Get run",
  summary:
    "One run: status, timing, attempts, error with stack, payload, output, metadata, cost, parent and children; or only what is at a path.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input: z.object({
    run_id: params.runId,
    path: params.texts.optional().describe("e.g. payload.customer.cards[0], output.rows[100:120]"),
  }),
  output: z.looseObject({
    run_id: z.string(),
    status: z.string(),
    attempts: z.number(),
    children: z.record(z.string(), z.number()).optional(),
    next: nextCalls.optional(),
  }),

  async run({ run_id, path }, context): Promise<{ run: Run; slices?: RunSlice[] }> {
    const run = await loadRun({ run_id }, context);
    const paths = params.asList(path);
    return paths ? { run, slices: sliceRun(run, paths) } : { run };
  },

  view: ({ run, slices }, context) => (slices ? viewRunSlices(run, slices, context) : viewRun(run, context)),
});

export function loadRun(asked: { run_id: string }, context: ReadContext): Promise<Run> {
  return context.api.runs.retrieve(asked.run_id, callOptions(context));
}
