/** Pieces of the structured part that tools share. */
import { z } from "zod";

export const nextCalls = z.array(
  z.looseObject({ tool: z.string(), args: z.record(z.string(), z.unknown()) }),
);

/** What every answer about one changed run has: its id, its status when it could be read, and what to call next. */
export const changedRun = z.looseObject({
  run_id: z.string(),
  status: z.string().optional(),
  next: nextCalls.optional(),
});
