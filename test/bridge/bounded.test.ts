/** What following a session holds, whatever its producer does: design section 5, point 5. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProgress } from "../../src/bridge/progress.ts";
import { watch } from "../../src/bridge/turn.ts";
import type { ChannelItem } from "../../src/domain/record.ts";
import { createCleaner } from "../../src/views/clean.ts";
import { viewFollowed } from "../../src/views/turn.ts";
import { unfinished } from "../../src/views/unfinished.ts";
import { type Bench, bench } from "../client/support.ts";
import { control, data, turnComplete } from "../support/channel.ts";
import { aView } from "../support/view.ts";

const MB = 1_000_000;
const DELTA = 1_000;

/** A string of its own each time, as parsing makes them. */
const text = (length: number): string => Buffer.alloc(length, "x").toString("latin1");

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const heapUsed = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** A follow as tools do it, its progress sent to nobody; `grown`: bytes of heap more than before, when all has come. */
async function followed(items: () => Iterable<ChannelItem>, until: "turn" | "closed" = "turn") {
  const progress = createProgress({ send: () => {} });
  let grown = 0;
  async function* measured() {
    const before = heapUsed();
    const end: ChannelItem[] = [];
    for (const item of items()) {
      if (item.kind === "control" && item.control !== "turn-complete") end.push(item);
      else if (item.kind === "control" && until === "turn") end.push(item);
      else yield item;
    }
    grown = heapUsed() - before;
    yield* end;
  }
  const watched = await watch(measured(), { until, name: "chat-81", progress });
  await progress.close();
  return { ...watched, grown, last: watched.turns.at(-1) };
}

describe("a follow holds a bounded part", () => {
  it("of 50 MB of text, counts the rest and says where to read it", async () => {
    const result = await followed(function* () {
      yield data(0, { type: "text-start", id: "t" });
      for (let seq = 1; seq <= 50_000; seq += 1)
        yield data(seq, { type: "text-delta", id: "t", delta: text(DELTA) });
      yield turnComplete(50_001);
    });
    expect(result.grown).toBeLessThan(8 * MB);
    const deltas = (result.last?.text.length ?? 0) / DELTA;
    expect(deltas).toBeGreaterThan(1_500);
    expect(deltas).toBeLessThanOrEqual(2_000);
    expect(result).toMatchObject({ state: "done", records: 50_002, cursor: 50_001 });
    expect(result.last?.omitted).toEqual({ records: 50_000 - deltas, after: deltas });

    const answer = viewFollowed(
      { ...result, session: "chat-81", took: 1, idle: false, refilled: false },
      aView(),
    );
    expect(answer.text).toContain(
      `read_session_channel {"session":"chat-81","io":"out","after":"${deltas}"}`,
    );
  });

  it("of words, but all of an answer as long as any view can show", async () => {
    const words = 40_000;
    const result = await followed(function* () {
      for (let seq = 0; seq < words; seq += 1)
        yield data(seq, { type: "text-delta", id: "t", delta: "word " });
      yield turnComplete(words);
    });
    expect(result.last?.text).toHaveLength(5 * words);
    expect(result.last?.omitted).toBeUndefined();
  });

  it("of texts without end that have long names", async () => {
    const result = await followed(function* () {
      for (let seq = 0; seq < 20_000; seq += 1)
        yield data(seq, { type: "text-delta", id: `${seq} ${text(2_000)}`, delta: "word " });
      yield turnComplete(20_000);
    });
    expect(result.grown).toBeLessThan(8 * MB);
    expect(result.last?.omitted?.records).toBeGreaterThan(15_000);
  });

  it("of an answer that comes in one piece, which is all of it", async () => {
    const result = await followed(function* () {
      yield data(0, { type: "text-delta", id: "t", delta: text(100_000) });
      yield turnComplete(1);
    });
    expect(result.last?.text).toHaveLength(100_000);
  });

  it("of what was shown of texts and tools, and of the secrets in them", async () => {
    let now = 0;
    const progress = createProgress({
      send: () => {},
      now: () => now,
      setTimer: () => () => {},
      clean: createCleaner({ redact: true }),
      unfinished,
    });
    async function* endless() {
      for (let seq = 0; seq < 4_000; seq += 2) {
        now += 1_000;
        const name = `${seq} ${text(10_000)}`;
        yield data(seq, { type: "tool-input-start", toolCallId: name, toolName: name });
        const delta = `token=${String(seq).padStart(40, "x")} ${text(10_000)}`;
        yield data(seq + 1, { type: "text-delta", id: name, delta });
      }
    }
    const before = heapUsed();
    const watched = await watch(endless(), { until: "closed", name: "chat-81", progress });
    const grown = heapUsed() - before;
    expect(watched.records).toBe(4_000);
    expect(grown).toBeLessThan(8 * MB);
  });

  it("of endless tool calls, and still sees the request for approval that ends them", async () => {
    const result = await followed(function* () {
      for (let seq = 0; seq < 300; seq += 1) {
        const call = { toolCallId: `c${seq}`, toolName: "lookup" };
        yield data(seq, { type: "tool-input-available", ...call, input: { text: text(200_000) } });
      }
      for (let seq = 300; seq < 2_000; seq += 1) yield data(seq, { type: "data-x", data: text(DELTA) });
      yield data(2_000, { type: "tool-input-available", toolCallId: "last", toolName: "refund", input: {} });
      yield data(2_001, { type: "tool-approval-request", toolCallId: "last", approvalId: "a" });
      yield turnComplete(2_002);
    });
    expect(result.grown).toBeLessThan(8 * MB);
    expect(result.state).toBe("awaiting_approval");
  });

  it("of records that are no chat, of gaps and of turns", async () => {
    const result = await followed(function* () {
      let seq = 0;
      for (let turn = 0; turn < 1_000; turn += 1) {
        yield { kind: "gap", from: seq, to: seq + 1 };
        yield data(seq + 2, { type: "text-delta", id: "t", delta: text(20_000) });
        yield data(seq + 3, { log: text(100_000) });
        yield turnComplete(seq + 4);
        seq += 5;
      }
      yield control(seq, "session-closed");
    }, "closed");
    expect(result.grown).toBeLessThan(8 * MB);
    expect(result).toMatchObject({ state: "closed", moreGaps: 950, forgottenTurns: 500, otherCount: 1_000 });
    expect(result.turns).toHaveLength(500);
  });
});

