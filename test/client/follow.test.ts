import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChannelItem } from "../../src/domain/record.ts";
import { hangUp, json, type Reply, stream } from "../support/fake-api.ts";
import { type Bench, bench, thrown } from "./support.ts";

let at: Bench;
beforeEach(async () => {
  at = await bench();
});
afterEach(async () => {
  await at.close();
});

const OUT = "GET /realtime/v1/sessions/chat-1/out";
const channel = { session: "chat-1", io: "out" as const };
const SETTLED = { "x-session-settled": "true" };
const DONE = "data: [DONE]\n\n";

interface Stored {
  seq_num: number;
  timestamp?: number;
  headers?: [string, string][];
  body?: string;
}

const data = (seq: number, chunk: unknown, id = `part${seq}`): Stored => ({
  seq_num: seq,
  timestamp: 1787220000000 + seq,
  body: JSON.stringify({ data: chunk, id }),
});

const batch = (records: Stored[], tail?: number): string =>
  `event: batch\nid: ${records.at(-1)?.seq_num},${records.length},10\ndata: ${JSON.stringify({
    records,
    ...(tail !== undefined && { tail: { seq_num: tail, timestamp: 0 } }),
  })}\n\n`;

const ping = (tail?: number): string =>
  `event: ping\ndata: ${JSON.stringify({ timestamp: 1, ...(tail !== undefined && { tail: { seq_num: tail } }) })}\n\n`;

/** Drains what is stored after `Last-Event-ID` and settles, as the server does. */
const drain =
  (stored: Stored[]): Reply =>
  (response, request) => {
    const after = Number(request.headers["last-event-id"] ?? -1);
    const rest = stored.filter((record) => record.seq_num > after);
    const reply = stream((rest.length > 0 ? batch(rest) : "") + DONE, "end", SETTLED);
    return reply(response, request);
  };

async function collect(
  items: AsyncIterable<ChannelItem>,
  count = Number.POSITIVE_INFINITY,
): Promise<ChannelItem[]> {
  const seen: ChannelItem[] = [];
  for await (const item of items) {
    seen.push(item);
    if (seen.length >= count) break;
  }
  return seen;
}

const CONVERSATION: Stored[] = [
  data(0, { type: "text-delta", delta: "Hé 👋" }),
  data(1, JSON.stringify({ kind: "stop" })),
  {
    seq_num: 2,
    timestamp: 2,
    headers: [
      ["trigger-control", "turn-complete"],
      ["session-in-event-id", "3"],
    ],
  },
  { seq_num: 3, timestamp: 3, headers: [["", "trim"]], body: "\u0000\u0001" },
  data(4, { type: "start", messageId: "m2" }),
];

test.each([
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
])(
  "a stream cut at any byte gives the same records as uncut, with %s",
  async (_, ending) => {
    const whole =
      batch(CONVERSATION.slice(0, 2)) + ping(2) + batch(CONVERSATION.slice(2), 5) + ping(5) + DONE;
    const bytes = Buffer.from(whole.replaceAll("\n", ending));
    at.server.plan(OUT, stream(bytes, "end", SETTLED));
    const uncut = (await collect(at.api.channels.follow(channel))).filter(
      (item) => item.kind !== "caught-up",
    );
    expect(uncut.map((item) => "seq" in item && item.seq)).toEqual([0, 1, 2, 3, 4]);
    expect(uncut).toMatchObject([
      { kind: "data", data: { delta: "Hé 👋" }, partId: "part0" },
      { kind: "data", data: { kind: "stop" } },
      { kind: "control", control: "turn-complete", inputSeq: 3 },
      { kind: "skipped", reason: "command" },
      { kind: "data", data: { type: "start" } },
    ]);

    for (let cut = 0; cut < bytes.length; cut += 1) {
      at.server.plan(OUT, stream(bytes.subarray(0, cut), "break"), drain(CONVERSATION));
      const items = await collect(at.api.channels.follow(channel));
      expect(
        items.filter((item) => item.kind !== "caught-up"),
        `cut at ${cut}`,
      ).toEqual(uncut);
    }
  },
  60_000,
);

