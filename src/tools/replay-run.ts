/** Starts a copy of a run, with overrides where the server knows them: contract api.md 2.4. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { call, formatCall } from "../domain/calls.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import type { Run, TriggerOptions } from "../domain/run.ts";
import { quoted, type Seen, written } from "../views/written.ts";
import { defineTool } from "./define.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { readBack } from "./read-back.ts";
import { callOptions } from "./reading.ts";
import { triggerOptionFields, triggerOptions } from "./trigger-options.ts";

export default defineTool({
  name: "replay_run",
  title: "Replay run",
  summary: "Start a copy of a run; what is given replaces the original's.",
  effect: "write",
  toolset: "runs",
  permission: { action: "write", type: "runs", secretOnly: true },
  input: z.object({ run_id: params.runId, ...triggerOptionFields }),
  output: changedRun.extend({
    original_run_id: z.string().optional(),
    ignored: z.array(z.string()).optional(),
  }),

  async run({ run_id, ...chosen }, context) {
    const overrides = triggerOptions(chosen);
    const options = callOptions(context);
    const original = await context.api.runs.retrieve(run_id, options);
    try {
      const { id } = await context.api.runs.replay(run_id, overrides, options);
      const seen = await readBack(id, context);
      return {
        id,
        seen,
        original,
        overrides,
        ignored: isTriggerError(seen) ? [] : ignoredOverrides(seen, overrides),
      };
    } catch (error) {
      throw isTriggerError(error) && error.code === "outcome_unknown" ? withCheck(error, original) : error;
    }
  },

  view({ id, seen, original, overrides, ignored }, context) {
    const was = `${quoted(original.id, context)} (${quoted(original.status, context)})`;
    const changed = Object.keys(overrides).filter((name) => !ignored.includes(name));
    return written(
      {
        id,
        seen,
        happened: `replaying ${was} as`,
        lines: [
          changed.length > 0 ? `asked to differ in ${changed.map(argumentName).join(", ")}` : undefined,
          ignored.length > 0 ? ignoredLine(ignored.map(argumentName)) : undefined,
        ],
        next: nextCalls(id, seen, ignored.length > 0),
        structured: {
          original_run_id: original.id,
          ...(ignored.length > 0 && { ignored: ignored.map(argumentName) }),
        },
      },
      context,
    );
  },
});

const argumentName = (option: string): string =>
  option === "idempotencyKey" ? "key" : option === "maxAttempts" ? "max_attempts" : option;

const ignoredLine = (names: string[]): string =>
  `The server did not take the new ${names.join(", ")}: the copy runs with the original's. Servers before 4.8.3 replay without overrides; trigger_task starts a run with your own values.`;

/**
 * Older servers answer 200 and ignore the overrides, so the copy itself is asked. Only what a run tells of itself can be
 * compared; an offloaded payload cannot.
 */
function ignoredOverrides(copy: Run, overrides: TriggerOptions): string[] {
  const differs: Partial<Record<keyof TriggerOptions, boolean>> = {
    payload: copy.payloadPresignedUrl === undefined && !isDeepStrictEqual(copy.payload, overrides.payload),
    tags: !(overrides.tags ?? []).every((tag) => copy.tags.includes(tag)),
    delay: copy.delayedUntil === undefined,
    version: copy.version !== undefined && copy.version !== overrides.version,
    idempotencyKey: copy.idempotencyKey !== overrides.idempotencyKey,
  };
  return Object.keys(overrides).filter((name) => differs[name as keyof TriggerOptions]);
}

/** A replay must never be repeated blindly, so the way to find out comes with the error. */
function withCheck(error: TriggerError, original: Run): TriggerError {
  const check = formatCall(call("list_runs", { task: original.task, period: "5m" }));
  return new TriggerError("outcome_unknown", error.message, {
    ...(error.status !== undefined && { status: error.status }),
    ...(error.request !== undefined && { request: error.request }),
    hint: `If it started, ${check} shows the copy.`,
    cause: error,
  });
}

function nextCalls(id: string, seen: Seen, ignored: boolean) {
  const delayed = !isTriggerError(seen) && seen.status === "DELAYED";
  return [
    call("get_run", { run_id: id }),
    delayed || ignored ? call("cancel_run", { run_id: id }) : call("get_run_trace", { run_id: id }),
  ];
}
