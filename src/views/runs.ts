/** A list of runs: what was asked and over which window, rows with constants hoisted, and how to go on. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { Page, RunSummary } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { render } from "./document.ts";
import { age, count, counted, dateTime, duration, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { queuedMs } from "./run-times.ts";
import { type Column, table } from "./table.ts";
import { tokens } from "./tokens.ts";

/** The time a list covers: what the API was asked. */
export interface Window {
  period?: string;
  /** Unix milliseconds. */
  from?: number;
  to?: number;
}

export interface RunList {
  page: Page<RunSummary>;
  window: Window;
  /** Instead of rows: what there is just outside what was asked for. */
  outside?: { sameWindow?: Page<RunSummary>; newest?: RunSummary };
}

type Asked = Record<string, unknown>;

export function viewRuns(list: RunList, context: ViewContext, asked: Asked): Answer {
  return list.page.items.length > 0 ? rowsOf(list, context, asked) : nothing(list, context, asked);
}

function rowsOf({ page, window }: RunList, context: ViewContext, asked: Asked): Answer {
  const runs = page.items;
  const rows = table(runs, columns(context));
  const next = onward(page, asked, runs);
  const line = nextLines(next, context);
  const room = (shown: number): string =>
    `… ${count(runs.length - shown)} more rows of this page did not fit: ${formatCall(again(asked, { max_tokens: enough(runs.length, rows) }))}`;
  const rendering = (onwards: string | undefined, cut = false) =>
    render(
      [
        headOf(page, window, rows.constants, context, asked, cut),
        rows.head,
        { rows: rows.rows.map((text) => ({ text })), omitted: room },
        onwards,
      ],
      context.budget,
    );
  const all = rendering(line);
  const whole = all.shown === runs.length;
  // The next page would skip what is left out of this one: then only the call that shows it is told.
  const rendered = whole ? all : rendering(undefined, true);
  return {
    text: rendered.text,
    structured: {
      runs: runs.slice(0, rendered.shown).map(({ id, status }) => ({ id, status })),
      // A cursor past rows that were not shown would lose them.
      ...(whole && page.next !== undefined && { cursor: page.next }),
      window: { ...window },
      next: whole ? next : [again(asked, { max_tokens: enough(runs.length, rows) })],
    },
  };
}

/** A budget, in hundreds, with room for all rows. */
const enough = (count: number, rows: { head: string; rows: string[] }): number => {
  const cost = rows.rows.reduce((sum, row) => sum + tokens(`${row}\n`), tokens(rows.head) + 300 + count);
  return Math.min(20_000, Math.ceil(cost / 100) * 100);
};

function columns(context: ViewContext): Column<RunSummary>[] {
  const cell = (text: string | undefined, length = 40): string =>
    text === undefined || text === "" ? "-" : oneLine(context.clean(text), length);
  return [
    { head: "id", cell: (run) => cell(run.id, 64) },
    { head: "task", cell: (run) => cell(run.task), hoist: true },
    { head: "status", cell: (run) => cell(run.status), hoist: true },
    { head: "age", cell: (run) => age(run.createdAt, context.now) },
    { head: "queued", cell: (run) => duration(queuedMs(run)) },
    { head: "took", cell: (run) => tookOf(run, context.now) },
    { head: "version", cell: (run) => cell(run.version), hoist: true },
    { head: "region", cell: (run) => cell(run.region), hoist: true },
    { head: "kind", cell: (run) => (run.taskKind === "STANDARD" ? "-" : cell(run.taskKind)), hoist: true },
    { head: "test", cell: (run) => (run.isTest ? "test" : "-"), hoist: true },
    { head: "tags", cell: (run) => cell(run.tags.join(","), 60), hoist: true },
  ];
}

/** From start to finish; of a run still going, so far. */
function tookOf(run: RunSummary, now: number): string {
  if (run.startedAt === undefined) return "-";
  if (run.finishedAt !== undefined) return duration(run.finishedAt - run.startedAt);
  return isTerminal(run.status) ? "-" : `${duration(Math.max(0, now - run.startedAt))}…`;
}

function headOf(
  page: Page<RunSummary>,
  window: Window,
  constants: string | undefined,
  context: ViewContext,
  asked: Asked,
  cut: boolean,
): string {
  const whole = page.next === undefined && asked.cursor === undefined;
  const many = page.items.length;
  const statuses = byStatus(page.items, context);
  const total = whole
    ? `${counted(many, "run")} (${statuses})`
    : `${cut ? `a page of ${many}` : `${many} shown`} (${statuses}), ${page.next === undefined ? "the last page" : "more exist"}`;
  return [`runs in ${context.target}`, describeWindow(window), total, "newest first", constants]
    .filter((part) => part !== undefined)
    .join(" · ");
}