test("a part that a writer's retry wrote twice is delivered once, and its position is not lost", async () => {
  at.server.plan(
    OUT,
    stream(batch([data(0, { n: 1 }, "a")]), "break"),
    stream(batch([data(1, { n: 1 }, "a"), data(2, { n: 2 }, "b")]) + DONE, "end", SETTLED),
  );
  const items = await collect(at.api.channels.follow(channel));
  expect(items).toMatchObject([
    { kind: "data", seq: 0 },
    { kind: "skipped", reason: "duplicate", seq: 1 },
    { kind: "data", seq: 2 },
  ]);
});

test("the last 5,000 part ids are remembered, and no more than twice as many", async () => {
  const records = Array.from({ length: 10_001 }, (_, seq) => data(seq, { seq }, `p${seq}`));
  const again = [data(10_001, { late: true }, "p0"), data(10_002, { late: true }, "p5001")];
  at.server.plan(OUT, stream(batch(records) + batch(again) + DONE, "end", SETTLED));
  const items = await collect(at.api.channels.follow(channel));
  expect(items.slice(-2)).toMatchObject([{ kind: "data" }, { kind: "skipped", reason: "duplicate" }]);
});

test("records a server sends again are dropped", async () => {
  at.server.plan(
    OUT,
    stream(batch([data(0, {}), data(1, {})]), "break"),
    stream(batch([data(0, {}, "x"), data(1, {}, "y"), data(2, {})], 3) + DONE, "end", SETTLED),
  );
  const seqs = (await collect(at.api.channels.follow(channel))).filter((item) => item.kind === "data");
  expect(seqs.map((item) => item.seq)).toEqual([0, 1, 2]);
});

test("trimmed records are reported as a gap", async () => {
  at.server.plan(OUT, stream(batch([data(9, {}), data(12, {})]) + DONE, "end", SETTLED));
  expect(await collect(at.api.channels.follow(channel, { after: 4 }))).toMatchObject([
    { kind: "gap", from: 5, to: 8 },
    { seq: 9 },
    { kind: "gap", from: 10, to: 11 },
    { seq: 12 },
  ]);
});

test("a start without a cursor has no gap and sends no Last-Event-ID, zero is a cursor", async () => {
  at.server.plan(OUT, stream(batch([data(7, {})]) + DONE, "end", SETTLED), drain([]));
  expect(await collect(at.api.channels.follow(channel))).toMatchObject([{ kind: "data", seq: 7 }]);
  await collect(at.api.channels.follow(channel, { after: 0 }));
  expect(at.server.requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "0"]);
});

test("records all trimmed away show when two pings agree on it", async () => {
  at.server.plan(OUT, stream(ping(8) + ping(8) + DONE, "end", SETTLED));
  expect(await collect(at.api.channels.follow(channel, { after: 4 }))).toEqual([
    { kind: "gap", from: 5, to: 7 },
    { kind: "caught-up", seq: 8 },
  ]);
});

test("a ping on one connection and a ping on the next agree on nothing: the records between may be on their way", async () => {
  at.server.plan(
    OUT,
    stream(batch([data(0, {})]) + ping(3), "break"),
    stream(ping(3) + batch([data(1, {}), data(2, {})], 3) + DONE, "end", SETTLED),
  );
  expect(await collect(at.api.channels.follow(channel))).toMatchObject([
    { kind: "data", seq: 0 },
    { kind: "data", seq: 1 },
    { kind: "data", seq: 2 },
    { kind: "caught-up", seq: 3 },
  ]);
});

test("a tail behind what has been read does not send the reader back", async () => {
  const end = { seq_num: 2, headers: [["trigger-control", "turn-complete"]] as [string, string][] };
  const stored = [data(0, {}), data(1, {}), end];
  at.server.plan(OUT, stream(batch(stored, 3) + ping(1) + batch(stored, 1), "break"), drain(stored));
  const seqs = (await collect(at.api.channels.follow(channel))).filter(({ kind }) => kind !== "caught-up");
  expect(seqs).toMatchObject([{ seq: 0 }, { seq: 1 }, { seq: 2 }]);
  expect(at.server.requests[1]?.headers["last-event-id"]).toBe("2");
});

