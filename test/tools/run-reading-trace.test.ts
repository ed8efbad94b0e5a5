import { describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import getRunTrace from "../../src/tools/get-run-trace.ts";
import { tokens } from "../../src/views/tokens.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { ask } from "../support/reading.ts";
import { aSpan, failed, RUN_ID, spanId } from "../support/spans.ts";

const finished = (rest: Partial<Run> = {}): Run =>
  aRun({
    status: "COMPLETED",
    task: "sync-inventory",
    startedAt: CREATED,
    finishedAt: CREATED + 41_800,
    ...rest,
  });

const api = (spans: Span[], run = finished(), truncated = false) =>
  apiWith({ runs: { retrieve: async () => run, trace: async () => ({ spans, truncated }) } });

const read = (spans: Span[], args: Record<string, unknown> = {}, budget?: number, run?: Run) =>
  ask(getRunTrace, api(spans, run), { run_id: RUN_ID, ...args }, budget);

const inventory: Span[] = [
  aSpan(1, undefined, "sync-inventory", 0, 41_800),
  aSpan(2, 1, "Attempt 1", 3, 41_800),
  aSpan(3, 2, "load skus", 11, 212, { properties: { rows: 1_200 } }),
  ...Array.from({ length: 1_199 }, (_, n) =>
    aSpan(100 + n, 2, `GET /stock/SKU-0${n}`, 224 + n * 34, n === 77 ? 1_900 : 33),
  ),
  aSpan(4, 2, "write snapshot", 41_500, 290),
];

const order: Span[] = [
  aSpan(1, undefined, "process-order", 0, 4_200, { isError: true }),
  aSpan(2, 1, "Attempt 1", 0, 1_100, failed()),
  aSpan(3, 2, "charge-card", 10, 900, failed()),
  aSpan(31, 3, "Attempt 1", 20, 880, { ...failed(), runId: "run_child" }),
  aSpan(4, 1, "wait 0.5s", 1_100, 500),
  aSpan(5, 1, "Attempt 2", 1_600, 1_100, failed("something else")),
];

describe("get_run_trace, view tree", () => {
  it("folds repeated siblings and says what the run is about", async () => {
    const { text, structured } = await read(inventory);
    expect(text).toMatchInlineSnapshot(`
      "run_cm9x2k4p30001ab12cd34ef56 sync-inventory COMPLETED 41.8s · dev · 1,203 spans, 0 errors · 4 shown, 1,199 folded into them
      at      took    span
      0ms     41.8s   sync-inventory #9e37
      3ms     41.8s   └ Attempt 1 #3c6e
      11ms    212ms     ├ load skus #daa6  rows=1200
      224ms   40.8s     ├ GET /stock/{id} ×1,199 in sequence  p50 33ms p95 33ms max 1.9s (#645b)  sum 41.4s
      41.5s   290ms     └ write snapshot #78dd
      99 % of the run is the 1,199 calls of one kind, one after another.
      next: get_run_trace {"run_id":"run_cm9x2k4p30001ab12cd34ef56","focus":"645b"}"
    `);
    expect(structured).toMatchObject({ spans: 1_203, errors: 0, shown: 4 });
  });

  it("shows errors with their exception and the run a branch belongs to", async () => {
    const { text } = await read(
      order,
      {},
      2_000,
      finished({ status: "FAILED", task: "process-order", finishedAt: CREATED + 4_200 }),
    );
    expect(text).toMatchInlineSnapshot(`
      "run_cm9x2k4p30001ab12cd34ef56 process-order FAILED 4.2s · dev · 6 spans, 5 errors · all shown
      at      took    span
      0ms     4.2s    process-order #9e37 ✗
      0ms     1.1s    ├ Attempt 1 #3c6e ✗
      10ms    900ms   │ └ charge-card #daa6 ✗
      20ms    880ms   │   └ Attempt 1 #28b7 → run_child ✗ TypeError: Cannot read properties of undefined (reading 'id')
      1.1s    500ms   ├ wait 0.5s #78dd
      1.6s    1.1s    └ Attempt 2 #1715 ✗ TypeError: something else
      next: get_run_trace {"run_id":"run_cm9x2k4p30001ab12cd34ef56","view":"errors"}"
    `);
  });

  it("focuses on one span, with what is above it", async () => {
    const { text, structured } = await read(inventory, { focus: spanId(3).slice(0, 4) });
    expect(text).toContain("1 span, 0 errors · all shown");
    expect(text).toContain("in sync-inventory");
    expect(structured.focus).toBe(spanId(3));
  });

  it("an ambiguous prefix is answered with the candidates, an unknown one with where to look", async () => {
    const twins = [
      aSpan(1, undefined, "root", 0, 1),
      { ...aSpan(2, 1, "a", 0, 1), id: "abcd000000000001" },
      { ...aSpan(3, 1, "b", 0, 1), id: "abcd000000000002" },
    ];
    await expect(read(twins, { focus: "abcd" })).rejects.toThrow(
      /"abcd" begins 2 span ids: #abcd000000000001, #abcd000000000002/,
    );
    await expect(read(twins, { focus: "ffff" })).rejects.toMatchObject({ code: "not_found" });
    await expect(read(twins, { focus: "root" })).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("the deepest failing span of 10,000 is in an overview of 2,000 tokens, and all the rest is counted", async () => {
    const many = [
      aSpan(1, undefined, "root", 0, 60_000, { isError: true }),
      ...Array.from({ length: 10_000 }, (_, n) =>
        aSpan(
          n + 2,
          1 + Math.floor(n / 9),
          `${["load", "check", "store", "mail"][n % 4]} ${String.fromCharCode(97 + (n % 26))}`,
          n,
          20_000 - n,
        ),
      ),
    ];
    const culprit = spanId(9_000);
    const spans = many.map((span) =>
      span.id === culprit ? { ...span, ...failed(), message: "the culprit" } : span,
    );
    const { text, structured } = await read(spans);
    expect(tokens(text)).toBeLessThanOrEqual(2_000);
    expect(text).toContain("the culprit");
    const shown = Number(structured.shown);
    expect(text).toContain(
      `10,001 spans, 2 errors · ${shown} shown, ${(10_001 - shown).toLocaleString("en-US")} folded into them`,
    );
    expect(text).toMatch(/focus/);
  });

  it("every prefix it shows can be used to focus", async () => {
    const { text } = await read(inventory);
    const prefixes = [...text.matchAll(/#([0-9a-f]+)/g)].map((match) => match[1]);
    expect(prefixes.length).toBeGreaterThan(3);
    for (const focus of prefixes) expect((await read(inventory, { focus })).structured.focus).toBeDefined();
  });

  it("orphans, cycles and several roots are shown, named and counted", async () => {
    const broken = [
      aSpan(1, undefined, "root", 0, 10),
      aSpan(2, undefined, "second root", 2, 10),
      aSpan(7, 99, "lost", 5, 5),
      aSpan(8, 9, "loop a", 6, 5),
      aSpan(9, 8, "loop b", 7, 5),
    ];
    const { text, structured } = await read(broken);
    expect(text).toMatch(/lost #\w+ \(orphan\)/);
    expect(text).toMatch(/loop a #\w+ \(cycle\)/);
    expect(text).toContain("2 spans could not be hung where the trace says");
    expect(structured).toMatchObject({ spans: 5, shown: 5, unplaced: 2 });
  });

  it("depth is no problem", async () => {
    const deep = Array.from({ length: 20_000 }, (_, n) =>
      aSpan(n + 1, n === 0 ? undefined : n, `level ${n}`, n, 20_000 - n),
    );
    const { text } = await read(deep);
    expect(tokens(text)).toBeLessThanOrEqual(2_000);
    expect(text).toMatch(/\+19,\d\d\d below/);
  });

  it("a cap of the server is no secret", async () => {
    const { text, structured } = await ask(getRunTrace, api(inventory, finished(), true), { run_id: RUN_ID });
    expect(text).toContain("stopped at its cap of 10,000 records");
    expect(structured.truncated).toBe(true);
  });

  it("a run without a trace is not a missing run", async () => {
    const missing = apiWith({
      runs: {
        retrieve: async () => aRun({ status: "QUEUED" }),
        trace: async () => {
          throw new TriggerError("not_found", "Trace not found", { status: 404 });
        },
      },
    });
    const { text } = await ask(getRunTrace, missing, { run_id: RUN_ID });
    expect(text).toContain("It has no spans yet");
  });

  it.each([200, 400, 900])("fits into %i tokens", async (budget) => {
    expect(tokens((await read(inventory, {}, budget)).text)).toBeLessThanOrEqual(budget);
    expect(tokens((await read(order, { view: "errors" }, budget)).text)).toBeLessThanOrEqual(budget);
  });

  it("names that are long, many-lined or hostile stay on their line", async () => {
    const { text } = await read([
      aSpan(1, undefined, "a\n└ fake #dead ✗", 0, 1),
      aSpan(2, 1, `${"x".repeat(5_000)}\u001b[2J`, 0, 1),
    ]);
    expect(text.split("\n")).toHaveLength(4);
    expect(tokens(text)).toBeLessThan(400);
  });
});

describe("get_run_trace, view errors", () => {
  it("tells what failed by itself, where and from which frame, and counts what only passes it on", async () => {
    const { text, structured } = await read(
      order,
      { view: "errors" },
      2_000,
      finished({ status: "FAILED", task: "process-order", finishedAt: CREATED + 4_200 }),
    );
    expect(text).toMatchInlineSnapshot(`
      "run_cm9x2k4p30001ab12cd34ef56 process-order FAILED 4.2s · dev · 6 spans, 5 errors · 2 spans failed by themselves, 3 only pass it on
      ✗ TypeError: Cannot read properties of undefined (reading 'id')
        where  process-order › Attempt 1 › charge-card › Attempt 1 (run_child) #28b7  at 20ms, took 880ms
        frame  src/trigger/charge.ts:42 capturePayment
      ✗ TypeError: something else
        where  process-order › Attempt 2 #1715  at 1.6s, took 1.1s
        frame  src/trigger/charge.ts:42 capturePayment
      next: get_span {"run_id":"run_cm9x2k4p30001ab12cd34ef56","span_id":"28b7"}
            search_run_events {"run_id":"run_cm9x2k4p30001ab12cd34ef56","level":"WARN"}"
    `);
    expect(structured.errors).toBe(5);
  });

  it("counts the same failure in many places once", async () => {
    const spans = [
      aSpan(1, undefined, "root", 0, 100),
      ...Array.from({ length: 500 }, (_, n) => aSpan(n + 2, 1, "call", n, 1, failed())),
    ];
    const { text } = await read(spans, { view: "errors" });
    expect(text).toContain("500 spans failed by themselves, in 1 way");
    expect(text).toContain("×500");
  });

  it("says so when nothing failed", async () => {
    const { text } = await read(inventory, { view: "errors" });
    expect(text).toContain("No span of it is marked as failed.");
  });
});
