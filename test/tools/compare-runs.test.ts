import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run, RunListQuery } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import compareRuns from "../../src/tools/compare-runs.ts";
import { tokens } from "../../src/views/tokens.ts";
import { brokenTrace } from "../insight/traces.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { ask } from "../support/reading.ts";
import { aSpan, failed } from "../support/spans.ts";

const BAD = "run_cm9x2k4p30001ab12cd34ef56";
const GOOD = "run_cm8q2k4p30001ab12cd34ef11";

const bad = aRun({
  id: BAD,
  status: "FAILED",
  version: "20261120.3",
  startedAt: CREATED + 200,
  finishedAt: CREATED + 4_410,
  attemptCount: 1,
  payload: { orderId: 991, customer: { id: "cus_81", cards: [] }, apiKey: "hunter2hunter2" },
  metadata: { step: "capture" },
});
const good = aRun({
  id: GOOD,
  status: "COMPLETED",
  version: "20261119.8",
  createdAt: CREATED - 86_400_000,
  startedAt: CREATED - 86_400_000 + 100,
  finishedAt: CREATED - 86_400_000 + 2_000,
  attemptCount: 1,
  payload: {
    orderId: 980,
    customer: { id: "cus_70", cards: [{ id: "card_1" }] },
    coupon: "SPRING",
    apiKey: "correcthorse",
  },
  output: { ok: true },
  metadata: { step: "capture" },
});

const badSpans = [
  aSpan(1, undefined, "process-order", 0, 4_210, { isError: true }),
  aSpan(2, 1, "Attempt 1", 5, 1_000, { isError: true }),
  aSpan(3, 2, "validate", 6, 14),
  aSpan(4, 2, "capture payment", 30, 870, failed()),
  aSpan(5, 4, "no default card for cus_81", 40, 0, { level: "WARN" }),
  aSpan(6, 1, "retry wait", 1_010, 2_000),
];
const goodSpans = [
  aSpan(11, undefined, "process-order", 0, 1_900),
  aSpan(12, 11, "Attempt 1", 5, 1_800),
  aSpan(13, 12, "validate", 6, 10),
  aSpan(14, 12, "capture payment", 30, 310),
];

interface World {
  runs: Run[];
  spans?: Record<string, Span[]>;
  /** What the listing answers, asked one after another. */
  pages?: Run[][];
}

function world({ runs, spans = {}, pages }: World) {
  const queries: RunListQuery[] = [];
  const api = apiWith({
    runs: {
      retrieve: async (id) => {
        const run = runs.find((each) => each.id === id);
        if (!run) throw new TriggerError("not_found", "Run not found", { status: 404 });
        return run;
      },
      trace: async (id) => {
        const found = spans[id];
        if (!found) throw new TriggerError("not_found", "Trace not found", { status: 404 });
        return { spans: found, truncated: false };
      },
      list: async (query) => {
        queries.push(query);
        return { items: pages?.[queries.length - 1] ?? [] };
      },
    },
  });
  return { api, queries };
}

const both = { runs: [bad, good], spans: { [BAD]: badSpans, [GOOD]: goodSpans } };

