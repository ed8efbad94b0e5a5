import { describe, expect, it, vi } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import replayRun from "../../src/tools/replay-run.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { aSpan, failed } from "../support/spans.ts";
import { callTool } from "../support/tools.ts";

const ID = "run_cm9x2k4p30001ab12cd34ef56";
const COPY = "run_cm9x2k4p30002ab12cd34ef57";
const context = { now: () => CREATED + 60_000 };

const error = { name: "TypeError", message: "Cannot read properties of undefined (reading 'id')" };
const original = aRun({
  status: "FAILED",
  startedAt: CREATED,
  finishedAt: CREATED + 4_210,
  attemptCount: 3,
  payload: { orderId: 991, customer: { cards: [] }, coupon: "SPRING" },
  error,
});
const copyOf = (rest: Partial<Run>): Run =>
  aRun({ ...original, id: COPY, startedAt: CREATED + 50_000, finishedAt: CREATED + 51_900, ...rest });
const passed = copyOf({
  status: "COMPLETED",
  attemptCount: 1,
  payload: { orderId: 991, customer: { cards: [{ id: "card_1" }] } },
  output: { paid: true },
});

const spans: Record<string, Span[]> = {
  [ID]: [
    aSpan(1, undefined, "process-order", 0, 900, { isError: true }),
    aSpan(2, 1, "capture", 1, 890, failed()),
  ],
  [COPY]: [aSpan(11, undefined, "process-order", 0, 900), aSpan(12, 11, "capture", 1, 890)],
};

function world(copy: Run, of: Run = original) {
  const replay = vi.fn(async () => ({ id: COPY }));
  const api = apiWith({
    runs: {
      replay,
      retrieve: async (id) => (id === COPY ? copy : of),
      trace: async (id) => ({ spans: spans[id] ?? [], truncated: false }),
    },
  });
  return { api, replay };
}

describe("replay_run with a payload_patch", () => {
  const payload_patch = { customer: { cards: [{ id: "card_1" }] }, coupon: null };

  it("applies it to the original's payload and shows what it changed", async () => {
    const { api, replay } = world(copyOf({ ...passed, status: "QUEUED" }));
    const { text } = await callTool(replayRun, { run_id: ID, payload_patch }, api, { context });
    expect(replay).toHaveBeenCalledWith(
      ID,
      { payload: { orderId: 991, customer: { cards: [{ id: "card_1" }] } } },
      expect.anything(),
    );
    expect(text).toContain('payload  customer.cards  [] → [{"id":"card_1"}]');
    expect(text).toContain('coupon  "SPRING" → absent');
  });

  it("says when it changes nothing", async () => {
    const { api } = world(copyOf({ status: "QUEUED" }));
    const { text } = await callTool(replayRun, { run_id: ID, payload_patch: { orderId: 991 } }, api, {
      context,
    });
    expect(text).toContain("the patch changes nothing");
  });

  it("is refused beside a payload, and on a payload that could not be read, before anything starts", async () => {
    const one = world(passed);
    await expect(
      callTool(replayRun, { run_id: ID, payload_patch, payload: 1 }, one.api),
    ).rejects.toMatchObject({
      code: "invalid_request",
      message: 'Give "payload" or "payload_patch", not both.',
    });
    const { payload: _, ...rest } = original;
    const other = world(passed, {
      ...rest,
      payloadPresignedUrl: "https://bucket.example/k?X-Amz-Signature=a",
    });
    await expect(callTool(replayRun, { run_id: ID, payload_patch }, other.api)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(/could not be read, so it cannot be patched\. Nothing was started/),
    });
    expect(one.replay).not.toHaveBeenCalled();
    expect(other.replay).not.toHaveBeenCalled();
  });

  it("makes a payload of its own where the original had none", async () => {
    const { payload: _, ...rest } = original;
    const { api, replay } = world(copyOf({ payload: { a: 1 } }), rest);
    await callTool(replayRun, { run_id: ID, payload_patch: { a: 1, b: null } }, api, { context });
    expect(replay).toHaveBeenCalledWith(ID, { payload: { a: 1 } }, expect.anything());
  });
});

