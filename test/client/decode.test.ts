import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChannelItem, ChannelRef } from "../../src/domain/record.ts";
import { json, stream } from "../support/fake-api.ts";
import { type Bench, bench } from "./support.ts";

let at: Bench;
beforeEach(async () => {
  at = await bench();
});
afterEach(async () => {
  await at.close();
});

const OUT: ChannelRef = { session: "c", io: "out" };

/** The items of one stream that says this and settles. */
async function read(events: string, channel = OUT): Promise<ChannelItem[]> {
  const name = channel.channel === undefined ? "" : `channels/${channel.channel}/`;
  at.server.plan(
    `GET /realtime/v1/sessions/c/${name}${channel.io}`,
    stream(`${events}data: [DONE]\n\n`, "end", { "x-session-settled": "true" }),
  );
  const items: ChannelItem[] = [];
  for await (const item of at.api.channels.follow(channel)) items.push(item);
  return items;
}

const batch = (...records: unknown[]) => `event: batch\ndata: ${JSON.stringify({ records })}\n\n`;
const event = (data: unknown, id?: string) => `${id ? `id: ${id}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
const body = (data: unknown) => JSON.stringify({ data, id: "p" });

test.each([
  ["an object as it is", { type: "x" }, { type: "x" }],
  ["JSON of an object in a string", '{"kind":"stop"}', { kind: "stop" }],
  ["JSON of an array in a string", " [1]", [1]],
  ["text", "hello", "hello"],
  ["text that starts like JSON", "{hello", "{hello"],
  ["a number in a string", "42", "42"],
  ["null", null, null],
  ["false", false, false],
  ["nothing but quotes", "", ""],
])("data reads as %s", async (_, sent, got) => {
  expect(await read(batch({ seq_num: 0, body: body(sent) }))).toEqual([
    { kind: "data", seq: 0, partId: "p", data: got },
  ]);
});

test.each([
  ["no JSON", "oops"],
  ["no data", '{"id":"x"}'],
  ["no object", "7"],
  ["nothing", undefined],
])("a body with %s moves the cursor and nothing else", async (_, unreadable) => {
  const records = [{ seq_num: 0, ...(unreadable !== undefined && { body: unreadable }) }];
  expect(await read(batch(...records))).toEqual([{ kind: "skipped", reason: "unreadable", seq: 0 }]);
});

test("absent, null and empty headers are alike, and so are absent and empty control bodies", async () => {
  const control = [["trigger-control", "upgrade-required"]];
  const items = await read(
    batch(
      { seq_num: 0, headers: null, body: body(1) },
      { seq_num: 1, headers: [], body: body(2).replace('"p"', '"q"') },
      { seq_num: 2, headers: control },
      { seq_num: 3, headers: control, body: "" },
    ),
  );
  expect(items.map((item) => item.kind)).toEqual(["data", "data", "control", "control"]);
});

test("a command is recognised before anything else", async () => {
  const headers = [
    ["", "trim"],
    ["trigger-control", "turn-complete"],
  ];
  expect(await read(batch({ seq_num: 0, headers, body: "\u0000" }))).toMatchObject([{ reason: "command" }]);
});

test("unknown control subtypes are passed on by name", async () => {
  const headers = [
    ["trigger-control", "from-the-future"],
    ["x", "y"],
  ];
  expect(await read(batch({ seq_num: 0, headers }))).toEqual([
    { kind: "control", control: "from-the-future", headers: { x: "y" }, seq: 0 },
  ]);
});

test("an input position that is no number is left out", async () => {
  const headers = [
    ["trigger-control", "turn-complete"],
    ["session-in-event-id", "soon"],
  ];
  const [item] = await read(batch({ seq_num: 0, headers }));
  expect(item).not.toHaveProperty("inputSeq");
});

test("a batch is known by its records, even without its name", async () => {
  expect(await read(event({ records: [{ seq_num: 0, body: body(1) }] }))).toMatchObject([{ seq: 0 }]);
});

test.each([
  ["the event id when it is digits", "42", 7, { seq: 42 }],
  ["else the number in the JSON", undefined, 7, { seq: 7 }],
  ["else digits in the JSON", "1-0", "7", { seq: 7, partId: "7" }],
  ["else nothing", undefined, "abc", { partId: "abc" }],
])("in the simplified form the position is %s", async (_, eventId, id, expected) => {
  const [item] = await read(event({ data: { n: 1 }, id }, eventId));
  expect(item).toEqual({ kind: "data", data: { n: 1 }, ...expected });
});

test("a bare chunk is data, and a bare control record is control", async () => {
  const headers = [["trigger-control", "turn-complete"]];
  expect(
    await read(event({ type: "text-delta", delta: "x" }, "1787-0") + event({ headers }, "9")),
  ).toMatchObject([
    { kind: "data", data: { type: "text-delta", delta: "x" } },
    { kind: "control", control: "turn-complete", seq: 9 },
  ]);
});

test("events of other names, comments and rubbish are passed over", async () => {
  expect(await read(`: hello\n\nevent: news\n${event({ type: "x" })}data: {oops\n\nretry: 5\n\n`)).toEqual(
    [],
  );
});

test("legacy control chunks become control records on .out", async () => {
  const chunk = (seq: number, data: unknown) => ({
    seq_num: seq,
    body: JSON.stringify({ data, id: `p${seq}` }),
  });
  const records = [
    chunk(0, { type: "trigger:turn-complete", publicAccessToken: "t" }),
    chunk(1, { type: "trigger:upgrade-required" }),
    chunk(2, { type: "trigger:session-state", lastEventId: "3" }),
  ];
  expect(await read(batch(...records))).toMatchObject([
    { kind: "control", control: "turn-complete", token: "t" },
    { kind: "control", control: "upgrade-required" },
    { kind: "skipped" },
  ]);
  expect(await read(batch(...records), { ...OUT, channel: "side" })).toMatchObject(
    records.map(() => ({ kind: "data" })),
  );
});

test("records are listed with their envelope taken off, and numeric ids are positions", async () => {
  at.server.plan(
    "GET /realtime/v1/sessions/c/in/records",
    json(200, {
      records: [
        { data: '{"kind":"message"}', id: "abc", seqNum: 3 },
        { data: { x: 1 }, id: 4 },
        { data: "", id: "", seqNum: 5, headers: [["trigger-control", "turn-complete"]] },
      ],
    }),
  );
  expect(await at.api.channels.records({ session: "c", io: "in" }, 2)).toEqual([
    { kind: "data", data: { kind: "message" }, partId: "abc", seq: 3 },
    { kind: "data", data: { x: 1 }, seq: 4 },
    { kind: "control", control: "turn-complete", headers: {}, seq: 5 },
  ]);
  expect(at.server.requests[0]?.query).toEqual({ afterEventId: "2" });
});
