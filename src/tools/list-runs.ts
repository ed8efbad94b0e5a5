/** Runs as rows, newest first: contract api.md 1.1. */
import { z } from "zod";
import { TriggerError } from "../domain/errors.ts";
import type { RunListQuery } from "../domain/run.ts";
import { type RunList, viewRuns, type Window } from "../views/runs.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";
import { windowOf } from "./window.ts";

/** What the server itself looks at when nobody says (api.md 1.1). */
const DEFAULT_PERIOD = "7d";
/** As many rows as the default budget has room for. */
const DEFAULT_LIMIT = 25;
/** How far an answer without rows looks back for the newest run that would have matched. */
const WIDER_PERIOD = "365d";

const input = z.object({
  status: params.runStatus.optional(),
  task: params.tasks.optional(),
  tag: params.texts.optional(),
  version: params.texts.optional(),
  queue: params.texts.optional().describe("a task's own queue is task/<id>"),
  schedule: z.string().optional(),
  batch: z.string().optional(),
  error: z.string().optional().describe("error_… group"),
  machine: params.texts.optional(),
  region: params.texts.optional(),
  is_test: z.boolean().optional(),
  period: params.period.optional().describe("default 7d"),
  from: params.instant.optional(),
  to: params.instant.optional(),
  limit: params.limit.optional(),
  cursor: params.cursor.optional(),
});

export type ListRunsInput = z.output<typeof input>;

export default defineTool({
  name: "list_runs",
  title: "List runs",
  summary: "Runs, newest first, that match every filter; the last 7 days unless told otherwise.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input,
  output: z.looseObject({
    runs: z.array(z.looseObject({ id: z.string(), status: z.string() })),
    cursor: z.string().optional(),
    window: z.looseObject({
      period: z.string().optional(),
      from: z.number().optional(),
      to: z.number().optional(),
    }),
    next: nextCalls.optional(),
  }),
  run: loadRuns,
  view: viewRuns,
});

export async function loadRuns(asked: ListRunsInput, context: ReadContext): Promise<RunList> {
  const window = windowOf(asked, DEFAULT_PERIOD);
  const query = { ...filters(asked), ...window };
  const page = await context.api.runs.list(
    {
      ...query,
      limit: asked.limit ?? DEFAULT_LIMIT,
      ...(asked.cursor !== undefined && { after: asked.cursor }),
    },
    callOptions(context),
  );
  if (page.items.length > 0 || page.next !== undefined || asked.cursor !== undefined) return { page, window };
  return { page, window, outside: await lookOutside(asked, window, context) };
}

/** One cheap request each: the window without its filters, and the filters without the window. */
async function lookOutside(asked: ListRunsInput, window: Window, context: ReadContext) {
  const given = filters(asked);
  const { status: _, ...withoutStatus } = given;
  const looser = given.status ? withoutStatus : {};
  const filtered = Object.keys(given).length > 0;
  const [sameWindow, wider] = await Promise.all([
    filtered
      ? context.api.runs.list({ ...looser, ...window, limit: DEFAULT_LIMIT }, callOptions(context))
      : undefined,
    context.api.runs.list({ ...given, period: WIDER_PERIOD, limit: 1 }, callOptions(context)),
  ]);
  const newest = wider.items[0];
  return { ...(sameWindow && { sameWindow }), ...(newest && { newest }) };
}

/** Every filter but the window, as the API takes it. */
export function filters(asked: Partial<ListRunsInput>): RunListQuery {
  const lists = {
    status: params.asList(asked.status)?.flatMap((status) => SELECTED_BY[status] ?? [status]),
    task: params.asList(asked.task),
    tag: whole(asked.tag, "tag"),
    version: whole(asked.version, "version"),
    queue: whole(asked.queue, "queue"),
    machine: whole(asked.machine, "machine"),
    region: whole(asked.region, "region"),
    schedule: asked.schedule,
    batch: asked.batch,
    error: asked.error,
    isTest: asked.is_test,
  };
  return Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== undefined));
}

/** The API reads a comma as the end of a value (api.md 1.1): what holds one cannot be asked for. */
function whole(values: string | string[] | undefined, name: string): string[] | undefined {
  const list = params.asList(values);
  const split = list?.find((value) => value.includes(","));
  if (split === undefined) return list;
  throw new TriggerError(
    "invalid_request",
    `"${name}" takes several values as a list, such as ["a","b"]; a value with a comma in it, ${JSON.stringify(split)}, cannot be filtered by.`,
  );
}

/** The filter is not the inverse of what is shown (api.md 0.5): these values together select what one status shows. */
const SELECTED_BY: Partial<Record<string, string[]>> = {
  EXECUTING: ["EXECUTING", "REATTEMPTING"],
  FAILED: ["FAILED", "INTERRUPTED"],
  WAITING: ["WAITING", "FROZEN"],
  PENDING_VERSION: ["PENDING_VERSION", "WAITING_FOR_DEPLOY"],
};
