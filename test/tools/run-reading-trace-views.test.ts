/** get_run_trace as timeline and critical path: what they look like, and that every span is accounted for. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import getRunTrace from "../../src/tools/get-run-trace.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { ask } from "../support/reading.ts";
import { aSpan, failed, RUN_ID, spanId } from "../support/spans.ts";

const ended = (rest: Partial<Run> = {}): Run =>
  aRun({ status: "FAILED", startedAt: CREATED, finishedAt: CREATED + 4_200, ...rest });

const read = (spans: Span[], view: string, { run = ended(), budget = 2_000, ...args }: Asked = {}) =>
  ask(
    getRunTrace,
    apiWith({ runs: { retrieve: async () => run, trace: async () => ({ spans, truncated: false }) } }),
    { run_id: RUN_ID, view, ...args },
    budget,
  );

interface Asked {
  run?: Run;
  budget?: number;
  focus?: string;
}

const order: Span[] = [
  aSpan(1, undefined, "process-order", 0, 4_200, { isError: true }),
  aSpan(2, 1, "Attempt 1", 100, 1_100, failed()),
  aSpan(3, 2, "triggerAndWait()", 110, 1_050),
  aSpan(31, 3, "charge-card", 200, 900, { ...failed(), runId: "run_child" }),
  aSpan(4, 1, "wait 0.5s", 1_200, 500),
  aSpan(5, 1, "Attempt 2", 1_700, 2_500, failed("something else")),
  ...Array.from({ length: 6 }, (_, n) => aSpan(50 + n, 5, `GET /stock/${n}`, 1_800 + n * 300, 250)),
  aSpan(6, 5, "save", 4_000, 0, { isPartial: true }),
];

describe("get_run_trace, view timeline", () => {
  it("draws spans as bars on one scale, waits, child runs and open spans marked", async () => {
    const { text, structured } = await read(order, "timeline");
    expect(text).toMatchInlineSnapshot(`
      "run_cm9x2k4p30001ab12cd34ef56 process-order FAILED 4.2s · dev · 13 spans, 4 errors · 7 shown, 6 folded into them, █ working, ─ waiting
                                                          0        1s        2s       3s        4s
      process-order #9e37                            4.2s ████████████████████████████████████████ ✗
      ├ Attempt 1 #3c6e                              1.1s ████████████ ✗
      │ └ triggerAndWait() #daa6                    1.05s  ───────────
      │   └ charge-card #28b7                       900ms  ██████████ ✗ → run_child
      ├ wait 0.5s #78dd                             500ms            ──────
      └ Attempt 2 #1715                              2.5s                 ████████████████████████ ✗
        ├ GET /stock/{n} ×6 #e6d5                   1.75s                  █████████████████
        └ save #b54c                                  0s…                                       ██ open
      next: get_run_trace {"run_id":"run_cm9x2k4p30001ab12cd34ef56","view":"critical_path"}"
    `);
    expect(structured).toMatchObject({ spans: 13, shown: 7 });
  });

  it("draws a run that goes on up to now", async () => {
    const running = aRun({ startedAt: CREATED });
    const { text } = await read(
      [
        aSpan(1, undefined, "process-order", 0, 0, { isPartial: true }),
        aSpan(2, 1, "load", 0, 120_000),
        aSpan(3, 1, "fetch", 120_000, 0, { isPartial: true }),
      ],
      "timeline",
      { run: running },
    );
    expect(text).toMatch(/load #\S+ +2m █{20}$/m);
    expect(text).toMatch(/fetch #\S+ +2m… {21}█{20} open$/m);
  });

  it("a clock that is far off leaves the others readable", async () => {
    const { text } = await read(
      [
        aSpan(1, undefined, "process-order", 0, 1_000),
        aSpan(2, 1, "early", -3_600_000, 100),
        aSpan(3, 1, "late", 3_600_000, 100, { runId: "run_child" }),
      ],
      "timeline",
    );
    expect(text).toMatch(/early .* «$/m);
    expect(text).toMatch(/late .* » → run_child$/m);
    expect(text).toMatch(/^ +0 +200ms +400ms +600ms +800ms$/m);
  });

  it("bars begin in the same column, however long or deep the names", async () => {
    const deep = Array.from({ length: 14 }, (_, n) =>
      aSpan(n + 1, n === 0 ? undefined : n, `${"level ".repeat(12)}${n}`, n, 4_000),
    );
    const { text } = await read(deep, "timeline");
    const columns = text
      .split("\n")
      .filter((line) => line.includes("█") && line.includes("#"))
      .map((line) => line.indexOf("█"));
    expect(columns.length).toBe(14);
    expect(new Set(columns).size).toBe(1);
  });
});

describe("get_run_trace, view critical_path", () => {
  it("tells what the end depended on, with waits named and shares of the whole", async () => {
    const { text, structured } = await read(order, "critical_path");
    expect(text).toMatchInlineSnapshot(`
      "run_cm9x2k4p30001ab12cd34ef56 process-order FAILED 4.2s · dev · 13 spans, 4 errors · critical path of 4.2s: 13 spans in 8 steps
      at      own     share step
      0ms     100ms     2 % process-order #9e37  (queued, before its first attempt) ✗
      100ms   50ms      1 % Attempt 1 #3c6e  itself ✗
      110ms   150ms     4 % Attempt 1 › triggerAndWait() #daa6  (waiting)
      200ms   900ms    21 % Attempt 1 › triggerAndWait() › charge-card #28b7 → run_child ✗
      1.2s    500ms    12 % wait 0.5s #78dd  (waiting)
      1.7s    800ms    19 % Attempt 2 #1715  itself ✗
      1.8s    1.5s     36 % Attempt 2 › GET /stock/{n} ×6, longest 250ms (#e6d5)
      4s      200ms     5 % Attempt 2 › save #b54c  open
      working 3.45s (82 %) · waiting 650ms (15 %) · queued 100ms (2 %). Every span lies on the path.
      next: get_span {"run_id":"run_cm9x2k4p30001ab12cd34ef56","span_id":"e6d5"}
            get_run_trace {"run_id":"run_cm9x2k4p30001ab12cd34ef56","view":"timeline"}"
    `);
    expect(structured).toMatchObject({ spans: 13 });
  });

  it("can be asked of one span", async () => {
    const { text } = await read(order, "critical_path", { focus: spanId(2) });
    expect(text).toContain("critical path of 1.1s: 3 spans in 3 steps");
  });

  it("says so when there is no time to account for", async () => {
    const { text } = await read([aSpan(1, undefined, "process-order", 0, 0)], "critical_path");
    expect(text).toContain("No time has passed in it");
  });
});

/** A tree of `size` spans with every defect there is, from a seed. */
function wild(size: number, seed: number): Span[] {
  let state = seed >>> 0;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
  return Array.from({ length: size }, (_, n) => {
    const parent =
      next(50) === 0 ? size + n : next(200) === 0 ? Math.min(size, n + 2) : 1 + next(Math.max(1, n));
    const at = next(500) === 0 ? Number.NaN : next(60_000) - (next(100) === 0 ? 10_000_000 : 0);
    return aSpan(
      next(300) === 0 ? 1 : n + 1,
      n === 0 ? undefined : parent,
      `call ${next(7)} ${"xyz"[next(3)]}`,
      at,
      next(9_000),
      {
        isPartial: next(40) === 0,
        ...(next(300) === 0 && failed()),
        ...(next(30) === 0 && { runId: `run_${next(5)}` }),
      },
    );
  });
}

describe("both, on a wild trace of up to 20,000 spans", () => {
  const sizes = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
    { weight: 1, arbitrary: fc.constantFrom(2_000, 20_000) },
  );

  it("every span is shown, folded or counted, within any budget, the same every time", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.integer({ min: 200, max: 4_000 }), async (size, seed, budget) => {
        const spans = wild(size, seed);
        const number = (text: string | undefined) => Number(text?.replaceAll(",", ""));

        const timeline = await read(spans, "timeline", { budget });
        const [, shown, folded] = /· ([\d,]+) shown, ([\d,]+) folded into them/.exec(timeline.text) ?? [];
        if (shown === undefined) expect(timeline.text).toContain("all shown");
        else expect(number(shown) + number(folded)).toBe(size);

        const path = await read(spans, "critical_path", { budget });
        const [, on] = /critical path of \S+: ([\d,]+) spans? in/.exec(path.text) ?? [];
        const [, beside = "0"] = /([\d,]+) spans? beside the path/.exec(path.text) ?? [];
        expect(number(on) + number(beside)).toBe(size);

        expect(await read(spans, "timeline", { budget })).toEqual(timeline);
        expect(await read(spans, "critical_path", { budget })).toEqual(path);
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
