import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProgress, type ProgressOptions, type Tick } from "../../src/bridge/progress.ts";
import { FakeClock } from "../support/clock.ts";

type Sent = Tick & { at: number };

function paced(options: Partial<ProgressOptions> = {}) {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const progress = createProgress({
    send: (tick) => {
      sent.push({ ...tick, at: clock.now() });
    },
    now: clock.now,
    setTimer: clock.setTimer,
    ...options,
  });
  return { clock, sent, progress };
}

const records = (tick: Tick | undefined) => tick?._meta?.["trigger-mcp/records"];

describe("progress", () => {
  it("sends nothing and is not wanted without a token", async () => {
    const progress = createProgress({});
    progress.report("hello");
    await progress.close();
    expect(progress.wanted).toBe(false);
  });

  it("sends the first line at once, then the newest of each interval", async () => {
    const { clock, sent, progress } = paced();
    progress.report("one");
    await clock.advance(0);
    progress.report("two");
    progress.report("three");
    await clock.advance(200);
    expect(sent.map(({ message }) => message)).toEqual(["one", "three"]);
  });

  it("carries the records a tick stands for, in order", async () => {
    const { clock, sent, progress } = paced();
    progress.report("one", [{ seq: 1, kind: "data", chunk: { type: "start" } }]);
    await clock.advance(0);
    progress.report("two", [{ seq: 2, kind: "data" }]);
    progress.report("three", [{ seq: 3, kind: "turn-complete" }]);
    await clock.advance(200);
    expect(sent.map(records)).toEqual([
      [{ seq: 1, kind: "data", chunk: { type: "start" } }],
      [
        { seq: 2, kind: "data" },
        { seq: 3, kind: "turn-complete" },
      ],
    ]);
  });

  it("counts the records that do not fit, leaving no hole before them", async () => {
    const { clock, sent, progress } = paced();
    progress.report("now");
    await clock.advance(0);
    progress.report("big", [
      { seq: 1, kind: "data", chunk: "x".repeat(20_000) },
      { seq: 2, kind: "data", chunk: "x".repeat(20_000) },
      { seq: 3, kind: "data", chunk: "small" },
    ]);
    await clock.advance(200);
    expect(records(sent[1])).toMatchObject([{ seq: 1 }]);
    expect(sent[1]?._meta?.["trigger-mcp/dropped"]).toBe(2);
  });

  it("repeats the last line while silent", async () => {
    const { clock, sent, progress } = paced({ heartbeatMs: 5_000 });
    progress.report("thinking…");
    await clock.advance(11_000);
    expect(sent.map(({ message }) => message)).toEqual([
      "thinking…",
      "thinking… · quiet for 5s",
      "thinking… · quiet for 10s",
    ]);
  });

  it("shows a heartbeat even for a call that never reports", async () => {
    const { clock, sent } = paced({ heartbeatMs: 5_000 });
    await clock.advance(5_000);
    expect(sent).toHaveLength(1);
  });

  it("lets records that wait leave in one last tick, and ends 100 ms after it", async () => {
    const { clock, sent, progress } = paced();
    progress.report("one");
    await clock.advance(10);
    progress.report("two", [{ seq: 2, kind: "data" }]);
    let closed = false;
    void progress.close().then(() => {
      closed = true;
    });
    progress.report("too late", [{ seq: 3, kind: "data" }]);
    await clock.advance(110);
    expect(sent.map(({ message }) => message)).toEqual(["one", "two"]);
    expect(closed).toBe(false);
    await clock.advance(100);
    expect(closed).toBe(true);
    await clock.advance(60_000);
    expect(sent).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });

  it("drops a line without records that has not left when it ends", async () => {
    const { clock, sent, progress } = paced();
    progress.report("one");
    await clock.advance(10);
    progress.report("two");
    void progress.close();
    await clock.advance(1_000);
    expect(sent.map(({ message }) => message)).toEqual(["one"]);
  });

  it("swallows failures of the sender, thrown or rejected", async () => {
    const { clock, progress } = paced({
      send: (tick) => {
        if (tick.progress === 1) throw new Error("gone");
        return Promise.reject(new Error("gone"));
      },
    });
    progress.report("one");
    await clock.advance(200);
    progress.report("two");
    await clock.advance(200);
    const closing = progress.close();
    await clock.advance(100);
    await closing;
  });

  it("sends less to a caller that reads slowly, and never a queue", async () => {
    let release = () => {};
    const sent: string[] = [];
    const { clock, progress } = paced({
      send: (tick) => {
        sent.push(tick.message);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    progress.report("one");
    await clock.advance(1);
    for (let news = 0; news < 50; news += 1) {
      progress.report(`news ${news}`);
      await clock.advance(50);
    }
    expect(sent).toEqual(["one"]);
    release();
    await clock.advance(200);
    expect(sent).toEqual(["one", "news 49"]);
  });

  it("cleans lines and every string of the records", async () => {
    const { clock, sent, progress } = paced({ clean: (text) => text.replaceAll("tr_dev_x", "[secret 1]") });
    progress.report("key tr_dev_x", [{ kind: "data", chunk: { parts: [{ text: "tr_dev_x" }] } }]);
    await clock.advance(0);
    expect(sent[0]?.message).toBe("key [secret 1]");
    expect(records(sent[0])).toEqual([{ kind: "data", chunk: { parts: [{ text: "[secret 1]" }] } }]);
  });

  it("counts a record nested deeper than can be read as dropped", async () => {
    const { clock, sent, progress } = paced();
    let deep: unknown = "bottom";
    for (let level = 0; level < 200_000; level += 1) deep = [deep];
    progress.report("deep", [{ kind: "data", chunk: deep }]);
    await clock.advance(0);
    expect(sent[0]?._meta?.["trigger-mcp/dropped"]).toBe(1);
  });

  it("keeps every promise whatever is reported, however fast", async () => {
    const step = fc.record({
      wait: fc.nat(400),
      message: fc.oneof(fc.string({ unit: "binary", maxLength: 600 }), fc.string({ maxLength: 30 })),
      records: fc.array(fc.record({ kind: fc.constant("data"), chunk: fc.string({ maxLength: 9_000 }) }), {
        maxLength: 6,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, sent, progress } = paced({ heartbeatMs: 700 });
        for (const { wait, message, records } of steps) {
          progress.report(message, records);
          await clock.advance(wait);
        }
        const closing = progress.close();
        await clock.advance(300);
        await closing;
        const ended = clock.now();
        progress.report("late");
        await clock.advance(10_000);
        const reported = steps.reduce((sum, { records }) => sum + records.length, 0);
        let carried = 0;
        for (const [index, tick] of sent.entries()) {
          expect(tick.progress).toBeGreaterThan(sent[index - 1]?.progress ?? 0);
          expect(tick.message.length).toBeLessThanOrEqual(200);
          expect(tick.message).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u);
          expect(tick.at).toBeLessThanOrEqual(ended - 100);
          expect(sent.filter(({ at }) => at >= tick.at && at <= tick.at + 1_000).length).toBeLessThanOrEqual(
            10,
          );
          const list = (records(tick) as unknown[] | undefined) ?? [];
          expect(Buffer.byteLength(JSON.stringify(list))).toBeLessThanOrEqual(32 * 1024);
          carried += list.length + Number(tick._meta?.["trigger-mcp/dropped"] ?? 0);
        }
        expect(carried).toBe(reported);
      }),
      { numRuns: 60 },
    );
  });
});