/** `2 FAILED, 1 CRASHED`, the most frequent first. */
export function byStatus(runs: readonly { status: string }[], context: Pick<ViewContext, "clean">): string {
  const counts = new Map<string, number>();
  for (const { status } of runs) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([status, many]) => `${count(many)} ${oneLine(context.clean(status), 30)}`)
    .join(", ");
}

/** `last 7d`, `2026-08-20 10:00:00Z to now`. */
function describeWindow({ period, from, to }: Window): string {
  const span =
    from === undefined && to === undefined
      ? undefined
      : `${from === undefined ? "the beginning" : dateTime(from)} to ${to === undefined ? "now" : dateTime(to)}`;
  if (period && to !== undefined && from === undefined) return `last ${period}, up to ${dateTime(to)}`;
  return [period && `last ${period}`, span].filter((part) => part !== undefined).join(" and ");
}

/** The same call with some arguments changed; `undefined` takes one out. */
const again = (asked: Asked, changes: Asked): Call =>
  call(
    "list_runs",
    Object.fromEntries(Object.entries({ ...asked, ...changes }).filter(([, value]) => value !== undefined)),
  );

function onward(page: Page<RunSummary>, asked: Asked, runs: readonly RunSummary[]): Call[] {
  const bad = runs.find((run) => isBadEnd(run.status));
  return [
    ...(page.next === undefined ? [] : [again(asked, { cursor: page.next })]),
    ...(bad ? [call("get_run", { run_id: bad.id })] : []),
  ];
}

function nothing({ page, window, outside }: RunList, context: ViewContext, asked: Asked): Answer {
  if (asked.cursor !== undefined || page.next !== undefined) {
    const next = page.next === undefined ? [again(asked, { cursor: undefined })] : onward(page, asked, []);
    const why =
      page.next === undefined ? "This was the end of the list." : "This page is empty, but older ones exist.";
    return {
      text: render(
        [
          `0 runs on this page · ${context.target} · ${describeWindow(window)}`,
          why,
          nextLines(next, context),
        ],
        context.budget,
      ).text,
      structured: {
        runs: [],
        ...(page.next !== undefined && { cursor: page.next }),
        window: { ...window },
        next,
      },
    };
  }
  const next = outside?.newest ? [wider(asked, outside.newest, context.now)] : [];
  const text = render(
    [
      `0 runs in ${context.target} · ${describeWindow(window)} · filtered by ${filtersIn(asked, context)}`,
      withinWindow(outside?.sameWindow, asked, context),
      beyondWindow(outside?.newest, context),
      nextLines(next, context),
    ],
    context.budget,
  ).text;
  return { text, structured: { runs: [], window: { ...window }, next } };
}

const NOT_FILTERS = new Set(["period", "from", "to", "limit", "cursor", "max_tokens", "target"]);

function filtersIn(asked: Asked, context: ViewContext): string {
  const given = Object.entries(asked).filter(
    ([name, value]) => !NOT_FILTERS.has(name) && value !== undefined,
  );
  if (given.length === 0) return "nothing but the window";
  return oneLine(
    context.clean(given.map(([name, value]) => `${name} ${[value].flat().join("|")}`).join(", ")),
    300,
  );
}

function withinWindow(
  page: Page<RunSummary> | undefined,
  asked: Asked,
  context: ViewContext,
): string | undefined {
  if (!page) return undefined;
  const without = asked.status === undefined ? "without filters" : "of any status";
  if (page.items.length === 0) return `In the same window, ${without}: none.`;
  const atLeast = page.next === undefined ? "" : "at least ";
  return `In the same window, ${without}: ${atLeast}${counted(page.items.length, "run")} (${byStatus(page.items, context)}).`;
}

function beyondWindow(newest: RunSummary | undefined, context: ViewContext): string {
  if (!newest) return "Nothing like it in the last 365d either.";
  return `The newest that matches outside the window: ${oneLine(context.clean(newest.id), 64)}, ${age(newest.createdAt, context.now)} old.`;
}

/** A window that reaches just past the newest match. */
function wider(asked: Asked, newest: RunSummary, now: number): Call {
  const days = Math.ceil((now - newest.createdAt) / 86_400_000) + 1;
  return again(asked, { period: `${Math.max(1, days)}d`, from: undefined, to: undefined });
}
