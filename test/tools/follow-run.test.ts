import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import type { ToolContext } from "../../src/tools/define.ts";
import followRun from "../../src/tools/follow-run.ts";
import type { Answer } from "../../src/views/answer.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { o200k } from "../support/o200k.ts";
import { aSpan, failed, RUN_ID, spanId } from "../support/spans.ts";
import { callTool } from "../support/tools.ts";

interface Moment {
  /** Seconds from the beginning. */
  at: number;
  status?: string;
  spans?: Span[];
  throws?: unknown;
}

/** A run whose state depends on the (faked) time, and how often it was asked for. */
function live(moments: Moment[]) {
  const looks: number[] = [];
  const current = () => moments.findLast(({ at }) => Date.now() >= CREATED + at * 1000) ?? { at: 0 };
  const api = apiWith({
    runs: {
      async retrieve(): Promise<Run> {
        looks.push((Date.now() - CREATED) / 1000);
        const { throws, status = "EXECUTING" } = current();
        if (throws !== undefined) throw throws;
        return aRun({ status, startedAt: CREATED });
      },
      async trace() {
        const { spans } = current();
        if (!spans) throw new TriggerError("not_found", "Trace not found", { status: 404 });
        return { spans, truncated: false };
      },
    },
  });
  return { api, looks };
}

type Args = { until?: Record<string, unknown>; timeout_seconds?: number; cursor?: string };

/** Lets the faked time pass until the tool has answered. */
async function follow(
  api: ReturnType<typeof live>["api"],
  args: Args = {},
  context: Partial<ToolContext> = {},
  budget?: number,
): Promise<Answer> {
  const answering = callTool(followRun, { run_id: RUN_ID, ...args }, api, {
    context,
    ...(budget !== undefined && { budget }),
  });
  const settled = answering.then(
    () => true,
    () => true,
  );
  for (let over = false; !over; ) {
    over = await Promise.race([settled, vi.advanceTimersByTimeAsync(100).then(() => false)]);
  }
  return answering;
}

const root = aSpan(1, undefined, "process-order", 0, 0, { isPartial: true });
const load = aSpan(2, 1, "load stock", 100, 300);
const warning = aSpan(3, 1, "no default card", 500, 0, { level: "WARN" });
const capture = aSpan(4, 1, "capture payment", 600, 2_000, failed());

const story: Moment[] = [
  { at: 0, status: "QUEUED" },
  { at: 2, spans: [root, load] },
  { at: 4, spans: [root, load, warning] },
  {
    at: 9,
    spans: [{ ...root, isPartial: false, duration: 8_900, isError: true }, load, warning, capture],
    status: "FAILED",
  },
];

