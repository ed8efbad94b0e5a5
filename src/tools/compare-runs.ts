/** Two runs side by side, or one beside the last good run of its task. */
import { z } from "zod";
import { type Compared, viewCompared } from "../views/comparison.ts";
import { compareRuns, DAYS_BACK, lastGoodRun, refuseSame } from "./comparing.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";

export default defineTool({
  name: "compare_runs",
  title: "Compare runs",
  summary:
    "What differs between two runs: first difference in their traces, payload, output, version, time by step. Without other_run_id: against the last good run of its task.",
  effect: "read",
  toolset: "insight",
  permission: { action: "read", type: "runs" },
  input: z.object({ run_id: params.runId, other_run_id: params.runId.optional() }),
  output: z.looseObject({
    run_id: z.string(),
    other_run_id: z.string().optional(),
    chosen_because: z.string().optional(),
    first_difference: z
      .looseObject({ span_id: z.string().optional(), other_span_id: z.string().optional() })
      .optional(),
    differences: z.number().optional(),
    next: nextCalls.optional(),
  }),
  run: loadComparison,
  view: viewCompared,
});

export async function loadComparison(
  { run_id, other_run_id }: { run_id: string; other_run_id?: string | undefined },
  context: ReadContext,
): Promise<Compared> {
  const { runs } = context.api;
  if (other_run_id !== undefined) {
    refuseSame(run_id, other_run_id);
    const [run, other] = await Promise.all([
      runs.retrieve(run_id, callOptions(context)),
      runs.retrieve(other_run_id, callOptions(context)),
    ]);
    return { run, comparison: await compareRuns(run, other, context) };
  }
  const run = await runs.retrieve(run_id, callOptions(context));
  const good = await lastGoodRun(run, context);
  if (!good) return { run, days: DAYS_BACK };
  return {
    run,
    days: DAYS_BACK,
    chosen: good.chosen,
    comparison: await compareRuns(run, good.run, context),
  };
}
