/** Watches a run until it ends or a condition is met: contract api.md 1.2 and 1.3, looked at again and again. */
import { z } from "zod";
import { TriggerError } from "../domain/errors.ts";
import { didYouMean } from "../domain/nearest.ts";
import { RUN_STATUSES } from "../domain/status.ts";
import { RUN_FOLLOW_STATES, viewFollowedRun } from "../views/followed-run.ts";
import { defineTool } from "./define.ts";
import { followRun } from "./following-run.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { readRunCursor } from "./run-cursor.ts";

const text = z.string().min(1).max(200);

export default defineTool({
  name: "follow_run",
  title: "Follow run",
  summary:
    "Watch a run to its end, one of until, or the deadline; spans and logs come as progress. cursor goes on.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input: z.object({
    run_id: params.runId,
    until: z
      .strictObject({
        status: text.optional(),
        span: text.optional(),
        log: text.optional(),
        silence_seconds: z.int().min(1).max(600).optional(),
      })
      .optional(),
    timeout_seconds: params.timeoutSeconds.optional(),
    cursor: params.cursor.optional(),
  }),
  output: z.looseObject({
    state: z.enum(RUN_FOLLOW_STATES),
    run_id: z.string(),
    status: z.string(),
    met: z.string().optional(),
    happened: z.number(),
    cursor: z.string(),
    next: nextCalls.optional(),
  }),

  async run({ run_id, until, timeout_seconds, cursor }, context) {
    const since = cursor === undefined ? "now" : readRunCursor(cursor);
    const status = until?.status?.toUpperCase();
    if (status !== undefined && !RUN_STATUSES.some((known) => known === status)) {
      throw new TriggerError(
        "invalid_request",
        `"until.status" takes a run status, not "${status}"${didYouMean(status, RUN_STATUSES) || "."} Statuses: ${RUN_STATUSES.join(", ")}.`,
      );
    }
    context.progress.report(`${run_id} · following`);
    return followRun(run_id, context, {
      since,
      deadline: context.deadline(timeout_seconds),
      until: { ...until, status },
    });
  },

  view: viewFollowedRun,
});
