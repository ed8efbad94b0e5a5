/** Spans for tests: plain ones by hand, broken tables by fast-check. */
import fc from "fast-check";
import type { Span } from "../../src/domain/trace.ts";

/** 2026-08-20T10:00:00Z */
export const T0 = Date.UTC(2026, 7, 20, 10);

/** `at` is milliseconds after {@link T0}. */
export function span(
  id: string,
  parentId: string | undefined,
  at: number,
  duration: number,
  rest: Partial<Span> = {},
): Span {
  return {
    id,
    ...(parentId === undefined ? {} : { parentId }),
    runId: "run_1",
    message: id,
    startTime: T0 + at,
    duration,
    isError: false,
    isPartial: false,
    isCancelled: false,
    level: "TRACE",
    events: [],
    ...rest,
  };
}

const time = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: T0, max: T0 + 60_000 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15) },
);

const duration = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0, max: 60_000, noNaN: true }) },
  { weight: 1, arbitrary: fc.double() },
);

/** Few ids, so that duplicates, cycles and self-parents are common. */
const id = fc.integer({ min: 0, max: 24 }).map((n) => n.toString(16).padStart(16, "0"));

export const brokenSpan: fc.Arbitrary<Span> = fc
  .record({
    id,
    parentId: fc.option(fc.oneof({ weight: 9, arbitrary: id }, { weight: 1, arbitrary: fc.string() }), {
      nil: undefined,
      freq: 6,
    }),
    message: fc.oneof(
      fc.constantFrom("GET /stock/SKU-0042", "GET /stock/SKU-0043", "Attempt 1", "load", "", "constructor"),
      fc.string({ unit: "binary", maxLength: 400 }),
    ),
    startTime: time,
    duration,
    isError: fc.boolean(),
    isPartial: fc.boolean(),
    isCancelled: fc.boolean(),
    level: fc.constantFrom("TRACE", "ERROR", "odd"),
    events: fc.array(
      fc.record({
        name: fc.constantFrom("exception", "cancellation", "odd"),
        time,
        properties: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ parentId, ...rest }) => ({
    ...rest,
    runId: "run_1",
    ...(parentId === undefined ? {} : { parentId }),
  }));

export const brokenTrace: fc.Arbitrary<Span[]> = fc.array(brokenSpan, { maxLength: 40 });
