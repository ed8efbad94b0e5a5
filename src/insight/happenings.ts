/** What has happened in a run by now, as a list that only grows while its trace does: spans that ended, logs written. */
import type { Span } from "../domain/trace.ts";
import { isTime } from "./columns.ts";

/** `at` is Unix milliseconds: when a span ended, a log was written, a status was first seen. */
export type Happening = SpanHappening | StatusHappening;

export interface SpanHappening {
  readonly kind: "span" | "log";
  readonly at: number;
  readonly span: Span;
}

export interface StatusHappening {
  readonly kind: "status";
  readonly at: number;
  readonly status: string;
  readonly before: string;
}

/** Spans have this level; every other one is a log line's. */
const SPAN_LEVEL = "TRACE";

/** Both forms a span may be sent in, first open and later ended, are one span: the ended one is what happened. */
export function spanHappenings(spans: readonly Span[]): SpanHappening[] {
  const seen = new Set<string>();
  const happened: SpanHappening[] = [];
  for (const span of spans) {
    if (span.isPartial || seen.has(span.id)) continue;
    seen.add(span.id);
    happened.push({ kind: span.level === SPAN_LEVEL ? "span" : "log", at: endOf(span), span });
  }
  // Of what ended in the same moment the innermost ended first.
  return happened.sort((a, b) => a.at - b.at || b.span.startTime - a.span.startTime);
}

/** The open span that began last: what the run is busy with. */
export function busyWith(spans: readonly Span[]): Span | undefined {
  const ended = new Set(spans.filter((span) => !span.isPartial).map((span) => span.id));
  let latest: Span | undefined;
  for (const span of spans) {
    if (!span.isPartial || ended.has(span.id)) continue;
    if (!latest || span.startTime >= latest.startTime) latest = span;
  }
  return latest;
}

/** A span without a usable time happened before everything else. */
function endOf({ startTime, duration }: Span): number {
  if (!isTime(startTime)) return 0;
  const end = startTime + duration;
  return duration > 0 && isTime(end) ? end : startTime;
}