describe("replay_run with follow", () => {
  it("tells that the copy passes now, and its output", async () => {
    const { api } = world(passed);
    const report = vi.fn();
    const { text, structured } = await callTool(replayRun, { run_id: ID, follow: true }, api, {
      context: { ...context, progress: { wanted: true, report } },
    });
    expect(text).toContain(`replayed ${ID} (FAILED) as ${COPY} · process-order · COMPLETED`);
    expect(text).toContain("passes now: took 1.9s, 1 attempt; the original took 4.21s, 3 attempts");
    expect(text).toContain('output   {"paid":true}');
    expect(structured).toMatchObject({
      run_id: COPY,
      original_run_id: ID,
      status: "COMPLETED",
      state: "done",
    });
    expect(report.mock.calls.flat().join("\n")).toContain(COPY);
  });

  it.each([
    [{ error }, "fails again in the same way"],
    [{ error: { name: "Error", message: "card declined" } }, "fails again, but in another way"],
  ])("tells %j from the first failure: %s", async (rest, verdict) => {
    const { text, structured } = await callTool(
      replayRun,
      { run_id: ID, follow: true },
      world(copyOf(rest)).api,
      { context },
    );
    expect(text).toContain(`${verdict}: took`);
    expect(text).toContain(`error    ${rest.error.name}: `);
    expect(structured.next).toContainEqual({ tool: "diagnose_run", args: { run_id: COPY } });
  });

  it("at the deadline says that it goes on, and how to follow it", async () => {
    const { finishedAt: _, ...running } = copyOf({ status: "EXECUTING" });
    const { text, structured } = await callTool(replayRun, { run_id: ID, follow: true }, world(running).api, {
      context: { ...context, deadline: () => CREATED + 60_000 },
    });
    expect(text).toContain("still EXECUTING after");
    expect(structured).toMatchObject({ state: "running", cursor: expect.any(String) });
    expect(structured.next).toContainEqual({
      tool: "follow_run",
      args: { run_id: COPY, cursor: structured.cursor },
    });
  });

  it("names the copy also when it cannot be watched: it has started", async () => {
    const { api } = world(passed);
    const { retrieve } = api.runs;
    api.runs.retrieve = async (id, options) => {
      if (id === COPY) throw new TriggerError("server_error", "down", { status: 500 });
      return retrieve(id, options);
    };
    const { text, structured } = await callTool(replayRun, { run_id: ID, follow: true }, api, { context });
    expect(text).toContain(`as ${COPY} · state not read (server_error)`);
    expect(structured.run_id).toBe(COPY);
  });
});

describe("replay_run with compare", () => {
  it("follows the copy and holds it against the original", async () => {
    const { api } = world(passed);
    const { text, structured } = await callTool(replayRun, { run_id: ID, compare: true }, api, { context });
    expect(text).toContain(`compared: the copy is the first, the original ${ID} the second`);
    expect(text).toMatch(
      /first difference: capture succeeds in the first \(.*\), fails in the second \(.*TypeError/,
    );
    expect(text).toContain('payload  customer.cards  [{"id":"card_1"}] → []');
    expect(structured).toMatchObject({
      run_id: COPY,
      original_run_id: ID,
      other_run_id: ID,
      first_difference: { span_id: spans[COPY]?.[1]?.id, other_span_id: spans[ID]?.[1]?.id },
    });
  });

  it("is a replay also when the comparison fails", async () => {
    const { api } = world(passed);
    let looks = 0;
    api.runs.trace = async () => {
      looks += 1;
      if (looks > 1) throw new TriggerError("timeout", "too slow");
      return { spans: [], truncated: false };
    };
    const { text, structured } = await callTool(replayRun, { run_id: ID, compare: true }, api, { context });
    expect(text).toContain("not compared with the original (timeout)");
    expect(structured.next).toContainEqual({
      tool: "compare_runs",
      args: { run_id: COPY, other_run_id: ID },
    });
  });
});
