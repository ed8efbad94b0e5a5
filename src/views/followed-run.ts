/** A run that was followed, in words: the state it reached, what happened meanwhile, how to go on. */

import { type Call, call, formatCall } from "../domain/calls.ts";
import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import type { Run } from "../domain/run.ts";
import type { Span } from "../domain/trace.ts";
import type { Happening, SpanHappening } from "../insight/happenings.ts";
import { normalizeName } from "../insight/names.ts";
import type { ShortIds } from "../insight/short-ids.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { type Row, render } from "./document.ts";
import { clock, count, counted, duration, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { wallMs } from "./run-times.ts";

/** `reached`: a condition was met while the run goes on. `running`: neither that nor the end when the time was up. */
export const RUN_FOLLOW_STATES = ["done", "failed", "cancelled", "expired", "reached", "running"] as const;

export type RunFollowState = (typeof RUN_FOLLOW_STATES)[number];

export interface FollowedRun {
  /** As it was seen last. */
  run: Run;
  state: RunFollowState;
  /** The condition that was met, in words. */
  met?: string;
  /** In the order it became known. */
  news: readonly Happening[];
  /** What had happened before the following began. */
  earlier: readonly SpanHappening[];
  /** The open span that began last. */
  busy?: Span;
  /** The server stopped at its cap, so that later spans were not seen. */
  truncated: boolean;
  /** Span ids to their unique prefixes. */
  ids: ShortIds;
  /** Milliseconds of following, and those since when nothing has happened. */
  took: number;
  quiet: number;
  cursor: string;
}

const LONGEST_NAME = 120;
const LONGEST_TITLE = 200;

/** One line for a person who watches; raw, since progress is cleaned on its way out. */
export function newsLine(run: Run, news: readonly Happening[], busy: Span | undefined): string {
  const head = `${run.id} · ${run.status}`;
  const newest = news.findLast((one) => one.kind === "span" && one.span.isError) ?? news.at(-1);
  if (!newest) return busy ? `${head} · in ${oneLine(busy.message, LONGEST_NAME)}` : head;
  const more = news.length > 1 ? ` · ${counted(news.length - 1, "more", "more")}` : "";
  if (newest.kind === "status") return `${head}${more}`;
  const { span } = newest;
  const mark = span.isError ? "✗ " : newest.kind === "log" ? `${span.level} ` : "";
  const took = newest.kind === "span" ? ` ${duration(span.duration)}` : "";
  return `${head} · ${mark}${oneLine(span.message, LONGEST_NAME)}${took}${more}`;
}

export function viewFollowedRun(
  followed: FollowedRun,
  context: ViewContext,
  asked: Record<string, unknown>,
): Answer {
  const { run, state, met, news, earlier, cursor } = followed;
  const next = nextCalls(followed, asked);
  const { text } = render(
    [
      headOf(followed, context),
      countsOf(followed),
      busyLine(followed, context),
      { rows: rowsOf(followed, context), omitted: (shown, total) => omittedLine(shown, total, run) },
      followed.truncated
        ? "The server stopped at its cap of 10,000 records: later spans were not seen."
        : undefined,
      nextLines(next, context),
    ],
    context.budget,
  );
  return {
    text,
    structured: {
      state,
      run_id: run.id,
      status: run.status,
      ...(met !== undefined && { met }),
      happened: news.length,
      earlier: earlier.length,
      cursor,
      next,
    },
  };
}

/** What follow_run answered: `running after 45s · run_cm9… process-order EXECUTING · dev`. */
function headOf({ run, state, met, took }: FollowedRun, { clean, target }: ViewContext): string {
  const wall = wallMs(run);
  return [
    `${state} after ${duration(took)}${met === undefined ? "" : `: ${oneLine(clean(met), LONGEST_NAME)}`}`,
    `${oneLine(clean(run.id), 64)} ${oneLine(clean(run.task), 128)} ${oneLine(clean(run.status), 30)}${wall === undefined ? "" : ` ${duration(wall)}`}`,
    target,
  ].join(" · ");
}

function countsOf({ news, earlier, quiet, state }: FollowedRun): string {
  const before = earlier.length > 0 ? `; ${tally(earlier)} before that` : "";
  const silent = state === "running" && quiet >= 1000 ? `; nothing for ${duration(quiet)}` : "";
  return `meanwhile ${news.length === 0 ? "nothing happened" : tally(news)}${before}${silent}`;
}

/** `12 spans ended (1 failed), 3 logs`. */
function tally(happened: readonly Happening[]): string {
  const of = (kind: Happening["kind"]) => happened.filter((one) => one.kind === kind).length;
  const failed = happened.filter((one) => one.kind === "span" && one.span.isError).length;
  const [spans, logs, changes] = [of("span"), of("log"), of("status")];
  return [
    spans > 0
      ? `${counted(spans, "span")} ended${failed > 0 ? ` (${count(failed)} failed)` : ""}`
      : undefined,
    logs > 0 ? counted(logs, "log") : undefined,
    changes > 0 ? counted(changes, "change of status", "changes of status") : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
}

function busyLine({ busy, ids }: FollowedRun, context: ViewContext): string | undefined {
  if (!busy) return undefined;
  const since = busy.startTime > 0 ? `, open for ${duration(Math.max(0, context.now - busy.startTime))}` : "";
  return `busy with ${oneLine(context.clean(busy.message), LONGEST_NAME)} #${idOf(busy, { ids, context })}${since}`;
}

/** Of what had happened before, so many are worth a line. */
const EARLIER_SHOWN = 20;
const EARLIER_RANK = 5;

function rowsOf({ earlier, news, ids }: FollowedRun, context: ViewContext): Row[] {
  const names: Names = { ids, context, told: new Map() };
  const rows = newsRows(news, names);
  const before = earlier
    .slice(-EARLIER_SHOWN)
    .map((one) => ({ text: lineOf(one, { ...names, told: new Map() }), rank: EARLIER_RANK }));
  return before.length === 0 ? rows : [...before, { text: "following began", rank: EARLIER_RANK }, ...rows];
}

interface Names {
  /** Span ids to their unique prefixes. */
  ids: ShortIds;
  context: ViewContext;
  /** Exceptions of earlier lines to the span told with them: every span one passes through repeats it. */
  told: Map<string, string>;
}

/** From this many on, spans of one kind that went well are one line. */
const FOLDED = 4;

function newsRows(news: readonly Happening[], names: Names): Row[] {
  const kinds = new Map<string, SpanHappening[]>();
  const kindOf = news.map((one) => {
    if (one.kind !== "span" || one.span.isError) return undefined;
    const name = normalizeName(one.span.message);
    const kind = kinds.get(name) ?? [];
    kind.push(one);
    kinds.set(name, kind);
    return kind;
  });
  return news.flatMap((one, at): Row[] => {
    const kind = kindOf[at];
    if (!kind || kind.length < FOLDED) return [{ text: lineOf(one, names), rank: rankOf(one) }];
    return kind.at(-1) === one ? [{ text: foldedLine(kind, names), rank: 2 }] : [];
  });
}

function rankOf(happening: Happening): number {
  if (happening.kind === "status" || happening.span.isError) return 0;
  if (happening.kind === "span") return 3;
  return { ERROR: 0, WARN: 1, DEBUG: 4 }[happening.span.level] ?? 2;
}

/** `10:00:02.000 ✗     capture payment #c3d4  1.2s  TypeError: …`, at the time it ended. */
function lineOf(happening: Happening, names: Names): string {
  const { clean } = names.context;
  const at = clock(happening.at);
  if (happening.kind === "status") {
    return `${at} ${oneLine(clean(happening.before), 30)} → ${oneLine(clean(happening.status), 30)}`;
  }
  const { span } = happening;
  return [
    `${at} ${(span.isError ? "✗" : happening.kind === "log" ? oneLine(clean(span.level), 12) : "span").padEnd(5)}`,
    ` ${oneLine(clean(span.message), LONGEST_NAME)} #${idOf(span, names)}`,
    happening.kind === "span" ? `  ${duration(span.duration)}` : "",
    span.isCancelled ? "  cancelled" : "",
    failureOf(span, names),
  ].join("");
}

const idOf = (span: Span, { ids, context }: Pick<Names, "ids" | "context">): string =>
  oneLine(context.clean(ids.get(span.id) ?? span.id), 32);

function failureOf(span: Span, names: Names): string {
  const exception = exceptionsOf(span.events)[0];
  if (!exception) return "";
  const title = exceptionTitle(exception);
  const before = names.told.get(title);
  if (before !== undefined) return `  as #${before}`;
  names.told.set(title, idOf(span, names));
  return `  ${oneLine(names.context.clean(title), LONGEST_TITLE)}`;
}

function foldedLine(kind: readonly SpanHappening[], names: Names): string {
  let [slowest] = kind as [SpanHappening];
  let sum = 0;
  for (const one of kind) {
    sum += one.span.duration;
    if (one.span.duration > slowest.span.duration) slowest = one;
  }
  const name = oneLine(names.context.clean(normalizeName(slowest.span.message)), LONGEST_NAME);
  return `${clock(kind.at(-1)?.at ?? 0)} span  ${name} ×${count(kind.length)}  max ${duration(slowest.span.duration)} (#${idOf(slowest.span, names)})  sum ${duration(sum)}`;
}

const omittedLine = (shown: number, total: number, run: Run): string =>
  `${count(total - shown)} of ${counted(total, "line")} not shown for room: ${formatCall(call("search_run_events", { run_id: run.id }))}`;

function nextCalls({ run, state, cursor }: FollowedRun, asked: Record<string, unknown>): Call[] {
  const about = { run_id: run.id };
  if (state === "failed" || state === "expired") return [call("diagnose_run", about)];
  if (state === "done") return [call("get_run", about), call("get_run_trace", about)];
  if (state === "cancelled") return [call("get_run", about)];
  const again = Object.entries({ ...asked, cursor }).filter(
    ([name, value]) =>
      value !== undefined && name !== "max_tokens" && (state === "running" || name !== "until"),
  );
  return [call("follow_run", Object.fromEntries(again)), call("diagnose_run", about)];
}
