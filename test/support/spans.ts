/** Spans for traces, by small numbers. */
import type { RunEvent, Span } from "../../src/domain/trace.ts";
import { aRun, CREATED } from "./api.ts";

/** 16 hex digits whose beginnings differ early. */
export const spanId = (n: number): string =>
  `${(Math.imul(n, 2_654_435_761) >>> 0).toString(16).padStart(8, "0")}${n.toString(16).padStart(8, "0")}`;

export const RUN_ID = aRun().id;

/** `at` and `took` in milliseconds, from the trace's beginning. */
export const aSpan = (
  n: number,
  parent: number | undefined,
  message: string,
  at: number,
  took: number,
  rest: Partial<Span> = {},
): Span => ({
  id: spanId(n),
  ...(parent !== undefined && { parentId: spanId(parent) }),
  runId: RUN_ID,
  message,
  startTime: CREATED + at,
  duration: took,
  isError: false,
  isPartial: false,
  isCancelled: false,
  level: "TRACE",
  events: [],
  ...rest,
});

export const anEvent = (
  n: number,
  parent: number | undefined,
  message: string,
  at: number,
  rest: Partial<RunEvent> = {},
): RunEvent => ({ ...aSpan(n, parent, message, at, 0), ...rest });

export const STACK =
  "TypeError: Cannot read properties of undefined (reading 'id')\n    at capturePayment (file:///srv/src/trigger/charge.ts:42:17)\n    at async run (/srv/node_modules/@trigger.dev/core/x.js:1:1)";

/** A span that threw. */
export const failed = (message = "Cannot read properties of undefined (reading 'id')"): Partial<Span> => ({
  isError: true,
  events: [
    {
      name: "exception",
      time: CREATED + 900,
      properties: { exception: { type: "TypeError", message, stacktrace: STACK } },
    },
  ],
});