describe("compare_runs", () => {
  it("tells where two runs part and everything else that differs", async () => {
    const { text, structured } = await ask(compareRuns, world(both).api, {
      run_id: BAD,
      other_run_id: GOOD,
    });
    expect(text).toMatchInlineSnapshot(`
      "run_cm9x2k4p30001ab12cd34ef56 (FAILED, 20261120.3)  against  run_cm8q2k4p30001ab12cd34ef11 (COMPLETED, 20261119.8) · process-order · dev
      first difference: Attempt 1 › capture payment fails in the first (#78dd TypeError: Cannot read properties of undefined (reading 'id')), succeeds in the second (#a708 310ms)
      before that: WARN no default card for cus_81 is only in the first (#1715)
      payload  orderId  991 → 980
               customer.id  "cus_81" → "cus_70"
               customer.cards  [] → [{"id":"card_1"}]
               apiKey  "[secret 1]" → "[secret 2]"
               coupon  absent → "SPRING"
      run      version 20261120.3 → 20261119.8
      time     total 4.21s vs 1.9s, queued 200ms vs 100ms; +2s retry wait #b54c (only in the first), -1.36s Attempt 1 itself #3c6e, +1.11s process-order itself #9e37, +560ms capture payment #78dd
      only in the first: retry wait #b54c, WARN no default card for cus_81 #1715
      the same: metadata, attempts
      next: get_span {"run_id":"run_cm9x2k4p30001ab12cd34ef56","span_id":"78dde6c400000004"}
            get_span {"run_id":"run_cm8q2k4p30001ab12cd34ef11","span_id":"a708a7ae0000000e"}
            diagnose_run {"run_id":"run_cm9x2k4p30001ab12cd34ef56"}"
    `);
    expect(structured).toMatchObject({
      run_id: BAD,
      other_run_id: GOOD,
      first_difference: { span_id: badSpans[3]?.id, other_span_id: goodSpans[3]?.id },
    });
    expect(structured.chosen_because).toBeUndefined();
  });

  it("takes the last good run of the same version created before it", async () => {
    const same = { ...good, version: "20261120.3" };
    const { api, queries } = world({ ...both, runs: [bad, same], pages: [[same]] });
    const { text, structured } = await ask(compareRuns, api, { run_id: BAD });
    expect(text).toContain("chosen: the last good run of process-order created before it, same version");
    expect(structured.chosen_because).toMatch(/same version/);
    expect(queries).toEqual([
      {
        task: ["process-order"],
        status: ["COMPLETED"],
        version: ["20261120.3"],
        from: CREATED - 30 * 86_400_000,
        to: CREATED,
        limit: 5,
      },
    ]);
  });

  it("else of any version, and says that its own has none", async () => {
    const { api, queries } = world({ ...both, pages: [[], [bad], [good]] });
    const { text } = await ask(compareRuns, api, { run_id: BAD });
    expect(text).toContain(
      "chosen: the last good run of process-order created before it; none of version 20261120.3",
    );
    expect(queries.map(({ version, to }) => [version?.[0], to !== undefined])).toEqual([
      ["20261120.3", true],
      ["20261120.3", false],
      [undefined, true],
    ]);
  });

  it("looks on when a page is empty although there are more", async () => {
    const cursors: (string | undefined)[] = [];
    const { api } = world(both);
    api.runs.list = async ({ after }) => {
      cursors.push(after);
      return after === undefined ? { items: [], next: "more" } : { items: [good] };
    };
    const { structured } = await ask(compareRuns, api, { run_id: BAD });
    expect(structured.other_run_id).toBe(GOOD);
    expect(cursors).toEqual([undefined, "more"]);
  });

  it("without any good run says what it looked at", async () => {
    const { text, structured } = await ask(compareRuns, world(both).api, { run_id: BAD });
    expect(text).toMatch(
      /Nothing to compare it with: no other run of process-order created in the 30 days before it, or since, is COMPLETED/,
    );
    expect(text).toContain("diagnose_run");
    expect(structured).toMatchObject({ run_id: BAD });
    expect(structured.other_run_id).toBeUndefined();
  });

  it("compares what there is when a trace is gone, and says so", async () => {
    const { text } = await ask(compareRuns, world({ ...both, spans: { [BAD]: badSpans } }).api, {
      run_id: BAD,
      other_run_id: GOOD,
    });
    expect(text).toContain(`${GOOD} has no trace`);
    expect(text).toContain("customer.cards");
    expect(text).not.toContain("first difference");
  });

  it("does not take a payload that could not be read for an absent one", async () => {
    const { payload: _, ...rest } = bad;
    const unread = { ...rest, payloadPresignedUrl: "https://bucket.example/k?X-Amz-Signature=abc" };
    const { text, structured } = await ask(compareRuns, world({ ...both, runs: [unread, good] }).api, {
      run_id: BAD,
      other_run_id: GOOD,
    });
    expect(text).toContain("payload  not compared: stored out of line");
    expect(`${text}${JSON.stringify(structured)}`).not.toContain("bucket.example");
  });

  it("refuses to compare a run with itself", async () => {
    await expect(ask(compareRuns, world(both).api, { run_id: BAD, other_run_id: BAD })).rejects.toMatchObject(
      { code: "invalid_request" },
    );
  });

  it("says of equal runs that nothing differs", async () => {
    const twin = { ...bad, id: GOOD };
    const { text, structured } = await ask(
      compareRuns,
      world({ runs: [bad, twin], spans: { [BAD]: badSpans, [GOOD]: badSpans } }).api,
      { run_id: BAD, other_run_id: GOOD },
    );
    expect(text).toContain("first difference: none; the 6 steps of their traces match and end alike");
    expect(text).toContain("the same: payload, metadata, version");
    expect(structured.differences).toBe(0);
  });

  it("keeps the first difference, counts the rest and names the call for it at the smallest budget", async () => {
    const wide = (n: number) => Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`key${at}`, n]));
    const runs = [
      { ...bad, payload: wide(1) },
      { ...good, payload: wide(2) },
    ];
    const { text } = await ask(
      compareRuns,
      world({ ...both, runs }).api,
      { run_id: BAD, other_run_id: GOOD },
      400,
    );
    expect(text).toContain("first difference: Attempt 1 › capture payment fails in the first");
    expect(text).toMatch(/\d+ parts left out: compare_runs \{/);
  });

  it("holds for any two traces and values: within its budget, the same words for the same runs", async () => {
    const run = fc.record({
      payload: fc.jsonValue(),
      output: fc.jsonValue(),
      task: fc.string({ unit: "binary" }),
    });
    await fc.assert(
      fc.asyncProperty(
        brokenTrace,
        brokenTrace,
        run,
        run,
        fc.integer({ min: 200, max: 2_000 }),
        async (left, right, one, other, budget) => {
          const { api } = world({
            runs: [
              { ...bad, ...one },
              { ...good, ...other },
            ],
            spans: { [BAD]: left, [GOOD]: right },
          });
          const args = { run_id: BAD, other_run_id: GOOD };
          const { text } = await ask(compareRuns, api, args, budget);
          expect(tokens(text)).toBeLessThanOrEqual(budget);
          expect((await ask(compareRuns, api, args, budget)).text).toBe(text);
        },
      ),
      { seed: 21, numRuns: 120 },
    );
  });
});
