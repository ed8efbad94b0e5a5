import { describe, expect, it, vi } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Span, SpanDetail } from "../../src/domain/trace.ts";
import getSpan from "../../src/tools/get-span.ts";
import { tokens } from "../../src/views/tokens.ts";
import { apiWith } from "../support/api.ts";
import { ask } from "../support/reading.ts";
import { aSpan, failed, RUN_ID, spanId } from "../support/spans.ts";

const spans: Span[] = [
  aSpan(1, undefined, "process-order", 0, 4_200, { isError: true }),
  aSpan(2, 1, "Attempt 1", 0, 1_100, { isError: true }),
  aSpan(3, 2, "load order", 5, 30),
  aSpan(4, 2, "capture payment", 40, 900, failed()),
  aSpan(5, 4, "POST /charges", 50, 700),
  aSpan(6, 2, "log", 1_000, 1),
];

const detail = (n: number, rest: Partial<SpanDetail> = {}): SpanDetail => {
  const { attempt: _, task: __, ...span } = spans[n - 1] as Span;
  return { ...span, triggeredRuns: [], ...rest };
};

const withDetail = (answer: SpanDetail) =>
  apiWith({ runs: { trace: async () => ({ spans, truncated: false }), span: async () => answer } });

describe("get_span", () => {
  it("tells the span, its place, its exception, what it used and what it started", async () => {
    const answer = detail(4, {
      properties: { http: { status: 500 }, attempt: 0 },
      ai: {
        model: "m-1",
        provider: "p",
        operationName: "chat",
        inputTokens: 1_010,
        outputTokens: 5,
        totalCost: 0.0021,
      },
      triggeredRuns: [
        { runId: "run_ok", task: "mail", status: "COMPLETED_SUCCESSFULLY", createdAt: 0 },
        { runId: "run_bad", task: "charge", status: "COMPLETED_WITH_ERRORS", createdAt: 0 },
      ],
    });
    const { text, structured } = await ask(getSpan, withDetail(answer), {
      run_id: RUN_ID,
      span_id: `#${spanId(4).slice(0, 5)}`,
    });
    expect(text).toMatchInlineSnapshot(`
      "capture payment #78dde6c400000004 · ✗ failed · 900ms (200ms its own) · at 40ms, 2026-08-20 10:00:00Z · run_cm9x2k4p30001ab12cd34ef56 · dev
      above   process-order #9e37 ✗ › Attempt 1 #3c6e ✗
      beside  2 of 3 · before it load order #daa6 30ms · after it log #b54c 1ms
      below   1 span, 0 errors: POST /charges #1715 700ms
      ✗ TypeError: Cannot read properties of undefined (reading 'id')
          at src/trigger/charge.ts:42 capturePayment
          … 1 library frame
      ai      chat m-1 p · 1,010 tokens in · 5 out · cost 0.0021
      triggered 2 runs
        run_bad charge FAILED
        run_ok mail COMPLETED
      attributes {"http":{"status":500},"attempt":0}
      next: get_run {"run_id":"run_bad"}
            get_run_trace {"run_id":"run_cm9x2k4p30001ab12cd34ef56","focus":"78dde6c400000004"}
            search_run_events {"run_id":"run_cm9x2k4p30001ab12cd34ef56","level":"WARN"}"
    `);
    expect(structured).toMatchObject({
      span_id: spanId(4),
      parent_id: spanId(2),
      triggered: [
        { run_id: "run_ok", status: "COMPLETED" },
        { run_id: "run_bad", status: "FAILED" },
      ],
    });
  });

  it("a whole id is asked for without waiting for the trace, which may be missing", async () => {
    const span = vi.fn(async () => detail(4));
    const trace = async () => {
      throw new TriggerError("not_found", "Trace not found", { status: 404 });
    };
    const { text } = await ask(getSpan, apiWith({ runs: { span, trace } }), {
      run_id: RUN_ID,
      span_id: spanId(4),
    });
    expect(text).toContain("capture payment");
    expect(span).toHaveBeenCalledTimes(1);
  });

  it("a span of a child run belongs to the child", async () => {
    const trace = async () => ({
      spans: spans.map((each) => (each.id === spanId(5) ? { ...each, runId: "run_child" } : each)),
      truncated: false,
    });
    const { structured } = await ask(getSpan, apiWith({ runs: { trace, span: async () => detail(5) } }), {
      run_id: RUN_ID,
      span_id: spanId(5),
    });
    expect(structured.run_id).toBe("run_child");
  });

  it("an unknown prefix says where to look", async () => {
    await expect(
      ask(getSpan, withDetail(detail(4)), { run_id: RUN_ID, span_id: "0000" }),
    ).rejects.toMatchObject({
      code: "not_found",
      hint: expect.stringContaining("get_run_trace"),
    });
  });

  it.each([200, 600])("fits into %i tokens with attributes of any size", async (budget) => {
    const answer = detail(4, {
      properties: { blob: "x".repeat(100_000), list: Array.from({ length: 999 }, (_, n) => n) },
    });
    const { text } = await ask(getSpan, withDetail(answer), { run_id: RUN_ID, span_id: spanId(4) }, budget);
    expect(tokens(text)).toBeLessThanOrEqual(budget);
    expect(text).toContain("max_tokens");
  });
});
