/** get_run_trace over tables nobody would draw: it never throws, never loops, never costs more than it may. */
import fc from "fast-check";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import type { Span } from "../../src/domain/trace.ts";
import getRunTrace from "../../src/tools/get-run-trace.ts";
import { render } from "../../src/views/document.ts";
import { apiWith, aRun } from "../support/api.ts";
import { callTool } from "../support/tools.ts";
import { brokenTrace, span } from "./traces.ts";

const apiOf = (spans: Span[]) =>
  apiWith({
    runs: {
      trace: async () => ({ spans, truncated: false }),
      retrieve: async () => aRun({ status: "FAILED" }),
    },
  });

const views = fc.constantFrom(
  "tree" as const,
  "errors" as const,
  "critical_path" as const,
  "timeline" as const,
);
const budgets = fc.integer({ min: 200, max: 3_000 });

describe("get_run_trace on a broken trace", () => {
  it("answers within its budget, the same every time", async () => {
    await fc.assert(
      fc.asyncProperty(brokenTrace, views, budgets, async (spans, view, budget) => {
        const ask = () =>
          callTool(getRunTrace, { run_id: "run_1", view }, apiOf(spans), {
            budget,
            context: { now: () => 0 },
          });
        const answer = await ask();
        expect(encode(answer.text).length).toBeLessThanOrEqual(budget);
        expect(await ask()).toEqual(answer);
      }),
    );
  });

  it("finds every span it was given when asked to focus on it", async () => {
    await fc.assert(
      fc.asyncProperty(brokenTrace, async (spans) => {
        for (const { id } of spans.slice(0, 3)) {
          const { text } = await callTool(getRunTrace, { run_id: "run_1", focus: id }, apiOf(spans));
          expect(text.length).toBeGreaterThan(0);
        }
      }),
    );
  });

  it("is comfortable with a chain and with a row of 20,000 spans", async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => n);
    const hex = (n: number) => n.toString(16).padStart(16, "0");
    const chain = many.map((n) => span(hex(n), n === 0 ? undefined : hex(n - 1), n, 1));
    const row = many.map((n) =>
      span(hex(n), n === 0 ? undefined : hex(0), n, 1, { message: `call ${n}`, isError: n === 777 }),
    );
    for (const spans of [chain, row]) {
      const { text } = await callTool(getRunTrace, { run_id: "run_1" }, apiOf(spans), { budget: 1_000 });
      expect(encode(text).length).toBeLessThanOrEqual(1_000);
      expect(text).toContain("20,000");
    }
  });
});

describe("render", () => {
  const row = fc.record({
    text: fc.string({ unit: "grapheme", maxLength: 200 }),
    rank: fc.integer({ min: 0, max: 3 }),
  });
  const block = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.constant(undefined),
    fc.array(row, { maxLength: 60 }).map((rows) => ({
      rows,
      omitted: (shown: number, total: number) => `shown ${shown} of ${total}`,
    })),
  );

  it("never costs more than its budget, and counts what it left out", () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 5 }), budgets, (blocks, budget) => {
        const { text, shown, total } = render(blocks, budget);
        expect(encode(text).length).toBeLessThanOrEqual(budget);
        expect(shown).toBeLessThanOrEqual(total);
      }),
    );
  });
});
