/** Starts a copy of a run, with overrides where the server knows them: contract api.md 2.4. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { call, formatCall } from "../domain/calls.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import type { Run, TriggerOptions } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import { mergePatch } from "../insight/merge-patch.ts";
import type { RunComparison } from "../views/comparison.ts";
import { RUN_FOLLOW_STATES } from "../views/followed-run.ts";
import { type Replayed, viewReplayed } from "../views/replayed.ts";
import { compareRuns, isUnread } from "./comparing.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { followRun } from "./following-run.ts";
import { changedRun } from "./outputs.ts";
import * as params from "./params.ts";
import { readBack } from "./read-back.ts";
import { callOptions } from "./reading.ts";
import { triggerOptionFields, triggerOptions } from "./trigger-options.ts";

const input = z.object({
  run_id: params.runId,
  ...triggerOptionFields,
  payload_patch: params.object.optional().describe("JSON merge patch of the original's"),
  follow: z.boolean().optional().describe("until it ends"),
  compare: z.boolean().optional().describe("follow, then compare with the original"),
  timeout_seconds: params.timeoutSeconds.optional(),
});

type Input = z.output<typeof input>;

export default defineTool({
  name: "replay_run",
  title: "Replay run",
  summary: "Start a copy of a run; what is given replaces the original's.",
  effect: "write",
  toolset: "runs",
  permission: { action: "write", type: "runs", secretOnly: true },
  input,
  output: changedRun.extend({
    original_run_id: z.string().optional(),
    ignored: z.array(z.string()).optional(),
    state: z.enum(RUN_FOLLOW_STATES).optional(),
    cursor: z.string().optional(),
    differences: z.number().optional(),
  }),
  run: replay,
  view: viewReplayed,
});

async function replay(asked: Input, context: ToolContext): Promise<Replayed> {
  const { run_id, payload_patch, follow, compare, timeout_seconds, ...chosen } = asked;
  if (payload_patch !== undefined && chosen.payload !== undefined) {
    throw new TriggerError("invalid_request", `Give "payload" or "payload_patch", not both.`);
  }
  const options = callOptions(context);
  const original = await context.api.runs.retrieve(run_id, options);
  const overrides = triggerOptions(chosen);
  if (payload_patch !== undefined) overrides.payload = patchedPayload(original, payload_patch);
  const id = await startCopy(original, overrides, context);
  const copy =
    follow || compare
      ? await followCopy(id, original, compare === true, context.deadline(timeout_seconds), context)
      : { seen: await readBack(id, context) };
  const ignored = isTriggerError(copy.seen) ? [] : ignoredOverrides(copy.seen, overrides);
  return { id, original, overrides, ignored, ...copy };
}

function patchedPayload(original: Run, patch: Record<string, unknown>): unknown {
  if (!isUnread(original, "payload")) return mergePatch(original.payload, patch);
  throw new TriggerError(
    "invalid_request",
    `The payload of ${original.id} is stored out of line and could not be read, so it cannot be patched. Nothing was started. Give the whole "payload" instead.`,
  );
}

async function startCopy(original: Run, overrides: TriggerOptions, context: ToolContext): Promise<string> {
  try {
    return (await context.api.runs.replay(original.id, overrides, callOptions(context))).id;
  } catch (error) {
    throw isTriggerError(error) && error.code === "outcome_unknown" ? withCheck(error, original) : error;
  }
}

/** Milliseconds of a call's time kept for the comparison that follows the following. */
const COMPARING_MS = 3_000;

/** The copy has started, so that it cannot be watched or compared is something to tell, not a failure of the call. */
async function followCopy(
  id: string,
  original: Run,
  compare: boolean,
  deadline: number,
  context: ToolContext,
): Promise<Pick<Replayed, "seen" | "followed" | "comparison">> {
  context.progress.report(`${id} · started`);
  const until = compare ? deadline - COMPARING_MS : deadline;
  const followed = await unlessFailed(followRun(id, context, { since: "start", deadline: until }));
  if (isTriggerError(followed)) return { seen: followed };
  const { run: seen } = followed;
  if (!compare || !isTerminal(seen.status)) return { seen, followed };
  context.progress.report(`${id} · comparing with ${original.id}`);
  const reading = { ...context, deadline: () => deadline };
  const comparison: RunComparison | TriggerError = await unlessFailed(compareRuns(seen, original, reading));
  return { seen, followed, comparison };
}

async function unlessFailed<T>(work: Promise<T>): Promise<T | TriggerError> {
  try {
    return await work;
  } catch (error) {
    if (isTriggerError(error) && error.code !== "cancelled") return error;
    throw error;
  }
}

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