beforeEach(() => {
  vi.useFakeTimers({ now: CREATED });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("follow_run", () => {
  it("tells everything that happens until the end, each thing once", async () => {
    const { text, structured } = await follow(live(story).api);
    expect(text).toMatchInlineSnapshot(`
      "failed after 9.5s · run_cm9x2k4p30001ab12cd34ef56 process-order FAILED · dev
      meanwhile 3 spans ended (2 failed), 1 log, 2 changes of status
      10:00:00.400 span  load stock #3c6e  300ms
      10:00:03.750 QUEUED → EXECUTING
      10:00:00.500 WARN  no default card #daa6
      10:00:02.600 ✗     capture payment #78dd  2s  TypeError: Cannot read properties of undefined (reading 'id')
      10:00:08.900 ✗     process-order #9e37  8.9s
      10:00:09.500 EXECUTING → FAILED
      next: diagnose_run {"run_id":"run_cm9x2k4p30001ab12cd34ef56"}"
    `);
    expect(structured).toMatchObject({ state: "failed", status: "FAILED", happened: 6 });
    expect(structured.next).toEqual([{ tool: "diagnose_run", args: { run_id: RUN_ID } }]);
  });

  it("reports what is new as progress, with records a program can read", async () => {
    const lines: string[] = [];
    const records: unknown[] = [];
    const report = (line: string, more: readonly unknown[] = []) => {
      lines.push(line);
      records.push(...more);
    };
    await follow(live(story).api, {}, { progress: { wanted: true, report } });
    expect(lines[0]).toBe(`${RUN_ID} · following`);
    expect(lines).toContain(`${RUN_ID} · EXECUTING · WARN no default card`);
    expect(lines.at(-1)).toBe(`${RUN_ID} · FAILED · ✗ process-order 8.9s · 2 more`);
    expect(records).toHaveLength(6);
    expect(records).toContainEqual({
      kind: "span",
      chunk: expect.objectContaining({ span_id: spanId(4), is_error: true, duration: 2_000 }),
    });
  });

  it("looks less often while nothing happens, and never without a pause", async () => {
    const { api, looks } = live([{ at: 0, spans: [root] }]);
    const { structured } = await follow(api, { timeout_seconds: 45 });
    expect(structured.state).toBe("running");
    expect(looks.length).toBeLessThanOrEqual(14);
    const pauses = looks.slice(1).map((at, n) => at - (looks[n] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1);
  });

  it("answers at the deadline with the call that goes on, and what went on is told once", async () => {
    const { api } = live(story);
    const first = await follow(api, { timeout_seconds: 6 });
    expect(first.structured).toMatchObject({ state: "running", status: "EXECUTING" });
    expect(first.text).toContain("load stock");
    expect(first.text).toContain("busy with process-order");
    const next = first.structured.next?.[0];
    expect(next).toMatchObject({ tool: "follow_run", args: { run_id: RUN_ID, timeout_seconds: 6 } });
    expect(first.text).toContain(`follow_run ${JSON.stringify(next?.args)}`);

    await vi.advanceTimersByTimeAsync(10_000);
    const second = await follow(api, next?.args);
    expect(second.structured).toMatchObject({ state: "failed", happened: 3, earlier: 2 });
    expect(second.text).toContain("EXECUTING → FAILED");
  });

  it("a span that ended before those told, but was written later, is not lost to the cursor", async () => {
    const { api } = live([
      { at: 0, spans: [root, load] },
      { at: 5, spans: [root, load, warning] },
      { at: 10, spans: [root, aSpan(9, 1, "late", 0, 50), load, warning] },
    ]);
    const first = await follow(api, { timeout_seconds: 8 });
    await vi.advanceTimersByTimeAsync(5_000);
    const second = await follow(api, { timeout_seconds: 3, cursor: String(first.structured.cursor) });
    expect(second.structured).toMatchObject({ happened: 1, earlier: 2 });
    expect(second.text).toContain("late");
  });

  it.each([
    [{ status: "waiting" }, "status WAITING"],
    [{ span: "Capture" }, 'a span named "Capture" ended'],
    [{ log: "default card" }, '"default card" was logged'],
    [{ silence_seconds: 3 }, "nothing happened for 3s"],
  ])("ends when %j", async (until, met) => {
    const { api } = live([
      { at: 0, spans: [root, load] },
      { at: 5, spans: [root, load, warning, capture], status: "WAITING" },
    ]);
    const { structured, text } = await follow(api, { until, timeout_seconds: 30 });
    expect(structured).toMatchObject({ state: "reached", met });
    expect(text).toMatch(/^reached after \S+: /);
    expect(structured.next?.[0]?.args).not.toHaveProperty("until");
  });

  it("what is waited for and is already there is not waited for", async () => {
    const { api, looks } = live([{ at: 0, spans: [root, load, warning] }]);
    const { structured, text } = await follow(api, { until: { log: "default card" } });
    expect(structured).toMatchObject({ state: "reached", happened: 0, earlier: 2 });
    expect(text).toContain("no default card");
    expect(looks).toHaveLength(1);
  });

  it("a run that has ended is told at once", async () => {
    const { api, looks } = live([{ at: 0, status: "COMPLETED", spans: [load] }]);
    expect((await follow(api)).structured).toMatchObject({ state: "done", status: "COMPLETED" });
    expect(looks).toHaveLength(1);
  });

  it.each([
    ["CANCELED", "cancelled"],
    ["EXPIRED", "expired"],
    ["TIMED_OUT", "failed"],
  ])("%s is %s", async (status, state) => {
    expect((await follow(live([{ at: 0, status }]).api)).structured).toMatchObject({ state });
  });

  it("waits a little for spans that are still open when their run has ended, and no longer", async () => {
    const { api } = live([
      { at: 0, status: "FAILED", spans: [root, load] },
      { at: 1, status: "FAILED", spans: [{ ...root, isPartial: false, duration: 900 }, load] },
    ]);
    expect((await follow(api)).structured).toMatchObject({ state: "failed", happened: 1 });
    const stuck = live([{ at: 0, status: "CRASHED", spans: [root] }]);
    expect((await follow(stuck.api)).structured).toMatchObject({ state: "failed" });
    expect(stuck.looks).toHaveLength(3);
  });

  it("a failure that may pass is sat out, one that cannot is the answer", async () => {
    const unreachable = new TriggerError("unreachable", "connection refused", { retryable: true });
    const through = live([
      { at: 0, spans: [root] },
      { at: 2, throws: unreachable },
      { at: 6, status: "COMPLETED" },
    ]);
    expect((await follow(through.api)).structured).toMatchObject({ state: "done" });
    const forbidden = new TriggerError("forbidden", "no", { status: 403 });
    await expect(follow(live([{ at: 0 }, { at: 2, throws: forbidden }]).api)).rejects.toBe(forbidden);
    await expect(follow(live([{ at: 0, throws: unreachable }]).api)).rejects.toBe(unreachable);
  });

  it("stops looking at once when the caller goes away", async () => {
    const caller = new AbortController();
    const { api, looks } = live([{ at: 0, spans: [root] }]);
    const answer = follow(api, {}, { signal: caller.signal });
    await vi.advanceTimersByTimeAsync(500);
    caller.abort();
    await answer;
    expect(looks).toHaveLength(1);
  });

  it("refuses a status there is none of, and a cursor of something else", async () => {
    const { api } = live(story);
    await expect(follow(api, { until: { status: "COMPLETE" } })).rejects.toThrow(/did you mean "COMPLETED"/);
    await expect(follow(api, { cursor: "112" })).rejects.toThrow(/"cursor" takes what an earlier follow_run/);
  });

  it("folds what repeats, and keeps failures within any budget", async () => {
    const many = Array.from({ length: 1_200 }, (_, n) => aSpan(10 + n, 1, `GET /stock/${n}`, n, 1));
    const { api } = live([
      { at: 0, spans: [root] },
      { at: 1, spans: [root, ...many, capture] },
    ]);
    const { text } = await follow(api, { timeout_seconds: 4 }, {}, 400);
    expect(o200k(text)).toBeLessThanOrEqual(400);
    expect(text).toContain("✗     capture payment");
    expect(text).toContain("GET /stock/{n} ×1,200");
  });
});