describe("a reader", () => {
  let at: Bench;
  beforeEach(async () => {
    at = await bench();
  });
  afterEach(async () => {
    await at.close();
  });

  it("holds of short pieces what they say, not the records they came in", async () => {
    const records = 40_000;
    const piece = "thirteen char";
    const id = "t".repeat(150);
    const body = (seq: number) =>
      JSON.stringify({ data: { type: "text-delta", id, delta: piece }, id: `p${seq}` });
    at.server.plan("GET /realtime/v1/sessions/chat-1/out", async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "x-session-settled": "true" });
      for (let seq = 0; seq < records; seq += 1) {
        const batch = `event: batch\ndata: ${JSON.stringify({ records: [{ seq_num: seq, timestamp: 1, body: body(seq) }] })}\n\n`;
        if (!response.write(batch)) await new Promise((resolve) => response.once("drain", resolve));
      }
      response.end("data: [DONE]\n\n");
    });

    let [before, grown] = [0, 0];
    async function* measured() {
      for await (const item of at.api.channels.follow({ session: "chat-1", io: "out" })) {
        if (before === 0) before = heapUsed();
        if (item.kind === "data" && item.seq === records - 1) grown = heapUsed() - before;
        yield item;
      }
    }
    const progress = createProgress({});
    const watched = await watch(measured(), { until: "turn", name: "chat-1", progress });
    expect(watched.turns.at(-1)?.text).toBe(piece.repeat(records));
    expect(grown).toBeLessThan(4 * MB);
  });

  it("that stops stops the producer, and reads everything once it goes on", async () => {
    const records = 50_000;
    let written = 0;
    let full = () => {};
    const stuck = new Promise<void>((resolve) => {
      full = resolve;
    });
    at.server.plan("GET /realtime/v1/sessions/chat-1/out", async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "x-session-settled": "true" });
      for (let seq = 0; seq < records; seq += 1) {
        const body = JSON.stringify({
          data: { type: "text-delta", id: "t", delta: text(DELTA) },
          id: `p${seq}`,
        });
        const batch = `event: batch\ndata: ${JSON.stringify({ records: [{ seq_num: seq, timestamp: 1, body }] })}\n\n`;
        written += batch.length;
        if (response.write(batch)) continue;
        // No drain for so long: either the reader's side is full or the machine is slow; less is written in both cases.
        const timer = setTimeout(full, 500);
        await new Promise((resolve) => response.once("drain", resolve));
        clearTimeout(timer);
      }
      response.end("data: [DONE]\n\n");
    });

    let seen = 0;
    for await (const item of at.api.channels.follow({ session: "chat-1", io: "out" })) {
      if (item.kind !== "data") continue;
      if (seen === 0) {
        await stuck;
        expect(written).toBeLessThan(25 * MB);
      }
      expect(item.seq).toBe(seen);
      seen += 1;
    }
    expect(seen).toBe(records);
  });
});
