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
    spans.push(new WireSpan(node, node.data));
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
    return new WireSpan(node, node);
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

/**
 * A span whose measures stay where they were read: of 10,000 spans few are ever looked at whole. `node` has what names it,
 * `data` what it did; in the paged form both are the same. What later reading could stumble over is read at once.
 */
class WireSpan implements Span {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly runId: string;
  readonly startTime: number;
  events: SpanEvent[];
  readonly #data: Wire;

  constructor({ id, parentId, runId }: Wire, data: Wire) {
    if (typeof id !== "string" || typeof runId !== "string") throw new Misfit("a span without ids");
    this.id = id;
    this.parentId = typeof parentId === "string" && parentId !== "" ? parentId : undefined;
    this.runId = runId;
    this.startTime = toInstant(data.startTime);
    this.events = toSpanEvents(data.events);
    this.#data = data;
  }

  get message(): string {
    return textOr(this.#data.message, "");
  }

  get duration(): number {
    return toMilliseconds(this.#data.duration);
  }

  get isError(): boolean {
    return this.#data.isError === true;
  }

  get isPartial(): boolean {
    return this.#data.isPartial === true;
  }

  get isCancelled(): boolean {
    return this.#data.isCancelled === true;
  }

  get level(): string {
    return textOr(this.#data.level, "TRACE");
  }

  get attempt(): number | undefined {
    const { attemptNumber } = this.#data;
    return typeof attemptNumber === "number" ? attemptNumber : undefined;
  }

  get task(): string | undefined {
    const { taskSlug } = this.#data;
    return typeof taskSlug === "string" ? taskSlug : undefined;
  }

  get properties(): Record<string, unknown> | undefined {
    const { properties } = this.#data;
    return isObject(properties) ? properties : undefined;
  }
}

const textOr = (value: unknown, other: string): string => (typeof value === "string" ? value : other);

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

/** The day most recently parsed, as the number YYYYMMDD and in Unix milliseconds: neighbouring spans nearly always share it. */
let day = { date: 0, ms: 0 };

const [DASH, LETTER_T, COLON, DOT, LETTER_Z] = [45, 84, 58, 46, 90];

/** `2026-08-20T10:00:01.100Z`, the form servers send, a good deal faster than `Date.parse`; `undefined` for others. */
function fastIso(text: string): number | undefined {
  if (
    text.length !== 24 ||
    text.charCodeAt(4) !== DASH ||
    text.charCodeAt(7) !== DASH ||
    text.charCodeAt(10) !== LETTER_T ||
    text.charCodeAt(13) !== COLON ||
    text.charCodeAt(16) !== COLON ||
    text.charCodeAt(19) !== DOT ||
    text.charCodeAt(23) !== LETTER_Z
  ) {
    return undefined;
  }
  const date = digitsAt(text, 0, 4) * 10_000 + digitsAt(text, 5, 2) * 100 + digitsAt(text, 8, 2);
  const hour = digitsAt(text, 11, 2);
  const minute = digitsAt(text, 14, 2);
  const ms = digitsAt(text, 17, 2) * 1_000 + digitsAt(text, 20, 3);
  if (!(hour < 24 && minute < 60 && ms < 60_000)) return undefined;
  if (date !== day.date) day = { date, ms: Date.parse(`${text.slice(0, 10)}T00:00:00.000Z`) };
  return day.ms + hour * 3_600_000 + minute * 60_000 + ms;
}

/** `NaN` where a character is no digit. */
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