test("a cursor beyond the end follows from the tail", async () => {
  at.server.plan(OUT, stream(ping(3) + batch([data(3, {})], 4) + DONE, "end", SETTLED));
  expect(await collect(at.api.channels.follow(channel, { after: 100 }))).toMatchObject([
    { kind: "caught-up", seq: 3 },
    { kind: "data", seq: 3 },
    { kind: "caught-up", seq: 4 },
  ]);
});

test("caught-up is said at every ping, so that whoever waits can look around", async () => {
  at.server.plan(OUT, stream(batch([data(0, {})], 1) + ping(1) + ping(1) + DONE, "end", SETTLED));
  const items = await collect(at.api.channels.follow(channel));
  expect(items.map((item) => item.kind)).toEqual(["data", "caught-up", "caught-up", "caught-up"]);
});

test("the cursor is the position of the last record of any kind, never the event id", async () => {
  at.server.plan(OUT, stream(batch(CONVERSATION.slice(0, 4)), "break"), drain([]));
  await collect(at.api.channels.follow(channel));
  expect(at.server.requests[1]?.headers["last-event-id"]).toBe("3");
});

test("[DONE] is followed by the next connection as long as somebody listens", async () => {
  at.server.plan(OUT, stream(batch([data(0, {})]) + DONE), drain([data(0, {}), data(1, {})]));
  const items = await collect(at.api.channels.follow(channel));
  expect(items).toMatchObject([{ seq: 0 }, { seq: 1 }]);
  expect(at.sleeps).toEqual([]);
});

test("settled peek asks for it and ends with the settled stream", async () => {
  at.server.plan(OUT, stream(batch([data(0, {})]) + DONE, "end", SETTLED));
  expect(await collect(at.api.channels.follow(channel, { peekSettled: true }))).toHaveLength(1);
  expect(at.server.requests[0]?.headers).toMatchObject({ "x-peek-settled": "1", "timeout-seconds": "60" });
});

test("an error event, 500 and a broken connection are all resumed with growing waits", async () => {
  at.server.plan(
    OUT,
    stream("event: error\ndata: store failed\n\n"),
    json(500, {}),
    hangUp,
    drain([data(0, {})]),
  );
  expect(await collect(at.api.channels.follow(channel))).toMatchObject([{ seq: 0 }]);
  expect(at.sleeps).toEqual([75, 150, 300]);
});

test("patience ends after eight connections without anything new", async () => {
  at.server.planForever(OUT, hangUp);
  expect((await thrown(collect(at.api.channels.follow(channel)))).code).toBe("unreachable");
  expect(at.server.requests).toHaveLength(8);
});

test("a record renews the patience", async () => {
  for (let seq = 0; seq < 20; seq += 1) at.server.plan(OUT, stream(batch([data(seq, {})]), "break"));
  at.server.plan(OUT, drain([]));
  expect(await collect(at.api.channels.follow(channel))).toHaveLength(20);
});

test.each([400, 404, 409, 422])("%i is final", async (status) => {
  at.server.plan(OUT, json(status, { error: "no" }));
  expect((await thrown(collect(at.api.channels.follow(channel)))).status).toBe(status);
  expect(at.server.requests).toHaveLength(1);
});

test("a public token that is refused is replaced once by the one the stream handed out", async () => {
  const api = at.client({ token: "e30.e30.first" });
  const turn: Stored = {
    seq_num: 0,
    headers: [
      ["trigger-control", "turn-complete"],
      ["public-access-token", "e30.e30.second"],
    ],
  };
  at.server.plan(OUT, stream(batch([turn]), "break"), json(401, {}), json(401, {}));
  expect((await thrown(collect(api.channels.follow(channel)))).code).toBe("unauthorized");
  expect(at.server.requests.map((request) => request.headers.authorization)).toEqual([
    "Bearer e30.e30.first",
    "Bearer e30.e30.first",
    "Bearer e30.e30.second",
  ]);
});

