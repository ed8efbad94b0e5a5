import { describe, expect, it } from "vitest";
import type { ProgressRecord } from "../../src/bridge/progress.ts";
import { type WatchRequest, watch } from "../../src/bridge/turn.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import type { ChannelItem } from "../../src/domain/record.ts";
import { answer, control, data, records, stream, tokenFor, turnComplete } from "../support/channel.ts";

async function watched(items: ChannelItem[], request: Partial<WatchRequest> = {}) {
  const lines: string[] = [];
  const carried: ProgressRecord[] = [];
  const result = await watch(stream(items), {
    until: "turn",
    name: "chat-81",
    progress: {
      wanted: true,
      report: (line, records = []) => {
        lines.push(typeof line === "string" ? line : line());
        carried.push(...records);
      },
    },
    ...request,
  });
  return { ...result, lines, carried, last: result.turns.at(-1) };
}

const error = { type: "error", errorText: "model is down" };

describe("waiting for the turn that answers", () => {
  it("ends with the turn-complete that has consumed the input", async () => {
    const result = await watched(
      [
        ...records(10, answer("Hello there")),
        turnComplete(20, 7, { token: tokenFor("run_x") }),
        data(21, {}),
      ],
      { seq: 7, turn: 4 },
    );
    expect(result).toMatchObject({ state: "done", cursor: 20 });
    expect(result.last).toMatchObject({
      number: 4,
      state: "done",
      text: "Hello there",
      messageId: "a1",
      runId: "run_x",
      inputSeq: 7,
    });
  });

  it("passes over earlier turns and discards what they said", async () => {
    const result = await watched(
      [
        ...records(10, answer("old", "a1")),
        turnComplete(20, 6),
        ...records(21, answer("new", "a2")),
        turnComplete(30, 8),
      ],
      { seq: 7, turn: 3 },
    );
    expect(result.turns).toHaveLength(1);
    expect(result.last).toMatchObject({ number: 4, text: "new", messageId: "a2" });
  });

  it("takes a turn-complete that does not say what it consumed", async () => {
    const result = await watched([...records(0, answer("hi")), turnComplete(9)], { seq: 7 });
    expect(result.state).toBe("done");
  });

  it("knows the turn of the payload's first message, which says nothing of what it consumed", async () => {
    const items = [
      ...records(0, answer("welcome", "a1")),
      turnComplete(9),
      ...records(10, answer("ours", "a2")),
      turnComplete(19, 0),
    ];
    const result = await watched(items, { seq: 0, payloadTurnAhead: true });
    expect(result.last).toMatchObject({ text: "ours", messageId: "a2" });
    const oldAgent = await watched([...items.slice(0, -1), turnComplete(19)], {
      seq: 0,
      payloadTurnAhead: true,
    });
    expect(oldAgent.last).toMatchObject({ text: "ours" });
  });

  it("takes the first turn-complete when the input has no number", async () => {
    const result = await watched([...records(0, answer("hi")), turnComplete(9, 3), turnComplete(10, 4)]);
    expect(result).toMatchObject({ state: "done", cursor: 9 });
  });

  it("is empty when the turn brought nothing", async () => {
    const result = await watched([data(1, { type: "start-step" }), turnComplete(2, 7)], { seq: 7 });
    expect(result.state).toBe("empty");
  });

  it("fails on an error chunk and on a finish for error, keeping what was said", async () => {
    const failed = await watched([...records(0, [...answer("half"), error]), turnComplete(20)]);
    expect(failed.state).toBe("failed");
    expect(failed.last).toMatchObject({ text: "half", errors: ["model is down"] });
    const finished = await watched([data(0, { type: "finish", finishReason: "error" }), turnComplete(1)]);
    expect(finished.state).toBe("failed");
  });

  it("is stopped by an abort, and by a stop that only breaks the turn off", async () => {
    const half = { type: "text-delta", id: "t", delta: "half" };
    const aborted = await watched([data(0, half), data(1, { type: "abort" }), turnComplete(2, 7)]);
    expect(aborted).toMatchObject({ state: "stopped", turns: [{ text: "half" }] });
    const broken = await watched([data(0, half), turnComplete(2, 7)], { stopping: true });
    expect(broken.state).toBe("stopped");
    const finished = await watched([...records(0, answer("all")), turnComplete(9, 7)], { stopping: true });
    expect(finished.state).toBe("done");
  });

  it("awaits approval when a tool of this turn asks for it", async () => {
    const result = await watched([
      data(0, { type: "tool-input-available", toolCallId: "c1", toolName: "refund", input: { id: 1 } }),
      data(1, { type: "tool-approval-request", toolCallId: "c1", approvalId: "ap1" }),
      turnComplete(2, 7),
    ]);
    expect(result.state).toBe("awaiting_approval");
    expect(result.last?.tools).toMatchObject([{ name: "refund", approvalId: "ap1" }]);
  });

  it("is closed by the control record and by the header of a last turn", async () => {
    const byRecord = await watched([control(0, "session-closed", { "session-closed-reason": "done here" })]);
    expect(byRecord).toMatchObject({ state: "closed", closedReason: "done here" });
    const byHeader = await watched([
      ...records(0, answer("bye")),
      turnComplete(9, 7, { headers: { "session-closed": "true" } }),
    ]);
    expect(byHeader).toMatchObject({ state: "closed", turns: [{ state: "done", text: "bye" }] });
  });

  it("is closed when everything is read and the session is over", async () => {
    const result = await watched([data(0, answer("x")[0]), { kind: "caught-up", seq: 1 }], {
      isOver: async () => true,
    });
    expect(result.state).toBe("closed");
  });

  it("is running, with what came so far, when the items end first", async () => {
    const result = await watched(records(10, answer("so far").slice(0, 4)), { seq: 7, turn: 2 });
    expect(result).toMatchObject({ state: "running", cursor: 13 });
    expect(result.last).toMatchObject({ number: 2, state: "running", text: "so " });
  });

  it("goes on from a cursor in mid-turn without losing or repeating a word", async () => {
    const all: ChannelItem[] = [...records(0, answer("one two three four")), turnComplete(12, 7)];
    for (let cut = 0; cut < all.length; cut += 1) {
      const before = await watched(all.slice(0, cut), { seq: 7 });
      const after = await watched(
        all.filter((item) => "seq" in item && (item.seq ?? 0) > (before.cursor ?? -1)),
        { seq: 7 },
      );
      expect((before.last?.text ?? "") + (after.last?.text ?? "")).toBe("one two three four");
      expect(after.cursor).toBe(12);
    }
  });

  it("counts a record that comes twice once", async () => {
    const items = records(0, answer("once"));
    const result = await watched([...items, ...items, turnComplete(9)]);
    expect(result.last?.text).toBe("once");
    expect(result.records).toBe(items.length + 1);
  });

  it("reports a trimmed gap and does not call what it hides empty", async () => {
    const result = await watched([{ kind: "gap", from: 5, to: 9 }, turnComplete(10, 7)], { seq: 7 });
    expect(result).toMatchObject({
      state: "done",
      gaps: [{ from: 5, to: 9 }],
      turns: [{ incomplete: true }],
    });
  });

  it("moves the cursor over records it cannot read", async () => {
    const result = await watched([{ kind: "skipped", seq: 4, reason: "command" }]);
    expect(result).toMatchObject({ state: "running", cursor: 4, records: 0 });
  });

  it("leaves the stream at the end of the turn, closing it", async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<ChannelItem> {
      try {
        yield turnComplete(0, 7);
        await new Promise(() => {});
      } finally {
        closed = true;
      }
    }
    await watch(endless(), { until: "turn", name: "x", progress: { wanted: false, report() {} } });
    expect(closed).toBe(true);
  });
});

