/** Why a run failed, was slow, or does not go on: everything looked up and judged in one call. */
import { z } from "zod";
import { diagnose } from "../insight/diagnose.ts";
import { viewDiagnosis } from "../views/diagnosis.ts";
import { defineTool } from "./define.ts";
import { gatherFacts } from "./diagnosing.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";

export default defineTool({
  name: "diagnose_run",
  title: "Diagnose run",
  summary:
    "Why a run failed, is slow, waits or hangs: verdict, the run and span where it began (child runs followed), evidence, next calls. Ask this first.",
  effect: "read",
  toolset: "insight",
  permission: { action: "read", type: "runs" },
  input: z.object({ run_id: params.runId }),
  output: z.looseObject({
    run_id: z.string(),
    status: z.string(),
    verdict: z.looseObject({ class: z.string(), confidence: z.enum(["high", "medium", "low"]) }),
    culprit: z.looseObject({ run_id: z.string(), span_id: z.string().optional() }),
    evidence: z.array(
      z.looseObject({ kind: z.string(), run_id: z.string(), span_id: z.string().optional() }),
    ),
    next: nextCalls.optional(),
  }),
  run: async ({ run_id }, context) => diagnose(await gatherFacts(run_id, context)),
  view: viewDiagnosis,
});
