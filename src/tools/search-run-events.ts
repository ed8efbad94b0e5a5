/** A run's events and log lines, filtered: contract api.md 1.4. The API filters nothing, so all of it is read and judged here. */
import { z } from "zod";
import { TriggerError } from "../domain/errors.ts";
import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import type { RunEvent } from "../domain/trace.ts";
import { shortIds } from "../insight/short-ids.ts";
import { indexTrace } from "../insight/spans.ts";
import { type EventSearch, type Position, viewEvents } from "../views/events.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext, refuseUnlikeSpanId, resolveSpanId } from "./reading.ts";
import { instantMs } from "./window.ts";

/** From least to most serious; TRACE is what spans have. */
const LEVELS = ["TRACE", "DEBUG", "LOG", "INFO", "WARN", "ERROR"] as const;
const DEFAULT_LIMIT = 50;

const input = z.object({
  run_id: params.runId,
  query: z.string().min(1).max(500).optional().describe("plain text, any case"),
  level: z.enum(LEVELS).optional().describe("and above"),
  span_id: params.spanId.optional(),
  attempt: z.int().min(1).optional(),
  from: params.instant.optional(),
  to: params.instant.optional(),
  limit: z.int().min(1).max(500).optional(),
  cursor: params.cursor.optional(),
});

export type SearchEventsInput = z.output<typeof input>;

export default defineTool({
  name: "search_run_events",
  title: "Search run events",
  summary:
    "A run's own events and logs (not its children's), oldest first. The cursor also continues a live run.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input,
  output: z.looseObject({
    run_id: z.string(),
    status: z.string(),
    total: z.number(),
    matched: z.number(),
    cursor: z.string().optional(),
    next: nextCalls.optional(),
  }),
  run: searchEvents,
  view: viewEvents,
});

export async function searchEvents(asked: SearchEventsInput, context: ReadContext): Promise<EventSearch> {
  const after = asked.cursor === undefined ? undefined : readCursor(asked.cursor);
  const bounds = boundsOf(asked);
  refuseUnlikeSpanId(asked.span_id, "span_id");
  const [run, answered] = await Promise.all([
    context.api.runs.retrieve(asked.run_id, callOptions(context)),
    context.api.runs.events(asked.run_id, callOptions(context)),
  ]);
  const events = answered.map((event) =>
    Number.isFinite(event.startTime) ? event : { ...event, startTime: 0 },
  );
  const wanted = filterOf(asked, bounds, events);
  const matched = events.filter(wanted).sort(inOrder);
  const rest = after ? matched.filter((event) => isAfter(event, after)) : matched;
  return {
    run,
    total: events.length,
    ...extentOf(events),
    levels: countBy(events, seriousness),
    matched: countBy(matched, seriousness),
    matches: matched.length,
    before: matched.length - rest.length,
    events: rest.slice(0, asked.limit ?? DEFAULT_LIMIT),
    remaining: rest.length,
    ids: shortIds(events),
  };
}

function extentOf(events: readonly RunEvent[]): Pick<EventSearch, "extent"> {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const { startTime } of events) [first, last] = [Math.min(first, startTime), Math.max(last, startTime)];
  return events.length === 0 ? {} : { extent: { first, last } };
}

/** What failed counts as an error, whatever level it was written at. */
const seriousness = (event: RunEvent): string => (event.isError ? "ERROR" : event.level);

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

/** Unix milliseconds. */
const boundsOf = ({ from, to }: SearchEventsInput) => ({
  ...(from !== undefined && { from: instantMs(from, "from") }),
  ...(to !== undefined && { to: instantMs(to, "to") }),
});

function filterOf(
  asked: SearchEventsInput,
  { from, to }: { from?: number; to?: number },
  events: readonly RunEvent[],
): (event: RunEvent) => boolean {
  const needle = asked.query?.toLowerCase();
  const least = asked.level === undefined ? undefined : LEVELS.indexOf(asked.level);
  const within = asked.span_id === undefined ? undefined : spansBelow(events, asked.span_id, asked.run_id);
  return (event) =>
    (from === undefined || event.startTime >= from) &&
    (to === undefined || event.startTime <= to) &&
    (asked.attempt === undefined || event.attempt === asked.attempt) &&
    (least === undefined || LEVELS.indexOf(seriousness(event) as (typeof LEVELS)[number]) >= least) &&
    (within === undefined || within.has(event.id)) &&
    (needle === undefined || textOf(event).toLowerCase().includes(needle));
}

/** The span and everything under it. */
function spansBelow(events: readonly RunEvent[], typed: string, runId: string): ReadonlySet<string> {
  const index = indexTrace(events);
  const head = index.find(resolveSpanId(index.ids, typed, "span_id", runId));
  const below = new Set<string>();
  const stack = head ? [head] : [];
  for (let node = stack.pop(); node; node = stack.pop()) {
    below.add(node.span.id);
    stack.push(...node.children);
  }
  return below;
}

/** Everything of an event that a person would search in. */
const textOf = (event: RunEvent): string =>
  [
    event.message,
    event.task ?? "",
    ...event.events.map(({ name }) => name),
    ...exceptionsOf(event.events).map(exceptionTitle),
  ].join("\n");

/** By time, then by id: an order that what comes later on a live run cannot change for what was already there. */
const inOrder = (a: Position, b: Position): number =>
  a.startTime - b.startTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const isAfter = (event: RunEvent, position: Position): boolean => inOrder(event, position) > 0;

/** `<unix ms>_<span id>`, as views/events.ts writes it. */
function readCursor(cursor: string): Position {
  const match = /^(\d{1,16}(?:\.\d{1,9})?)_(\w{1,64})$/.exec(cursor);
  if (!match?.[1] || !match[2]) {
    throw new TriggerError(
      "invalid_request",
      `"cursor" takes what an earlier search_run_events answered, unchanged; not "${cursor}".`,
    );
  }
  return { startTime: Number(match[1]), id: match[2] };
}
