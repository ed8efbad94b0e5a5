/** Events of a run: how many there are of what, then the lines, then the position to go on from. */

import { type Call, call, formatCall } from "../domain/calls.ts";
import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { RunEvent } from "../domain/trace.ts";
import type { ShortIds } from "../insight/short-ids.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { render } from "./document.ts";
import { clock, count, counted, dateTime, duration, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { tokens } from "./tokens.ts";

/** Where an event stands in the order of a search. */
export type Position = Pick<RunEvent, "startTime" | "id">;

export interface EventSearch {
  run: Run;
  /** Events of the run, whatever was asked for. */
  total: number;
  levels: ReadonlyMap<string, number>;
  /** Those that match, by level and in all. */
  matched: ReadonlyMap<string, number>;
  matches: number;
  /** Matches the cursor has left behind. */
  before: number;
  /** In order; of `remaining` matches after the cursor. */
  events: readonly RunEvent[];
  remaining: number;
  /** When the first and the last event began, whatever was asked for: Unix milliseconds. */
  extent?: { first: number; last: number };
  /** Span ids to their unique prefixes. */
  ids: ShortIds;
}

type Asked = Record<string, unknown>;

export function viewEvents(search: EventSearch, context: ViewContext, asked: Asked): Answer {
  const head = headOf(search, context, asked);
  const told = new Map<string, string>();
  const lines = search.events.map((event) => eventLine(event, search, told, context));
  const onwardCost = tokens(formatCall(again(asked, { cursor: cursorOf(search.events.at(-1) ?? NOWHERE) })));
  let left = context.budget - tokens(`${head}\n`) - onwardCost - END_LINE;
  let shown = 0;
  for (const line of lines) {
    left -= tokens(`${line}\n`);
    if (left < 0 && shown > 0) break;
    shown += 1;
  }
  const last = search.events[shown - 1];
  const cursor = last ? cursorOf(last) : typeof asked.cursor === "string" ? asked.cursor : undefined;
  const more = search.remaining - shown;
  const live = !isTerminal(search.run.status);
  const onward = cursor !== undefined && (more > 0 || live) ? [again(asked, { cursor })] : [];
  const next = [...onward, ...elsewhere(search, asked)];
  const text = render(
    [head, ...lines.slice(0, shown), endLine(search, shown, more, live, asked), nextLines(next, context)],
    context.budget,
  ).text;
  return {
    text,
    structured: {
      run_id: search.run.id,
      status: search.run.status,
      total: search.total,
      matched: search.matches,
      shown,
      ...(cursor !== undefined && { cursor }),
      next,
    },
  };
}

/** Reads back in search-run-events.ts. */
const cursorOf = (event: Position): string => `${event.startTime}_${event.id}`;

const again = (asked: Asked, changes: Asked): Call =>
  call(
    "search_run_events",
    Object.fromEntries(Object.entries({ ...asked, ...changes }).filter(([, value]) => value !== undefined)),
  );

/** For the price of a cursor. */
const NOWHERE: Position = { startTime: 1_000_000_000_000, id: "0".repeat(16) };
/** What the lines after the events may cost beside the call that goes on. */
const END_LINE = 40;

function headOf(search: EventSearch, context: ViewContext, asked: Asked): string {
  const { run } = search;
  const filtered = FILTERS.some((name) => asked[name] !== undefined);
  const first = search.events[0];
  return [
    `${oneLine(context.clean(run.id), 64)} ${oneLine(context.clean(run.task), 128)} ${oneLine(context.clean(run.status), 30)}`,
    context.target,
    `${counted(search.total, "event")}${byLevel(search.levels, context)}`,
    filtered ? `${count(search.matches)} match${byLevel(search.matched, context)}` : undefined,
    search.before > 0 ? `${count(search.before)} before the cursor` : undefined,
    first ? `from ${dateTime(first.startTime)}, times UTC` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

const FILTERS = ["query", "level", "span_id", "attempt", "from", "to"];
const ORDER = ["ERROR", "WARN", "INFO", "LOG", "DEBUG", "TRACE"];

/** ` (2 ERROR, 10 WARN)`; spans, which are TRACE, are called spans. */
function byLevel(levels: ReadonlyMap<string, number>, context: ViewContext): string {
  if (levels.size === 0) return "";
  const place = (level: string): number => (ORDER.indexOf(level) + ORDER.length + 1) % (ORDER.length + 1);
  const said = [...levels]
    .sort(([a], [b]) => place(a) - place(b))
    .map(([level, many]) =>
      level === "TRACE" ? counted(many, "span") : `${count(many)} ${oneLine(context.clean(level), 20)}`,
    );
  return ` (${said.join(", ")})`;
}

const LONGEST_MESSAGE = 300;

/** `told` holds the exceptions of earlier lines: an exception is repeated by every span it passes through. */
function eventLine(
  event: RunEvent,
  search: EventSearch,
  told: Map<string, string>,
  context: ViewContext,
): string {
  const level = event.level === "TRACE" ? (event.isError ? "✗" : "span") : event.level;
  const id = `#${search.ids.get(event.id) ?? oneLine(context.clean(event.id), 20)}`;
  const exception = exceptionsOf(event.events)[0];
  const title = exception && exceptionTitle(exception);
  const before = title === undefined ? undefined : told.get(title);
  if (title !== undefined && before === undefined) told.set(title, id);
  return [
    `${clock(event.startTime)} ${oneLine(context.clean(level), 12).padEnd(5)} ${oneLine(context.clean(event.message), LONGEST_MESSAGE)}`,
    ` ${id}`,
    event.isPartial ? "  open" : event.duration > 0 ? `  ${duration(event.duration)}` : "",
    event.attempt === undefined ? "" : `  attempt ${event.attempt}`,
    event.isCancelled ? "  cancelled" : "",
    title === undefined
      ? ""
      : `  ✗ ${before ? `as ${before}` : oneLine(context.clean(title), LONGEST_MESSAGE)}`,
  ].join("");
}

/** Whatever is not shown is counted; an empty answer says what there is instead. */
function endLine(
  search: EventSearch,
  shown: number,
  more: number,
  live: boolean,
  asked: Asked,
): string | undefined {
  if (more > 0) return `${count(shown)} shown, ${count(more)} more match.`;
  if (live)
    return `${shown === 0 ? "Nothing" : "Nothing more"} so far; the run is still going, and the cursor goes on from here.`;
  if (shown > 0) return undefined;
  if (search.before > 0) return "Nothing after the cursor: this was the end.";
  if (search.total === 0) return "The run has no events: it never began, or they are past retention.";
  return [
    "No event matches.",
    outOfReach(search, asked),
    asked.query === undefined
      ? undefined
      : "The text is looked for in messages and exceptions, as it stands.",
    "Events of child runs are searched with their own run_id.",
  ]
    .filter((sentence) => sentence !== undefined)
    .join(" ");
}

/** Filters that no event of this run could have passed. */
function outOfReach({ extent, run }: EventSearch, asked: Asked): string | undefined {
  if (typeof asked.attempt === "number" && asked.attempt > run.attemptCount)
    return `The run has made ${counted(run.attemptCount, "attempt")}.`;
  if (extent && (asked.from !== undefined || asked.to !== undefined))
    return `Its events began between ${dateTime(extent.first)} and ${dateTime(extent.last)}.`;
  return undefined;
}

/** An answer without matches points at the search without its narrowest filters. */
function elsewhere(search: EventSearch, asked: Asked): Call[] {
  if (search.matches > 0 || search.total === 0) return [];
  const failed = search.run.children.find((child) => child.status === "FAILED");
  return [
    call("search_run_events", { run_id: search.run.id, ...(asked.level === undefined && { level: "WARN" }) }),
    ...(failed ? [again(asked, { run_id: failed.id, span_id: undefined, cursor: undefined })] : []),
  ];
}
