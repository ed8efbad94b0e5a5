/** Failures by cause: totals first, then a cause a paragraph, then what was not looked at. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { Page, RunSummary } from "../domain/run.ts";
import { isRunStatus } from "../domain/status.ts";
import type { Tally } from "../insight/groups.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { render } from "./document.ts";
import { age, count, counted, dateTime, duration } from "./format.ts";
import { nextLines } from "./next.ts";
import { byStatus } from "./runs.ts";
import { tokens } from "./tokens.ts";
import { causeText, type NewOrKnown, names, short } from "./triage-cause.ts";

export interface TriageWindow {
  /** Unix milliseconds; runs created from here to there. */
  from: number;
  to: number;
  /** When the window is the last so-and-so long and nothing else. */
  period?: string;
}

export interface Before {
  from: number;
  to: number;
  failures: number;
  lookedAt: number;
  /** Its failures were listed to the end. */
  whole: boolean;
  /** None of the tasks ran in it at all, so that new says little. */
  idle?: boolean;
}

export interface Outside {
  /** Runs of any status in the window, the first page of them. */
  ran?: Page<RunSummary>;
  /** The newest failure there is. */
  newest?: RunSummary;
}

export interface TriageData {
  window: TriageWindow;
  listed: { runs: RunSummary[]; whole: boolean; stopped?: string };
  /** Present when there were no failures. */
  outside?: Outside;
  found?: Found;
}

interface Found {
  lookedAt: number;
  limit: number;
  /** An error code: why not all up to the limit were looked at. */
  stopped?: string;
  /** Listed, but not looked at; newest first. */
  left: { runs: RunSummary[]; byTask: Tally[] };
  /** Failures whose details could not be read, by error code. */
  unreadable: Tally[];
  groups: NewOrKnown[];
  /** Absent when it was not looked at. */
  before?: Before;
  /** Runs of any status in the window, by task, where that could be counted. */
  totals: Map<string, number>;
}

type Asked = Record<string, unknown>;

const MOST_LIMIT = 1_000;
const DAY_MS = 86_400_000;

export function viewTriage(data: TriageData, context: ViewContext, asked: Asked): Answer {
  const { found, window } = data;
  if (!found) return nothing(data, context, asked);
  const next = nextOf(data, found, asked);
  const totals = isExact(data, found) ? found.totals : undefined;
  const causes = found.groups.map((group, at) => causeText(group, at + 1, totals, context));
  const { text } = render(
    [
      headOf(data, found, context),
      {
        rows: causes.map((cause, at) => ({ text: cause, rank: at === 0 ? 0 : 2 })),
        omitted: (shown, total) =>
          `… ${counted(total - shown, "more cause")} did not fit: ${context.clean(formatCall(withRoom(asked, causes)))}`,
      },
      { rows: [{ text: beforeLine(found, window), rank: 1 }] },
      notLookedAt(data, found, context),
      { rows: [{ text: nextLines(next, context) ?? "", rank: 1 }] },
    ],
    context.budget,
  );
  return { text, structured: structuredOf(data, next) };
}

const structuredOf = ({ window, listed, found }: TriageData, next: Call[]): Answer["structured"] => ({
  window: { from: window.from, to: window.to },
  failures: listed.runs.length,
  ...(!listed.whole && { more_exist: true }),
  looked_at: found?.lookedAt ?? 0,
  groups: (found?.groups ?? []).map(({ key, count: many, novelty, example, tasks }) => ({
    key,
    count: many,
    ...(novelty !== "unknown" && { new: novelty === "new" }),
    tasks: tasks.map(({ name }) => name),
    example_run_id: example,
  })),
  next,
});

/** The same call with a budget, in hundreds, that has room for all causes. */
const withRoom = (asked: Asked, causes: readonly string[]): Call =>
  call("triage_failures", {
    ...asked,
    max_tokens: Math.min(
      20_000,
      Math.ceil(causes.reduce((sum, cause) => sum + tokens(`${cause}\n`), 500) / 100) * 100,
    ),
  });

/** Every failure of the window was looked at, so that counts of causes are counts of the window. */
const isExact = ({ listed }: TriageData, { left, unreadable }: Found): boolean =>
  listed.whole && left.runs.length === 0 && unreadable.length === 0;

function headOf({ window, listed }: TriageData, found: Found, context: ViewContext): string {
  const fresh = found.groups.filter(({ novelty }) => novelty === "new").length;
  const atLeast = listed.whole ? "" : "at least ";
  const looked = found.lookedAt;
  return [
    `failures in ${context.target}`,
    windowText(window),
    `${atLeast}${counted(listed.runs.length, "run")} (${byStatus(listed.runs, context)})`,
    looked === listed.runs.length && listed.whole ? "all looked at" : `${count(looked)} looked at`,
    `${counted(found.groups.length, "cause")}${fresh > 0 ? `, ${count(fresh)} new` : ""}`,
  ].join(" · ");
}

/** Runs are listed by when they were created. */
const windowText = ({ from, to, period }: TriageWindow): string =>
  period === undefined ? `created ${dateTime(from)} to ${dateTime(to)}` : `created in the last ${period}`;

const REASONS: Record<string, string> = { timeout: "out of time", rate_limited: "rate limited" };
const reason = (code: string): string => REASONS[code] ?? code;