describe("a stream that fails for good", () => {
  async function* failing(items: ChannelItem[]): AsyncGenerator<ChannelItem> {
    yield* items;
    throw new TriggerError("unreachable", "gone");
  }
  const quiet = { until: "turn", name: "x", progress: { wanted: false, report() {} } } as const;

  it("is an error while nothing has come and nothing was sent", async () => {
    await expect(watch(failing([]), quiet)).rejects.toThrow("gone");
  });

  it("does not take away what has come, nor that something was sent", async () => {
    const begun = await watch(failing(records(0, answer("so far").slice(0, 4))), quiet);
    expect(begun).toMatchObject({ state: "running", cursor: 3, broken: { code: "unreachable" } });
    const sent = await watch(failing([]), { ...quiet, committed: true });
    expect(sent).toMatchObject({ state: "running", broken: { code: "unreachable" } });
  });
});

describe("other conditions", () => {
  it("follows turn after turn until the session closes", async () => {
    const result = await watched(
      [
        ...records(0, answer("one", "a1")),
        turnComplete(9, 1),
        ...records(10, answer("two", "a2")),
        control(20, "session-closed"),
      ],
      { until: "closed", turn: 1 },
    );
    expect(result.state).toBe("closed");
    expect(result.turns.map(({ number, text }) => [number, text])).toEqual([
      [1, "one"],
      [2, "two"],
    ]);
  });

  it("ends after a count of records, command records not counted", async () => {
    const result = await watched(
      [
        data(0, { n: 1 }),
        { kind: "skipped", seq: 1, reason: "command" },
        data(2, { n: 2 }),
        data(3, { n: 3 }),
      ],
      { until: { count: 2 } },
    );
    expect(result).toMatchObject({ records: 2, cursor: 2, otherCount: 2 });
    expect(result.others).toMatchObject([{ data: { n: 1 } }, { data: { n: 2 } }]);
  });

  it("keeps the newest of many records that are no chat", async () => {
    const result = await watched(Array.from({ length: 500 }, (_, n) => data(n, { n })));
    expect(result.otherCount).toBe(500);
    expect(result.others.length).toBeLessThan(50);
    expect(result.others.at(-1)).toMatchObject({ data: { n: 499 } });
  });

  it("tells of a task that waits for a deployment", async () => {
    const result = await watched([control(0, "pending-version")]);
    expect(result).toMatchObject({ state: "running", pendingVersion: true });
    expect(result.lines).toEqual(["chat-81 · waiting for a deployment"]);
  });
});

