import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Span } from "../../src/domain/trace.ts";
import { criticalPath } from "../../src/insight/critical-path.ts";
import { indexTrace } from "../../src/insight/spans.ts";
import { largestOf } from "../../src/insight/timeline.ts";
import { brokenTrace, span, T0 } from "./traces.ts";

function pathOf(spans: Span[], openUntil = T0 + 60_000) {
  const index = indexTrace(spans);
  const head = largestOf([...index.roots, ...index.unplaced.map(({ node }) => node)]);
  if (!head) throw new Error("no spans");
  return criticalPath(head, openUntil);
}

/** `name kind own`, in order of time. */
const told = (spans: Span[]) =>
  pathOf(spans).steps.map(
    ({ nodes, kind, own }) => `${nodes.map((node) => node.span.id).join("+")} ${kind} ${own}`,
  );

const hex = (n: number) => n.toString(16).padStart(16, "0");

describe("the critical path", () => {
  it("goes through what ended last, and leaves the gaps to the parent", () => {
    expect(
      told([span("root", undefined, 0, 100), span("load", "root", 10, 30), span("store", "root", 50, 40)]),
    ).toEqual(["root work 30", "load work 30", "store work 40"]);
  });

  it("of work done in parallel only the slowest counts", () => {
    const spans = [
      span("root", undefined, 0, 100),
      span("fast", "root", 0, 50),
      span("slow", "root", 0, 100),
      span("inside", "slow", 20, 70),
    ];
    expect(told(spans)).toEqual(["slow work 30", "inside work 70"]);
    expect(pathOf(spans).spans).toBe(3);
  });

  it("names waits, the queue before the first attempt and the gap between attempts", () => {
    expect(
      told([
        span("run", undefined, 0, 1_000),
        span("a1", "run", 100, 200, { message: "Attempt 1" }),
        span("w", "run", 350, 500, { message: "wait.for()" }),
        span("a2", "run", 850, 150, { message: "Attempt 2" }),
      ]),
    ).toEqual(["run queue 100", "a1 work 200", "run wait 50", "w wait 500", "a2 work 150"]);
  });

  it("goes into the child run that was waited for, even when its clock is ahead", () => {
    const skewed = told([
      span("run", undefined, 0, 1_000),
      span("t", "run", 100, 900, { message: "triggerAndWait()" }),
      span("child", "t", 2_000, 800, { runId: "run_2" }),
    ]);
    expect(skewed).toEqual(["run work 100", "t wait 900"]);
    const slightly = told([
      span("run", undefined, 0, 1_000),
      span("t", "run", 100, 900, { message: "triggerAndWait()" }),
      span("child", "t", 500, 800, { runId: "run_2" }),
    ]);
    expect(slightly).toEqual(["run work 100", "t wait 400", "child work 500"]);
  });

  it("does not take what went on after its parent for something that was waited for", () => {
    const spans = [
      span("root", undefined, 0, 100),
      span("awaited", "root", 0, 90),
      span("fire and forget", "root", 95, 5_000),
    ];
    expect(told(spans)).toEqual(["awaited work 90", "root work 10"]);
    expect(pathOf(spans).outlasting).toBe(1);
  });

  it("an open span counts up to now", () => {
    const spans = [
      span("root", undefined, 0, 0, { isPartial: true }),
      span("fetch", "root", 1_000, 0, { isPartial: true }),
    ];
    expect(told(spans)).toEqual(["root work 1000", "fetch work 59000"]);
  });

  it("many calls of a kind are one step, in every page alike", () => {
    const pages = Array.from({ length: 5 }, (_, page) => [
      span(hex(page), "root", page * 100, 100, { message: `page ${page}` }),
      span(hex(page + 100), hex(page), page * 100 + 10, 90, { message: `GET /stock/${page}` }),
    ]).flat();
    const { steps } = pathOf([span("root", undefined, 0, 500), ...pages]);
    expect(steps.map(({ nodes, own }) => [nodes.length, own])).toEqual([
      [5, 50],
      [5, 450],
    ]);
  });

  it("holds exactly as much time as the trace, whatever its spans say", () => {
    fc.assert(
      fc.property(fc.array(brokenTrace, { minLength: 1, maxLength: 3 }), (traces) => {
        const spans = traces.flat();
        if (spans.length === 0) return;
        const { from, to, steps, spans: visited } = pathOf(spans);
        const sum = steps.reduce((total, { own }) => total + own, 0);
        expect(Math.abs(sum - (to - from))).toBeLessThanOrEqual(1e-9 * Math.max(1, to) + 1e-3);
        for (const { own, nodes, largest } of steps) {
          expect(own).toBeGreaterThan(0);
          expect(nodes).toContain(largest);
        }
        expect(visited).toBeLessThanOrEqual(spans.length);
        expect(pathOf(spans)).toEqual(pathOf(spans));
      }),
    );
  });

  it("is comfortable with a chain and with a row of 20,000 spans", () => {
    const many = Array.from({ length: 20_000 }, (_, n) => n);
    const chain = many.map((n) => span(hex(n), n === 0 ? undefined : hex(n - 1), n, 40_000 - 2 * n));
    expect(pathOf(chain).spans).toBe(20_000);
    const row = many.map((n) => span(hex(n), n === 0 ? undefined : hex(0), n, n === 0 ? 20_000 : 1));
    expect(pathOf(row).spans).toBe(20_000);
  });
});
