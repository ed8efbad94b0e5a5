/** Failures of a window by cause: what fails, since when, where, and what of it is new. */
import { z } from "zod";
import type { RunListQuery } from "../domain/run.ts";
import { type FailureGroup, groupFailures, noveltyOf, tally } from "../insight/groups.ts";
import { type Outside, type TriageData, type TriageWindow, viewTriage } from "../views/triage.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { listAll, lookAt, unlessFailed, untried } from "./failed-runs.ts";
import { lookBefore } from "./failures-before.ts";
import { filters } from "./list-runs.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions } from "./reading.ts";
import { periodMs, windowOf } from "./window.ts";

/** What came up since yesterday; the window before is then yesterday. */
const DEFAULT_PERIOD = "24h";
const DEFAULT_LIMIT = 200;
const MOST_LOOKED_AT = 1_000;
/** Failures counted in the window. */
const MOST_LISTED = 3_000;
/** Tasks whose runs of every status are counted, and how far. */
const TASKS_COUNTED = 6;
const MOST_RUNS_COUNTED = 500;
/** How far an answer without failures looks back for the newest one. */
const WIDER_PERIOD = "365d";

const BAD_ENDS = ["FAILED", "CRASHED", "SYSTEM_FAILURE", "TIMED_OUT"] as const;

const status = z.enum([...BAD_ENDS, "EXPIRED"]);

const text = z.string().min(1).max(256);

const input = z.object({
  status: z.union([status, z.array(status).min(1)]).optional(),
  task: params.tasks.optional(),
  tag: text.optional(),
  version: text.optional(),
  queue: text.optional(),
  period: params.period.optional().describe("default 24h"),
  from: params.instant.optional(),
  to: params.instant.optional(),
  limit: z.int().min(1).max(MOST_LOOKED_AT).optional(),
});

export type TriageInput = z.output<typeof input>;

export default defineTool({
  name: "triage_failures",
  title: "Triage failures",
  summary: "Failed runs grouped by cause: how often, since when, which versions, and which causes are new.",
  effect: "read",
  toolset: "insight",
  permission: { action: "read", type: "runs" },
  input,
  output: z.looseObject({
    window: z.looseObject({ from: z.number(), to: z.number() }),
    failures: z.number(),
    looked_at: z.number(),
    groups: z.array(
      z.looseObject({
        key: z.string(),
        count: z.number(),
        new: z.boolean().optional(),
        example_run_id: z.string(),
      }),
    ),
    next: nextCalls.optional(),
  }),
  run: triage,
  view: viewTriage,
});

async function triage(asked: TriageInput, context: ToolContext): Promise<TriageData> {
  const window = absoluteWindow(asked, context.now());
  const query = { ...filters({ ...asked, status: asked.status ?? [...BAD_ENDS] }), ...bounds(window) };
  const { progress } = context;
  const listed = await listAll(query, MOST_LISTED, context, (many) =>
    progress.report(`${many} failures listed`),
  );
  if (listed.runs.length === 0) return { window, listed, outside: await lookOutside(query, context) };

  const limit = asked.limit ?? DEFAULT_LIMIT;
  const chosen = listed.runs.slice(0, limit);
  let done = 0;
  const looked = await lookAt(chosen, context, () => {
    done += 1;
    progress.report(`${done} of ${chosen.length} failures looked at`);
  });
  const left = untried(listed.runs, looked);
  const groups = groupFailures(looked.runs);
  const { stopped } = looked;
  // Out of time there is something to tell; with nothing read for another reason, that reason is the answer.
  if (stopped && stopped.code !== "timeout" && looked.runs.length === 0) throw stopped;
  const earlier = stopped ? undefined : await lookBefore({ query, window, groups, limit }, context);
  return {
    window,
    listed,
    found: {
      lookedAt: looked.runs.length,
      limit,
      ...(stopped && { stopped: stopped.code }),
      left: { runs: left, byTask: tally(left.map(({ task }) => task)) },
      unreadable: tally(looked.unreadable.map(({ code }) => code)),
      groups: groups.map((group) => ({
        ...group,
        novelty: earlier ? noveltyOf(group, earlier.known) : "unknown",
      })),
      ...(earlier && { before: earlier.told }),
      totals: stopped ? new Map() : await countRuns(query, groups, context),
    },
  };
}

/** Fixed instants, so that every page, the window before and a later call mean the same. */
function absoluteWindow(asked: TriageInput, now: number): TriageWindow {
  const { period, from, to: end = now } = windowOf(asked, DEFAULT_PERIOD);
  const to = Math.min(now, end);
  const start = Math.max(from ?? 0, period === undefined ? 0 : to - periodMs(period));
  const plain = period !== undefined && asked.from === undefined && asked.to === undefined;
  return { from: start, to, ...(plain && { period }) };
}

const bounds = ({ from, to }: TriageWindow) => ({ from, to });

/** How many runs of any status the tasks that fail most have had, where that takes few requests. */
async function countRuns(
  query: RunListQuery,
  groups: readonly FailureGroup[],
  context: ToolContext,
): Promise<Map<string, number>> {
  const tasks = [...new Set(groups.flatMap((group) => group.tasks.map(({ name }) => name)))];
  const { status: _, ...anyStatus } = query;
  const totals = new Map<string, number>();
  await Promise.all(
    tasks.slice(0, TASKS_COUNTED).map(async (task) => {
      const counted = await unlessFailed(listAll({ ...anyStatus, task: [task] }, MOST_RUNS_COUNTED, context));
      if (counted?.whole) totals.set(task, counted.runs.length);
    }),
  );
  return totals;
}

/** Where there is no failure: whether anything ran at all, and when something last failed. One request each. */
async function lookOutside(query: RunListQuery, context: ToolContext): Promise<Outside> {
  const { status: _, from, to, ...rest } = query;
  const { status, ...inWindow } = query;
  const [ran, failed] = await Promise.all([
    unlessFailed(context.api.runs.list({ ...inWindow, limit: 100 }, callOptions(context))),
    unlessFailed(
      context.api.runs.list(
        { ...rest, ...(status && { status }), period: WIDER_PERIOD, limit: 1 },
        callOptions(context),
      ),
    ),
  ]);
  const newest = failed?.items[0];
  return { ...(ran && { ran }), ...(newest && { newest }) };
}
