/** What comparing two runs takes: reading both, and finding the good run to hold another against. */
import { TriggerError } from "../domain/errors.ts";
import type { Run, RunSummary } from "../domain/run.ts";
import { compareTraces } from "../insight/differences.ts";
import { diffJson } from "../insight/json-diff.ts";
import { indexTrace } from "../insight/spans.ts";
import type { Chosen, ComparedValue, RunComparison, TraceSide } from "../views/comparison.ts";
import { callOptions, type ReadContext, traceIfAny } from "./reading.ts";

/** How far back a good run is looked for, in days. */
export const DAYS_BACK = 30;
const DAY_MS = 86_400_000;

/** Reads both traces, at once, and compares everything there is. */
export async function compareRuns(left: Run, right: Run, context: ReadContext): Promise<RunComparison> {
  const [one, other] = await Promise.all([traceSide(left, context), traceSide(right, context)]);
  return {
    left,
    right,
    values: VALUES.map((label) => compareValue(label, left, right)),
    traces: {
      ...(one && { left: one }),
      ...(other && { right: other }),
      ...(one && other && { differences: compareTraces(one.index, other.index) }),
    },
  };
}

async function traceSide(run: Run, context: ReadContext): Promise<TraceSide | undefined> {
  const trace = await traceIfAny(run.id, context);
  if (!trace) return undefined;
  const index = indexTrace(trace.spans);
  return { index, truncated: trace.truncated };
}

const VALUES = ["payload", "output", "metadata"] as const;

/** A run that did not complete has no output, which says nothing its status does not say. */
function compareValue(label: (typeof VALUES)[number], left: Run, right: Run): ComparedValue {
  const runs = [left, right];
  if (label === "output" && runs.some((run) => run.status !== "COMPLETED")) return { label };
  if (label !== "metadata" && runs.some((run) => isUnread(run, label))) return { label, unread: true };
  return { label, diff: diffJson(left[label], right[label]) };
}

/** The client brings offloaded values in; what is still a link could not be had. */
export const isUnread = (run: Run, label: "payload" | "output"): boolean =>
  run[label] === undefined &&
  (label === "payload" ? run.payloadPresignedUrl : run.outputPresignedUrl) !== undefined;

/**
 * The good run nearest in kind: of the same version, then of any; created before the run, then after it. `undefined`
 * when none was created in the 30 days before the run or since.
 */
export async function lastGoodRun(
  run: Run,
  context: ReadContext,
): Promise<{ run: Run; chosen: Chosen } | undefined> {
  const versions = run.version === undefined ? [undefined] : [run.version, undefined];
  for (const version of versions) {
    for (const when of ["before", "after"] as const) {
      const found = await newestGood(run, version, when, context);
      if (!found) continue;
      return {
        run: await context.api.runs.retrieve(found.id, callOptions(context)),
        chosen: { when, sameVersion: found.version !== undefined && found.version === run.version },
      };
    }
  }
  return undefined;
}

/** A page may be empty although there are more (api.md 1.1). */
const MOST_PAGES = 3;
const PAGE = 5;

async function newestGood(
  run: Run,
  version: string | undefined,
  when: Chosen["when"],
  context: ReadContext,
): Promise<RunSummary | undefined> {
  const window =
    when === "before"
      ? { from: run.createdAt - DAYS_BACK * DAY_MS, to: run.createdAt }
      : { from: run.createdAt };
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { items, next } = await context.api.runs.list(
      {
        task: [run.task],
        status: ["COMPLETED"],
        limit: PAGE,
        ...window,
        ...(version !== undefined && { version: [version] }),
        ...(after !== undefined && { after }),
      },
      callOptions(context),
    );
    const found = items.find(({ id, status }) => id !== run.id && status === "COMPLETED");
    if (found || next === undefined) return found;
    after = next;
  }
  return undefined;
}

/** Comparing a run with itself answers nothing. */
export function refuseSame(runId: string, otherRunId: string): void {
  if (runId !== otherRunId) return;
  throw new TriggerError(
    "invalid_request",
    `"other_run_id" is the same run as "run_id"; leave it out to compare with the last good run of its task.`,
  );
}
