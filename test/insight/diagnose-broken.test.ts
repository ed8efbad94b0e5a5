import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../src/insight/diagnose.ts";
import type { Facts } from "../../src/insight/diagnosis.ts";
import { indexTrace } from "../../src/insight/spans.ts";
import { viewDiagnosis } from "../../src/views/diagnosis.ts";
import { aRun } from "../support/api.ts";
import { o200k } from "../support/o200k.ts";
import { aView } from "../support/view.ts";
import { brokenTrace, span, T0 } from "./traces.ts";

const facts = (status: string, spans: Parameters<typeof indexTrace>[0]): Facts => ({
  now: T0 + 60_000,
  chain: [
    {
      run: aRun({ id: "run_1", status, startedAt: T0, finishedAt: T0 + 30_000 }),
      index: indexTrace(spans),
      truncated: false,
    },
  ],
  ancestors: [],
  unread: [],
});

const statuses = fc.constantFrom(
  "FAILED",
  "CRASHED",
  "TIMED_OUT",
  "COMPLETED",
  "CANCELED",
  "EXECUTING",
  "ODD",
);

describe("whatever the trace is like", () => {
  it("a diagnosis is made of spans that exist, says the same twice and keeps its budget", () => {
    fc.assert(
      fc.property(statuses, brokenTrace, fc.integer({ min: 200, max: 3_000 }), (status, spans, budget) => {
        const once = viewDiagnosis(diagnose(facts(status, spans)), aView({ budget }));
        const again = viewDiagnosis(diagnose(facts(status, spans)), aView({ budget }));
        expect(again).toEqual(once);
        expect(o200k(once.text)).toBeLessThanOrEqual(Math.min(budget, 1_500));
        const { culprit } = once.structured as { culprit: { span_id?: string } };
        if (culprit.span_id !== undefined) expect(spans.map(({ id }) => id)).toContain(culprit.span_id);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    "FAILED",
    "COMPLETED",
    "EXECUTING",
    "TIMED_OUT",
  ])("20,000 failed siblings of a %s run, or 20,000 in a chain, are judged without looking at each pair", (status) => {
    const exception = {
      type: "Error",
      message: "boom",
      stacktrace: `Error: boom\n${"    at f (x.ts:1:1)\n".repeat(50)}`,
    };
    const events = [{ name: "exception", time: T0 + 5, properties: { exception } }];
    const failed = { isError: true, events };
    const wide = Array.from({ length: 20_000 }, (_, n) =>
      span(`s${n}`, n === 0 ? undefined : "s0", n, 1, failed),
    );
    const deep = Array.from({ length: 20_000 }, (_, n) =>
      span(`s${n}`, n === 0 ? undefined : `s${n - 1}`, n, 1, failed),
    );
    expect(diagnose(facts(status, wide)).verdict.class).toBeTypeOf("string");
    expect(diagnose(facts(status, deep)).verdict.class).toBeTypeOf("string");
  }, 20_000);
});
