import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Span } from "../../src/domain/trace.ts";
import { align } from "../../src/insight/align.ts";
import { compareTraces, headsOf, type TraceDifference } from "../../src/insight/differences.ts";
import type { Folded } from "../../src/insight/fold.ts";
import { indexTrace } from "../../src/insight/spans.ts";
import { brokenTrace, span, T0 } from "./traces.ts";

const threw = (message: string, at: number): Partial<Span> => ({
  isError: true,
  events: [{ name: "exception", time: T0 + at, properties: { exception: { type: "Error", message } } }],
});

const compare = (left: Span[], right: Span[]) => compareTraces(indexTrace(left), indexTrace(right));

const named = (item: Folded | undefined): string | undefined =>
  item && ("node" in item ? item.node.span.message : `${item.group.members.length} × ${item.group.name}`);

const told = (difference: TraceDifference | undefined) =>
  difference && [difference.kind, named(difference.step.left), named(difference.step.right)];

const good = [
  span("task", undefined, 0, 100),
  span("Attempt 1", "task", 1, 99),
  span("load", "Attempt 1", 2, 20),
  span("capture", "Attempt 1", 30, 60),
  span("POST", "capture", 40, 50),
];

describe("two traces", () => {
  it("that went the same way do not differ", () => {
    expect(compare(good, good)).toMatchObject({ first: undefined, total: 0, matched: 5, times: [] });
  });

  it("part where the deepest step ended differently, not where its wrappers did", () => {
    const bad = [
      span("task", undefined, 0, 60, { isError: true }),
      span("Attempt 1", "task", 1, 50, { isError: true }),
      span("load", "Attempt 1", 2, 20),
      span("capture", "Attempt 1", 30, 10, threw("no card", 35)),
      span("no default card", "capture", 31, 0, { level: "WARN" }),
    ];
    const { first, before, only } = compare(bad, good);
    expect(told(first)).toEqual(["outcome", "capture", "capture"]);
    expect(before.map(told)).toEqual([["only", "no default card", undefined]]);
    expect(only.left.map(({ name }) => name)).toEqual(["no default card"]);
    expect(only.right.map(({ name }) => name)).toEqual(["POST"]);
  });

  it("part at a failing step that only one of them took", () => {
    const bad = [
      span("task", undefined, 0, 60, { isError: true }),
      span("Attempt 1", "task", 1, 50, { isError: true }),
      span("fallback", "Attempt 1", 30, 10, threw("x", 35)),
    ];
    expect(told(compare(bad, good).first)).toEqual(["only", "fallback", undefined]);
  });

  it("that fail at the same step for different reasons differ there", () => {
    const failing = (message: string) => [
      good[0] as Span,
      span("Attempt 1", "task", 1, 5, threw(message, 3)),
    ];
    expect(compare(failing("connect ECONNREFUSED"), failing("card declined")).total).toBe(1);
    expect(compare(failing("order 12 is gone"), failing("order 13 is gone")).total).toBe(0);
  });

  it("match attempts by their order, so that a retry is what only one has", () => {
    const retried = [
      ...good.slice(0, 1),
      span("Attempt 1", "task", 1, 9, threw("503", 5)),
      span("Attempt 2", "task", 20, 9),
    ];
    const { first, only } = compare(retried, good);
    expect(told(first)).toEqual(["outcome", "Attempt 1", "Attempt 1"]);
    expect(only.left).toMatchObject([{ name: "Attempt 2", count: 1, sum: 9 }]);
  });

  it("do not take the wait after a failure for something that came before it", () => {
    const bad = [
      ...good.slice(0, 1),
      span("Attempt 1", "task", 1, 9, threw("503", 10)),
      span("warned", "Attempt 1", 10, 0, { level: "WARN" }),
      span("retry wait", "task", 10, 20),
    ];
    expect(compare(bad, good).before.map(told)).toEqual([["only", "warned", undefined]]);
  });

  const calls = (many: number, failing?: number): Span[] => [
    span("task", undefined, 0, 10_000),
    ...Array.from({ length: many }, (_, n) =>
      span(`c${n}`, "task", n * 10, 8, {
        message: `GET /stock/SKU-${String(n).padStart(4, "0")}`,
        ...(n === failing && threw("503", n * 10 + 8)),
      }),
    ),
  ];

  it("compare repeated siblings as groups", () => {
    const { first, times, total } = compare(calls(1_199), calls(40));
    expect(told(first)).toEqual(["count", "1199 × GET /stock/{id}", "40 × GET /stock/{id}"]);
    expect(total).toBe(1);
    expect(times[0]).toMatchObject({ delta: 1_159 * 8 });
  });

  it("find the one member of a group that failed, beside its like", () => {
    const { first } = compare(calls(100, 41), calls(100));
    expect(told(first)).toEqual(["outcome", "GET /stock/SKU-0041", "GET /stock/SKU-0041"]);
  });

  it("tell where the time went without counting it twice", () => {
    const slow = good.map((each) => (each.id === "load" ? { ...each, duration: 70 } : each));
    const { times } = compare(
      slow
        .map((each) =>
          each.id === "capture" || each.id === "POST" ? { ...each, startTime: each.startTime + 50 } : each,
        )
        .map((each) =>
          ["task", "Attempt 1"].includes(each.id) ? { ...each, duration: each.duration + 50 } : each,
        ),
      good,
    );
    expect(times.map(({ step, delta }) => [named(step.left), delta])).toEqual([["load", 50]]);
  });

  it("match single roots whatever they are called", () => {
    const other = good.map((each) => (each.id === "task" ? { ...each, message: "other-task" } : each));
    expect(compare(good, other)).toMatchObject({ total: 0, matched: 5 });
  });

  it("of any table are aligned without loss: every span is in one step or below one that is not opened", () => {
    const sizeOf = (item: Folded | undefined): number =>
      item === undefined ? 0 : "node" in item ? item.node.size : item.group.size;
    fc.assert(
      fc.property(brokenTrace, brokenTrace, (left, right) => {
        const indexes = { left: indexTrace(left), right: indexTrace(right) };
        const steps = align(headsOf(indexes.left), headsOf(indexes.right));
        for (const side of ["left", "right"] as const) {
          let held = 0;
          for (const { parent, sampled, ...step } of steps) {
            const item = step[side];
            if (sampled || !item) continue;
            held += step.left && step.right && "node" in item ? 1 : sizeOf(item);
          }
          expect(held).toBe(indexes[side].nodes.length);
        }
        const first = compareTraces(indexes.left, indexes.right);
        expect(compareTraces(indexes.left, indexes.right)).toEqual(first);
        expect(compareTraces(indexes.left, indexes.left).total).toBe(0);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it.each(["deep", "wide"])("of 20,000 spans, %s ones, are no trouble", (shape) => {
    const table = (failing: number): Span[] =>
      Array.from({ length: 20_000 }, (_, n) =>
        span(
          `s${n}`,
          n === 0 ? undefined : shape === "deep" ? `s${n - 1}` : "s0",
          n,
          shape === "deep" ? 40_000 - 2 * n : 1,
          {
            message: `step ${"abcdefghij"[n % 10]} ${n}`,
            ...(n === failing && threw("late", n + 1)),
          },
        ),
      );
    const { first } = compare(table(19_999), table(-1));
    expect(first?.kind).toBe("outcome");
    expect(named(first?.step.left)).toBe("step j 19999");
  });
});
