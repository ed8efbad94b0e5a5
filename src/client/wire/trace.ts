/**
 * A trace off the wire, both forms of contract api.md 1.3, into one flat table. Checked by hand: a trace holds up to
 * 10,000 spans and must cost little more than parsing its JSON.
 */
import type { Span, SpanEvent, Trace } from "../../domain/trace.ts";

/** Something in the body is not what the contract says; the caller knows which request it was. */
export class Misfit extends Error {}

export interface TracePage {
  spans: Span[];
  attemptFailures: AttemptFailure[];
  next?: string;
  truncated: boolean;
}

interface AttemptFailure {
  spanId: string;
  runId: string;
  attempt: number;
}

type Wire = Record<string, unknown>;

const NS_PER_MS = 1e6;

/** The tree form, or `undefined` when the body is a page of the other. */
export function readTree(body: unknown): Trace | undefined {
  const trace = isObject(body) ? body.trace : undefined;
  if (!isObject(trace)) return undefined;
  const spans: Span[] = [];
  // An explicit stack: a chain of nested spans can be deeper than the call stack.
  const stack: unknown[] = [trace.rootSpan];
  while (stack.length > 0) {
    const node = stack.pop();
    if (!isObject(node) || !isObject(node.data)) throw new Misfit("a span without data");
    spans.push(toSpan(node, node.data));
    const { children } = node;
    if (!Array.isArray(children)) continue;
    for (let at = children.length - 1; at >= 0; at -= 1) stack.push(children[at]);
  }
  const { traceId } = trace;
  return {
    ...(typeof traceId === "string" && traceId !== "" && { traceId }),
    spans,
    truncated: trace.isTruncated === true,
  };
}

/** A page of the flat form. */
export function readTracePage(body: unknown): TracePage {
  if (!isObject(body) || !Array.isArray(body.data)) throw new Misfit("neither a trace nor a page of one");
  const spans = body.data.map((node: unknown) => {
    if (!isObject(node)) throw new Misfit("a span that is no object");
    return toSpan(node, node);
  });
  const failures = Array.isArray(body.attemptFailures) ? body.attemptFailures : [];
  const pagination = isObject(body.pagination) ? body.pagination : {};
  const { next } = pagination;
  return {
    spans,
    attemptFailures: failures.filter(isObject).map(toAttemptFailure),
    ...(typeof next === "string" && next !== "" && { next }),
    truncated: pagination.truncated === true,
  };
}

/**
 * Pages as one table. A span can come twice, first open and later finished; the finished one counts. Attempt failures,
 * which the tree form has as span events, become those events.
 */
export function joinTracePages(pages: TracePage[]): Trace {
  const spans = new Map<string, Span>();
  for (const page of pages) {
    for (const span of page.spans) {
      const known = spans.get(span.id);
      if (!known || (known.isPartial && !span.isPartial)) spans.set(span.id, span);
    }
  }
  for (const failure of pages.flatMap((page) => page.attemptFailures)) {
    const span = spans.get(failure.spanId);
    if (!span) continue;
    const event: SpanEvent = {
      name: "attempt_failed",
      time: span.startTime + span.duration,
      properties: { attemptNumber: failure.attempt, runId: failure.runId },
    };
    span.events = [...span.events, event];
  }
  return { spans: [...spans.values()], truncated: pages.some((page) => page.truncated) };
}

/** Identity and measures are in different places in the two forms; the names are the same. */
function toSpan(node: Wire, data: Wire): Span {
  const { id, parentId, runId } = node;
  if (typeof id !== "string" || typeof runId !== "string") throw new Misfit("a span without ids");
  const span: Span = {
    id,
    runId,
    message: typeof data.message === "string" ? data.message : "",
    startTime: toInstant(data.startTime),
    duration: toMilliseconds(data.duration),
    isError: data.isError === true,
    isPartial: data.isPartial === true,
    isCancelled: data.isCancelled === true,
    level: typeof data.level === "string" ? data.level : "TRACE",
    events: toSpanEvents(data.events),
  };
  if (typeof parentId === "string" && parentId !== "") span.parentId = parentId;
  if (typeof data.attemptNumber === "number") span.attempt = data.attemptNumber;
  if (typeof data.taskSlug === "string") span.task = data.taskSlug;
  if (isObject(data.properties)) span.properties = data.properties;
  return span;
}

/** Of the many spans without events. */
const NO_EVENTS: SpanEvent[] = [];

export function toSpanEvents(events: unknown): SpanEvent[] {
  if (!Array.isArray(events) || events.length === 0) return NO_EVENTS;
  return events.filter(isObject).map((event) => ({
    name: typeof event.name === "string" ? event.name : "",
    time: toInstant(event.time),
    properties: isObject(event.properties) ? event.properties : {},
  }));
}

/** ISO text, Unix milliseconds, or a decimal string of Unix nanoseconds (as in events). */
export function toInstant(value: unknown): number {
  if (typeof value === "string") {
    const ms = fastIso(value) ?? (/^\d+$/.test(value) ? nanosecondsToMs(value) : Date.parse(value));
    if (!Number.isNaN(ms)) return ms;
  }
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new Misfit("a time that is none");
}

/** The minute most recently parsed: neighbouring spans nearly always share it. */
let minute = { text: "", ms: 0 };

/** `2026-08-20T10:00:01.100Z`, the form servers send, a good deal faster than `Date.parse`; `undefined` for others. */
function fastIso(text: string): number | undefined {
  if (
    text.length !== 24 ||
    text.charCodeAt(16) !== 58 ||
    text.charCodeAt(19) !== 46 ||
    text.charCodeAt(23) !== 90
  ) {
    return undefined;
  }
  const ms = digitsAt(text, 17, 2) * 1000 + digitsAt(text, 20, 3);
  if (Number.isNaN(ms)) return undefined;
  if (!text.startsWith(minute.text) || minute.text === "") {
    minute = { text: text.slice(0, 16), ms: Date.parse(`${text.slice(0, 16)}:00.000Z`) };
  }
  return minute.ms + ms;
}

function digitsAt(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Whole milliseconds and the rest apart: as one Number the nanoseconds would be rounded. */
const nanosecondsToMs = (digits: string): number =>
  Number(digits.slice(0, -6)) + Number(digits.slice(-6)) / NS_PER_MS;

/** Durations are nanoseconds. */
export const toMilliseconds = (ns: unknown): number => (typeof ns === "number" ? ns / NS_PER_MS : 0);

const toAttemptFailure = (failure: Wire): AttemptFailure => ({
  spanId: String(failure.spanId),
  runId: String(failure.runId),
  attempt: Number(failure.attemptNumber),
});

export const isObject = (value: unknown): value is Wire =>
  typeof value === "object" && value !== null && !Array.isArray(value);
