/**
 * A recorded conversation of three turns, its connection cut at every byte, in every line ending: what the client
 * delivers and what the bridge makes of it are the same as uncut. Recorded from the embedded agent, shortened; one part
 * is there twice, as a writer's retry leaves it.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProgressRecord } from "../../src/bridge/progress.ts";
import { watch } from "../../src/bridge/turn.ts";
import type { ChannelItem } from "../../src/domain/record.ts";
import { type Bench, bench } from "../client/support.ts";
import { type Reply, stream } from "../support/fake-api.ts";
import { seededRandom } from "../support/random.ts";
import { dataOf } from "../support/sse.ts";

const EVENTS = readFileSync(new URL("three-turns.sse", import.meta.url), "utf8")
  .trimEnd()
  .split("\n\n");
const SETTLED = { "x-session-settled": "true" };
/** Conversations under way at once: most of the time of one is waiting for sockets. */
const AT_ONCE = 16;
const PAIRS = 250;

const ENDINGS = { LF: "\n", CRLF: "\r\n", CR: "\r" };

let at: Bench;
beforeAll(async () => {
  at = await bench();
});
afterAll(async () => {
  await at.close();
});

const made = new Map<string, Buffer>();

/** What the server has to say after the record `after`, framed as it was the first time. */
function bytesAfter(after: number, ending: string): Buffer {
  const key = `${after} ${ending}`;
  const known = made.get(key);
  if (known) return known;
  const rest = EVENTS.map((event) => without(event, after)).filter((event) => event !== undefined);
  const bytes = Buffer.from(
    rest
      .map((event) => `${event}\n\n`)
      .join("")
      .replaceAll("\n", ending),
  );
  made.set(key, bytes);
  return bytes;
}

/** Nothing is left of an event that speaks of earlier records only. */
function without(event: string, after: number): string | undefined {
  if (event.startsWith("data: [DONE]")) return event;
  const data = dataOf(event);
  if (event.startsWith("event: ping")) return (data.tail?.seq_num ?? 0) > after ? event : undefined;
  const records = data.records.filter((record) => record.seq_num > after);
  if (records.length === data.records.length) return event;
  if (records.length === 0) return undefined;
  return event.replace(/^data: .*$/m, () => `data: ${JSON.stringify({ ...data, records })}`);
}

/** Goes on where the client says it has got to; ends at byte `cut`, or with everything said. */
const goOn =
  (ending: string, cut?: number): Reply =>
  (response, request) => {
    const bytes = bytesAfter(Number(request.headers["last-event-id"] ?? -1), ending);
    const reply =
      cut === undefined || cut >= bytes.length
        ? stream(bytes, "end", SETTLED)
        : stream(bytes.subarray(0, cut), "break");
    return reply(response, request);
  };

let conversations = 0;

/** Everything the client delivers, and what the bridge makes of it, over connections that end at `cuts`. */
async function deliver(ending: string, cuts: number[]) {
  const session = `cut-${conversations++}`;
  const replies = [...cuts.map((cut) => goOn(ending, cut)), goOn(ending)];
  at.server.plan(`GET /realtime/v1/sessions/${session}/out`, ...replies);
  const records: ChannelItem[] = [];
  const carried: ProgressRecord[] = [];
  async function* noted() {
    for await (const item of at.api.channels.follow({ session, io: "out" })) {
      if (item.kind !== "caught-up") records.push(item);
      yield item;
    }
  }
  const { turns, cursor, gaps, others } = await watch(noted(), {
    until: "closed",
    name: "three turns",
    turn: 1,
    progress: { wanted: true, report: (_, records = []) => void carried.push(...records) },
  });
  return { records, carried, turns, cursor, gaps, others };
}

type Delivered = Awaited<ReturnType<typeof deliver>>;

/** Compared as text: equality of thousands of trees is most of the work otherwise. */
async function expectAll(uncut: Delivered, ending: string, all: number[][]): Promise<void> {
  const expected = JSON.stringify(uncut);
  const left = all[Symbol.iterator]();
  async function work() {
    for (const cuts of left) {
      const delivered = await deliver(ending, cuts);
      if (JSON.stringify(delivered) !== expected) expect(delivered, `cut at ${cuts}`).toEqual(uncut);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

describe.each(Object.entries(ENDINGS))("a stream with %s", (_, ending) => {
  it("is three whole turns when nothing cuts it", async () => {
    const { records, carried, turns, cursor } = await deliver(ending, []);
    expect(records.map((item) => "seq" in item && item.seq)).toEqual([...Array(39).keys()]);
    expect(cursor).toBe(38);
    expect(turns.map(({ number, state, text, runId }) => [number, state, text, runId])).toEqual([
      [1, "done", "It shipped 19th.", "run_1"],
      [2, "done", "I cancel now.", undefined],
      [3, "done", "You wélcome 👋 off.", undefined],
    ]);
    expect(records.filter(({ kind }) => kind === "skipped")).toMatchObject([
      { reason: "command" },
      { reason: "duplicate" },
      { reason: "command" },
    ]);
    expect(carried).toHaveLength(36);
  });

  it("is the same cut at any byte", async () => {
    const { length } = bytesAfter(-1, ending);
    const cuts = Array.from({ length }, (_, cut) => [cut]);
    await expectAll(await deliver(ending, []), ending, cuts);
  }, 120_000);

  it("is the same cut twice anywhere", async () => {
    const random = seededRandom(ending.length);
    const { length: whole } = bytesAfter(-1, ending);
    const cuts = Array.from({ length: PAIRS }, () => [
      Math.floor(random() * whole),
      Math.floor((random() * whole) / 2),
    ]);
    await expectAll(await deliver(ending, []), ending, cuts);
  });
});