describe("what progress shows", () => {
  it("tells what the agent is doing, newest text last", async () => {
    const { lines } = await watched(
      [
        ...records(0, [
          { type: "start", messageId: "a1" },
          { type: "reasoning-delta", id: "r", delta: "…" },
          { type: "tool-input-start", toolCallId: "c1", toolName: "lookupOrder" },
          { type: "tool-input-available", toolCallId: "c1", toolName: "lookupOrder", input: { id: 4821 } },
          { type: "tool-output-available", toolCallId: "c1", output: {} },
          { type: "text-delta", id: "t", delta: "It shipped" },
          { type: "text-delta", id: "t", delta: " on 15 March and" },
        ]),
        turnComplete(9, 7),
      ],
      { seq: 7, turn: 4 },
    );
    expect(lines).toEqual([
      "turn 4 · thinking…",
      "turn 4 · thinking…",
      "turn 4 · lookupOrder",
      'turn 4 · lookupOrder {"id":4821}',
      "turn 4 · lookupOrder → ok",
      'turn 4 · "It shipped"',
      'turn 4 · "It shipped on 15 March and"',
      'turn 4 · "It shipped on 15 March and"',
    ]);
  });

  it("shows the end of long text", async () => {
    const long = Array.from({ length: 200 }, (_, n) => `word${n}`).join(" ");
    const { lines } = await watched(records(0, answer(long)), { turn: 1 });
    expect(lines.at(-1)).toMatch(/^turn 1 · ".*word198 word199"$/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(2_100);
  });

  it("carries every record, and never a token", async () => {
    const token = tokenFor("run_x");
    const { carried } = await watched([...records(0, answer("hi")), turnComplete(9, 7, { token })], {
      seq: 7,
    });
    expect(carried.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 9]);
    expect(carried.at(-1)).toEqual({
      seq: 9,
      kind: "turn-complete",
      chunk: { "session-in-event-id": "7" },
    });
    expect(JSON.stringify(carried)).not.toContain(token);
  });

  it("makes no lines for a caller that shows none", async () => {
    let reports = 0;
    const progress = { wanted: false, report: () => (reports += 1) };
    await watched([...records(0, answer("hi")), turnComplete(9)], { progress });
    expect(reports).toBe(0);
  });
});
