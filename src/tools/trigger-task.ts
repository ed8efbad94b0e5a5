/** Starts a run, contract api.md 2.6. */
import { z } from "zod";
import { type Call, call } from "../domain/calls.ts";
import { isTriggerError } from "../domain/errors.ts";
import { quoted, type Seen, written } from "../views/written.ts";
import { defineTool } from "./define.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { readBack } from "./read-back.ts";
import { callOptions } from "./reading.ts";
import { triggerOptionFields, triggerOptions } from "./trigger-options.ts";

export default defineTool({
  name: "trigger_task",
  title: "Trigger task",
  summary: "Start a run without waiting for it. The same key again answers the first run.",
  effect: "write",
  toolset: "runs",
  permission: { action: "trigger", type: "tasks" },
  input: z.object({ task: params.task, ...triggerOptionFields }),
  output: changedRun.extend({ cached: z.boolean().optional() }),

  async run({ task, ...chosen }, context) {
    const started = await context.api.runs.trigger(task, triggerOptions(chosen), callOptions(context));
    return { ...started, seen: await readBack(started.id, context) };
  },

  view({ id, isCached, seen }, context, { task, key, version }) {
    const happened = isCached
      ? `nothing started: the key ${JSON.stringify(quoted(key ?? "", context))} already belongs to`
      : "started";
    const lines = [
      !waitsForVersion(seen)
        ? undefined
        : version === undefined
          ? unknownTask(quoted(task, context))
          : `It waits for version ${quoted(version, context)} to be deployed with the task ${JSON.stringify(quoted(task, context))}; any version is accepted.`,
    ];
    return written(
      { id, seen, happened, lines, next: nextCalls(id, seen), structured: { cached: isCached } },
      context,
    );
  },
});

const waitsForVersion = (seen: Seen): boolean => !isTriggerError(seen) && seen.status === "PENDING_VERSION";

/** The API takes any task id: a run of one that nobody knows waits here (2.6). */
const unknownTask = (task: string): string =>
  `It waits for a version that has the task ${JSON.stringify(task)}. If none is being deployed, check the spelling: any task id is accepted.`;

function nextCalls(id: string, seen: Seen): Call[] {
  const look = [call("get_run", { run_id: id }), call("get_run_trace", { run_id: id })];
  if (isTriggerError(seen)) return look;
  if (seen.status === "DELAYED")
    return [call("reschedule_run", { run_id: id, delay: "1h" }), call("cancel_run", { run_id: id })];
  if (waitsForVersion(seen)) return [call("list_runs", { limit: 20 }), call("cancel_run", { run_id: id })];
  return look;
}
