/** Where a watch of a run stands, as text that any later call, process or replica goes on from. */
import { TriggerError } from "../domain/errors.ts";
import type { SpanHappening } from "../insight/happenings.ts";

export interface Told {
  /** The run's status as it was told last. */
  status: string;
  /** Unix milliseconds: what happened before is told. */
  upTo: number;
  /** Marks of what is told from then on: a trace's spans are not written in the order they end. */
  marks: ReadonlySet<string>;
  /** Unix milliseconds since when nothing has happened. */
  quietSince: number;
}

/** Happenings told by name; what is written later than this many others are cannot be told from what was told. */
const MARKED = 12;

const MARK = 4;
const CURSOR = /^([A-Z_]{1,30})~([0-9a-z]{1,11})~([0-9a-z]{1,11})~((?:[\w-]{4}){0,12})$/;

/** Span ids are random, so that their ends tell neighbours apart. */
const markOf = (id: string): string =>
  id
    .slice(-MARK)
    .replace(/[^\w-]/g, "-")
    .padStart(MARK, "-");

export const wasTold = ({ at, span }: SpanHappening, told: Told): boolean =>
  at < told.upTo || told.marks.has(markOf(span.id));

/** `happened` is everything told so far, in any order; `quietSince` Unix milliseconds. */
export function formatRunCursor(
  status: string,
  happened: readonly SpanHappening[],
  quietSince: number,
): string {
  const last = happened.toSorted((a, b) => b.at - a.at).slice(0, MARKED);
  // Rounded down to whole milliseconds: what is marked must not count as before. With all of it marked nothing does.
  const upTo = happened.length > MARKED ? Math.floor(last.at(-1)?.at ?? 0) : 0;
  const marks = last.map(({ span }) => markOf(span.id)).join("");
  const known = /^[A-Z_]{1,30}$/.test(status) ? status : "UNKNOWN";
  return `${known}~${upTo.toString(36)}~${Math.floor(quietSince).toString(36)}~${marks}`;
}

export function readRunCursor(cursor: string): Told {
  const match = CURSOR.exec(cursor);
  const [, status, upTo, quietSince, marks] = match ?? [];
  if (status === undefined || upTo === undefined || quietSince === undefined) {
    throw new TriggerError(
      "invalid_request",
      `"cursor" takes what an earlier follow_run answered, unchanged; not "${cursor}".`,
    );
  }
  return {
    status,
    upTo: Number.parseInt(upTo, 36),
    quietSince: Number.parseInt(quietSince, 36),
    marks: new Set(marks?.match(/.{4}/g) ?? []),
  };
}