test("the refreshed token is not among the headers of its record", async () => {
  const turn: Stored = {
    seq_num: 0,
    headers: [
      ["trigger-control", "turn-complete"],
      ["public-access-token", "e30.e30.second"],
    ],
  };
  at.server.plan(OUT, stream(batch([turn]) + DONE, "end", SETTLED));
  const [item] = await collect(at.api.channels.follow(channel));
  expect(item).toEqual({
    kind: "control",
    control: "turn-complete",
    token: "e30.e30.second",
    headers: {},
    seq: 0,
  });
});

/** A stream that stays open, and the moment its socket closes. */
function openStream(content: string): { reply: Reply; closed: Promise<void> } {
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  return {
    closed,
    reply: (response, request) => {
      response.on("close", close);
      return stream(content, "stay")(response, request);
    },
  };
}

test("aborting ends the loop and closes the socket", async () => {
  const open = openStream(batch([data(0, {})]));
  at.server.plan(OUT, open.reply);
  const caller = new AbortController();
  const seen: ChannelItem[] = [];
  for await (const item of at.api.channels.follow(channel, { signal: caller.signal })) {
    seen.push(item);
    caller.abort();
  }
  expect(seen).toHaveLength(1);
  await open.closed;
});

test("leaving the loop closes the socket", async () => {
  const open = openStream(batch([data(0, {}), data(1, {})]));
  at.server.plan(OUT, open.reply);
  expect(await collect(at.api.channels.follow(channel), 1)).toHaveLength(1);
  await open.closed;
});

test("returning the iterator closes the socket even while nothing arrives", async () => {
  const open = openStream(batch([data(0, {})]));
  at.server.plan(OUT, open.reply);
  const items = at.api.channels.follow(channel)[Symbol.asyncIterator]();
  await items.next();
  const waiting = items.next();
  await items.return?.();
  expect((await waiting).done).toBe(true);
  await open.closed;
});

test("the deadline ends the loop and closes the socket", async () => {
  const open = openStream(batch([data(0, {})]));
  at.server.plan(OUT, open.reply);
  const api = at.client({ now: Date.now });
  expect(await collect(api.channels.follow(channel, { deadline: Date.now() + 1_000 }))).toHaveLength(1);
  await open.closed;
});

test("a connection that falls silent is replaced", async () => {
  const api = at.client({ timeouts: { idle: 100 } });
  at.server.plan(OUT, stream(batch([data(0, {})]), "stay"));
  at.server.planForever(OUT, drain([data(0, {}), data(1, {})]));
  expect(await collect(api.channels.follow(channel))).toMatchObject([{ seq: 0 }, { seq: 1 }]);
});

test("a slow reader is not taken for a silent server", async () => {
  const api = at.client({ timeouts: { idle: 500 } });
  let goOn = () => {};
  at.server.plan(OUT, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", ...SETTLED });
    response.write(batch([data(0, {})]));
    goOn = () => response.end(batch([data(1, {})]) + DONE);
  });
  const seqs: unknown[] = [];
  for await (const item of api.channels.follow(channel)) {
    seqs.push("seq" in item && item.seq);
    if (seqs.length > 1) continue;
    await new Promise((resolve) => setTimeout(resolve, 700));
    goOn();
  }
  expect(seqs).toEqual([0, 1]);
  expect(at.server.requests).toHaveLength(1);
});

test("what nobody reads stays with the server", async () => {
  let written = 0;
  at.server.plan(OUT, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = "x".repeat(60_000);
    let seq = 0;
    const more = () => {
      for (;;) {
        if (response.destroyed) return;
        const event = batch([data(seq, { chunk })]);
        seq += 1;
        written += event.length;
        if (!response.write(event)) break;
      }
      response.once("drain", more);
    };
    more();
  });
  const items = at.api.channels.follow(channel)[Symbol.asyncIterator]();
  await items.next();
  // Long enough for a reader without a bound to have taken hundreds of megabytes.
  let before = -1;
  while (written !== before) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(written).toBeLessThan(20 * 1024 * 1024);
  await items.return?.();
});

test("an event that never ends is given up on", async () => {
  at.server.planForever(OUT, stream(`data: ${"x".repeat(9 * 1024 * 1024)}`, "stay"));
  expect((await thrown(collect(at.api.channels.follow(channel)))).code).toBe("unreachable");
});
