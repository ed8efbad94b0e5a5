/** Adds tags to a run, contract api.md 2.1 and 0.7. */
import { z } from "zod";
import { call } from "../domain/calls.ts";
import { TriggerError } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { counted, oneLine } from "../views/format.ts";
import { quoted, written } from "../views/written.ts";
import { defineTool } from "./define.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions } from "./reading.ts";

const MOST_TAGS = 10;

export default defineTool({
  name: "add_run_tags",
  title: "Add run tags",
  summary: "Add tags to a run, which holds at most 10.",
  effect: "write",
  idempotent: true,
  toolset: "runs",
  permission: { action: "write", type: "runs", secretOnly: true },
  input: z.object({ run_id: params.runId, tags: params.tags }),
  output: changedRun.extend({ added: z.number().optional(), tags: z.array(z.string()).optional() }),

  async run({ run_id, tags }, context) {
    const options = callOptions(context);
    const run = await context.api.runs.retrieve(run_id, options);
    const fresh = [...new Set(tags)].filter((tag) => tag.trim() !== "" && !run.tags.includes(tag));
    const all = [...run.tags, ...fresh];
    if (all.length > MOST_TAGS) throw tooMany(run, fresh);
    const { added } =
      fresh.length === 0 ? { added: 0 } : await context.api.runs.addTags(run_id, fresh, options);
    return { run, added, all };
  },

  view({ run, added, all }, context) {
    return written(
      {
        id: run.id,
        seen: run,
        happened: added === 0 ? "no new tags for" : `added ${counted(added, "tag")} to`,
        lines: [
          `tags ${all.length} of ${MOST_TAGS}: ${all.map((tag) => quoted(tag, context)).join(", ") || "none"}`,
        ],
        next: [
          call("get_run", { run_id: run.id }),
          ...(all.length > 0 ? [call("list_runs", { tag: all.at(-1) })] : []),
        ],
        structured: { added, tags: all },
      },
      context,
    );
  },
});

function tooMany(run: Run, fresh: string[]): TriggerError {
  const room = Math.max(0, MOST_TAGS - run.tags.length);
  return new TriggerError(
    "invalid_request",
    `${run.id} has ${counted(run.tags.length, "tag")} (${run.tags.map((tag) => oneLine(tag, 128)).join(", ")}); ${fresh.length} more would be ${run.tags.length + fresh.length}, and a run holds at most ${MOST_TAGS}. Nothing was added.`,
    {
      hint: `${room === 0 ? "There is no room left" : `There is room for ${room}`}, and tags cannot be removed from a run.`,
    },
  );
}
