/**
 * What is worked out of every span, read off each of them once into columns of numbers by row: a trace may hold 100,000
 * spans, and looking at each of them again, or making an object for it, costs more than all that is done with them.
 */
import type { Span } from "../domain/trace.ts";
import { NONE, RowsById } from "./rows-by-id.ts";
import { beginningOf } from "./short-ids.ts";

/** The last Unix millisecond a JavaScript date can hold. */
const LATEST_TIME = 8.64e15;

/** 0 is what a missing time becomes on its way here, never a time a span began. */
export const isTime = (value: number): boolean => value > 0 && value <= LATEST_TIME;

/** A parent is named that is not in the table. */
export const MISSING = -2;

export interface Columns {
  rows: RowsById;
  /** What `shortIds` wants to know of the ids. */
  beginnings: Int32Array;
  /** Rows of parents; {@link NONE} where none is named, {@link MISSING} where it is not in the table. */
  parents: Int32Array;
  /** Unix milliseconds; what is no time comes after all that are. */
  starts: Float64Array;
  /** Milliseconds; 0 where they are unusable. */
  durations: Float64Array;
  /** 1 for a span with an error. */
  failures: Int32Array;
  /** Unix milliseconds of the last of a span's events, 0 where there are none. */
  latest: Float64Array;
}

export function columnsOf(spans: readonly Span[]): Columns {
  const { length } = spans;
  const rows = new RowsById(spans);
  const beginnings = new Int32Array(length);
  const parents = new Int32Array(length);
  const starts = new Float64Array(length);
  const durations = new Float64Array(length);
  const failures = new Int32Array(length);
  const latest = new Float64Array(length);
  // Siblings mostly follow each other in the table.
  let lastId: string | undefined;
  let lastRow = NONE;
  let unknown = 0;
  for (let row = 0; row < length; row += 1) {
    const span = spans[row] as Span;
    rows.add(span, row);
    beginnings[row] = beginningOf(span.id);
    const { parentId, startTime, events } = span;
    if (parentId !== lastId || lastRow === MISSING) {
      lastId = parentId;
      lastRow = parentId === undefined ? NONE : (rows.get(parentId) ?? MISSING);
    }
    if (lastRow === MISSING) unknown += 1;
    parents[row] = lastRow;
    starts[row] = isTime(startTime) ? startTime : LATEST_TIME + 1;
    durations[row] = usableDuration(span.duration, startTime);
    if (span.isError) failures[row] = 1;
    if (events.length > 0) latest[row] = lastOf(events);
  }
  if (unknown > 0 || rows.size < length) lookAgain(spans, rows, parents);
  return { rows, beginnings, parents, starts, durations, failures, latest };
}

/** Parents that come after their children, or that another span with the same id has taken the place of. */
function lookAgain(spans: readonly Span[], rows: RowsById, parents: Int32Array): void {
  for (let row = 0; row < parents.length; row += 1) {
    const { parentId } = spans[row] as Span;
    if (parentId !== undefined) parents[row] = rows.get(parentId) ?? MISSING;
  }
}

/** A duration that keeps the end of its span a time. */
function usableDuration(duration: number, startTime: number): number {
  if (!isTime(duration)) return 0;
  return isTime(startTime) && !isTime(startTime + duration) ? 0 : duration;
}

function lastOf(events: Span["events"]): number {
  let last = 0;
  for (const { time } of events) if (isTime(time) && time > last) last = time;
  return last;
}