function beforeLine({ before, groups }: Found, window: TriageWindow): string {
  const length = `the ${window.period ?? duration(window.to - window.from)} before`;
  if (!before) return `new or not: unknown, ${length} was not looked at`;
  const seen = groups.filter(({ novelty }) => novelty === "seen").length;
  const unknown = groups.filter(({ novelty }) => novelty === "unknown");
  const told =
    before.failures === 0
      ? `no failure of these tasks${before.idle ? ", none of which ran then" : ""}`
      : `${before.whole ? "" : "at least "}${counted(before.failures, "failure")} of these tasks, ${count(before.lookedAt)} looked at; ${seen === groups.length ? "every cause was there" : `causes already there: ${count(seen)} of ${count(groups.length)}`}`;
  const open =
    unknown.length === 0
      ? ""
      : `; whether ${unknown
          .map((group) => count(groups.indexOf(group) + 1))
          .slice(0, 8)
          .join(
            ", ",
          )}${unknown.length > 8 ? " and others" : ""} ${unknown.length === 1 ? "is" : "are"} new is unknown`;
  return `compared with ${length}: ${told}${open}`;
}

function notLookedAt({ listed }: TriageData, found: Found, context: ViewContext): string | undefined {
  const { left, limit, stopped, unreadable } = found;
  const oldest = listed.runs.at(-1);
  const parts = [
    left.runs.length === 0
      ? undefined
      : `${counted(left.runs.length, "older failure")} (${stopped === undefined ? `limit ${count(limit)}` : reason(stopped)}): ${names(left.byTask, Number.NaN, context)}`,
    listed.whole || !oldest
      ? undefined
      : `whatever failed before ${dateTime(oldest.createdAt)} (${listed.stopped === undefined ? "too many to list" : reason(listed.stopped)})`,
    unreadable.length === 0
      ? undefined
      : `failures whose details could not be read: ${names(unreadable, Number.NaN, context)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `not looked at: ${parts.join("; ")}`;
}

function nextOf(data: TriageData, found: Found, asked: Asked): Call[] {
  const { groups } = found;
  const lead = groups.find((group) => group.novelty === "new" && group.kind !== "passed_on") ?? groups[0];
  const runs = lead && runsOf(lead, data, found, asked);
  return [
    ...(lead ? [call("diagnose_run", { run_id: lead.example })] : []),
    ...(runs ? [runs] : []),
    ...(found.left.runs.length > 0 ? [onward(data, found, asked)] : []),
  ];
}

/** No filter selects by cause; where the cause is the only one of its tasks and statuses, those do. */
function runsOf(group: NewOrKnown, data: TriageData, found: Found, asked: Asked): Call | undefined {
  if (group.count < 2 || !isExact(data, found)) return undefined;
  const tasks = group.tasks.map(({ name }) => name);
  const statuses = group.statuses.map(({ name }) => name);
  if (statuses.some((status) => !isRunStatus(status))) return undefined;
  const selected = data.listed.runs.filter(
    ({ task, status }) => tasks.includes(task) && statuses.includes(status),
  );
  if (selected.length !== group.count) return undefined;
  return call("list_runs", { ...scopeOf(asked), task: tasks, status: statuses, ...windowArgs(data.window) });
}

/** More of the same window in one answer while a call can look at that many; then the older part of it. */
function onward({ listed, window }: TriageData, { left, limit, stopped }: Found, asked: Asked): Call {
  const all = Math.ceil(listed.runs.length / 100) * 100;
  if (stopped === undefined && limit < MOST_LIMIT && listed.whole) {
    return call("triage_failures", { ...asked, limit: Math.min(MOST_LIMIT, all) });
  }
  const { period: _, ...rest } = asked;
  const newest = left.runs[0]?.createdAt ?? window.to;
  return call("triage_failures", { ...rest, ...windowArgs({ from: window.from, to: newest }) });
}

/** The filters that narrow a list of runs as they narrowed this. */
const scopeOf = ({ tag, version, queue }: Asked): Asked =>
  Object.fromEntries(Object.entries({ tag, version, queue }).filter(([, value]) => value !== undefined));

const windowArgs = ({ period, from, to }: TriageWindow): Asked =>
  period === undefined ? { from: new Date(from).toISOString(), to: new Date(to).toISOString() } : { period };

function nothing(data: TriageData, context: ViewContext, asked: Asked): Answer {
  const { window, outside: { ran, newest } = {} } = data;
  const { from: _, to: __, ...rest } = asked;
  const days = newest && Math.ceil((context.now - newest.createdAt) / DAY_MS) + 1;
  const next = days === undefined ? [] : [call("triage_failures", { ...rest, period: `${days}d` })];
  const { text } = render(
    [
      `0 failures in ${context.target} · ${windowText(window)}`,
      ran &&
        (ran.items.length === 0
          ? "Nothing ran in it either."
          : `It has ${ran.next === undefined ? "" : "at least "}${counted(ran.items.length, "run")}: ${byStatus(ran.items, context)}.`),
      newest
        ? `The newest failure: ${short(newest.id, context)}, ${short(newest.task, context)} ${short(newest.status, context, 30)} ${age(newest.createdAt, context.now)} ago.`
        : "No failure like it in the last 365d either.",
      nextLines(next, context),
    ],
    context.budget,
  );
  return { text, structured: structuredOf(data, next) };
}
