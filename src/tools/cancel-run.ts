/** Cancels a run and looks what became of it: contract api.md 2.3. */
import { z } from "zod";
import { call } from "../domain/calls.ts";
import { isTriggerError } from "../domain/errors.ts";
import { isTerminal } from "../domain/status.ts";
import { duration } from "../views/format.ts";
import { quoted, type Seen, written } from "../views/written.ts";
import { defineTool } from "./define.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { readBack, readUntilEnded } from "./read-back.ts";
import { callOptions } from "./reading.ts";

/** Milliseconds a cancellation is given to take hold: an executing run must be told and let go. */
const PATIENCE = 5_000;

export default defineTool({
  name: "cancel_run",
  title: "Cancel run",
  summary: "Stop a run for good and tell the state it really reached.",
  effect: "destructive",
  idempotent: true,
  toolset: "runs",
  permission: { action: "write", type: "runs" },
  input: z.object({ run_id: params.runId }),
  output: changedRun.extend({ before: z.string().optional(), cancelled: z.boolean().optional() }),

  async run({ run_id: id }, context) {
    const before = await readBack(id, context);
    if (isTriggerError(before) && before.code === "not_found") throw before;
    const asked = isTriggerError(before) || !isTerminal(before.status);
    if (!asked) return { id, asked, before, seen: before, waited: 0 };
    await context.api.runs.cancel(id, callOptions(context));
    const from = context.now();
    const seen = await readUntilEnded(id, context, PATIENCE);
    return { id, asked, before, seen, waited: context.now() - from };
  },

  view({ id, asked, before, seen, waited }, context) {
    const was = isTriggerError(before) ? undefined : before.status;
    const reached = isTriggerError(seen) ? undefined : seen.status;
    const cancelled = asked && reached === "CANCELED";
    return written(
      {
        id,
        seen,
        happened: asked ? outcome(seen, waited) : "already finished, nothing was cancelled:",
        lines: [cancelled && was !== undefined ? `it was ${quoted(was, context)}` : undefined],
        next: [
          ...(isTriggerError(seen) && seen.code === "forbidden" ? [] : [call("get_run", { run_id: id })]),
          ...(cancelled ? [call("replay_run", { run_id: id })] : []),
        ],
        structured: {
          ...(was !== undefined && { before: was }),
          ...(reached !== undefined && { cancelled }),
        },
      },
      context,
    );
  },
});

function outcome(seen: Seen, waited: number): string {
  if (isTriggerError(seen)) return "asked to cancel, outcome not seen:";
  if (seen.status === "CANCELED") return "cancelled";
  if (isTerminal(seen.status)) return "ended by itself before it could be cancelled:";
  return `asked to cancel, not ended after ${duration(waited)}:`;
}
