/** Moves a delayed run, contract api.md 2.5. */
import { z } from "zod";
import { call, formatCall } from "../domain/calls.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import { written } from "../views/written.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { readBack } from "./read-back.ts";
import { callOptions } from "./reading.ts";
import { delay } from "./trigger-options.ts";

export default defineTool({
  name: "reschedule_run",
  title: "Reschedule run",
  summary: "Move a DELAYED run to start after delay, counted from now.",
  effect: "write",
  idempotent: true,
  toolset: "runs",
  permission: { action: "write", type: "runs", secretOnly: true },
  input: z.object({ run_id: params.runId, delay }),
  output: changedRun.extend({ delayed_until: z.number().optional() }),

  async run(input, context) {
    try {
      return await context.api.runs.reschedule(input.run_id, input.delay, callOptions(context));
    } catch (error) {
      throw isTriggerError(error) ? await explained(error, input.run_id, context) : error;
    }
  },

  view(run, context) {
    return written(
      {
        id: run.id,
        seen: run,
        happened: "moved",
        next: [call("get_run", { run_id: run.id }), call("cancel_run", { run_id: run.id })],
        structured: { ...(run.delayedUntil !== undefined && { delayed_until: run.delayedUntil }) },
      },
      context,
    );
  },
});

/** The API says the same 400 whatever state the run is in; which one it is decides what can be done. */
async function explained(error: TriggerError, id: string, context: ToolContext): Promise<TriggerError> {
  if (error.code !== "invalid_request" && error.code !== "unprocessable") return error;
  const seen = await readBack(id, context);
  if (isTriggerError(seen) || seen.status === "DELAYED") return error;
  return new TriggerError("conflict", `${id} is ${seen.status}, and only a DELAYED run can be moved`, {
    ...(error.status !== undefined && { status: error.status }),
    hint: `To run it again later: ${formatCall(call("replay_run", { run_id: id, delay: "1h" }))}`,
    cause: error,
  });
}
