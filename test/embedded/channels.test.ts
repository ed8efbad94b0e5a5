import { ReadSessionStreamRecordsResponseBody } from "@trigger.dev/core/v3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channels } from "../../src/embedded/engine/channels.ts";
import { channelOf } from "../../src/embedded/engine/sessions.ts";
import { channelEvents, streamed } from "../../src/embedded/routes/channel-stream.ts";
import { type SessionsApp, startSessionsApp } from "../support/sessions-app.ts";
import { allEvents, dataOf, openEvents, seqsOf } from "../support/sse.ts";

let app: SessionsApp;

beforeEach(async () => {
  app = await startSessionsApp({ pingMs: 300, trimDelayMs: 10_000 });
  await app.create({ externalId: "chat" });
});
afterEach(() => app.close());

const path = (io: string, session = "chat") => `/realtime/v1/sessions/${session}/${io}`;
const follow = (io: string, headers: Record<string, string> = {}, session = "chat") =>
  openEvents(app.url + path(io, session), { authorization: `Bearer ${app.secretKey}`, ...headers });
/** Everything a reader with a gap timeout of one second gets. */
const drained = async (io: string, headers: Record<string, string> = {}, session = "chat") =>
  allEvents(await follow(io, { "timeout-seconds": "1", ...headers }, session));
const json = async (answer: Promise<Response>) => {
  const response = await answer;
  return { status: response.status, body: JSON.parse(await response.text()) };
};
const address = () => {
  const session = app.sessions.find(app.environment, "chat");
  if (session === undefined) throw new Error("the session is gone");
  return channelOf(session, "out");
};
const control = (...headers: [string, string][]) =>
  app.channels.append(address(), { headers: [["trigger-control", "turn-complete"], ...headers] });

describe("following a channel", () => {
  it("frames backlog, ping, live batch and end exactly as the store does", async () => {
    await app.append("chat", "in", '{"kind":"stop"}', "part-1");
    await app.append("chat", "in", "second", "part-2");
    const events = await follow("in", { "timeout-seconds": "4" });
    expect(events.response.status).toBe(200);
    const header = (name: string) => events.response.headers.get(name);
    expect(header("content-type")).toBe("text/event-stream");
    expect(header("cache-control")).toBe("no-cache, no-transform");
    expect(header("x-accel-buffering")).toBe("no");
    expect(header("x-stream-version")).toBe("v2");
    expect(header("access-control-expose-headers")).toBe("*");
    expect(header("x-session-settled")).toBeNull();

    const backlog = (await events.next()) ?? "";
    const [first, second] = dataOf(backlog).records;
    const bodies = ['{"data":"{\\"kind\\":\\"stop\\"}","id":"part-1"}', '{"data":"second","id":"part-2"}'];
    const bytes = 8 + Buffer.byteLength(bodies[0] ?? "") + 8 + Buffer.byteLength(bodies[1] ?? "");
    const records = [
      { seq_num: 0, timestamp: first?.timestamp, body: bodies[0] },
      { seq_num: 1, timestamp: second?.timestamp, body: bodies[1] },
    ];
    expect(backlog).toBe(`event: batch\nid: 1,2,${bytes}\ndata: ${JSON.stringify({ records })}`);

    const ping = (await events.next()) ?? "";
    const tail = { seq_num: 2, timestamp: second?.timestamp };
    const { timestamp } = JSON.parse(ping.slice(ping.indexOf("{")));
    expect(ping).toBe(`event: ping\ndata: ${JSON.stringify({ timestamp, tail })}`);

    await app.append("chat", "in", "", "part-3");
    const live = (await events.next()) ?? "";
    const third = dataOf(live).records[0];
    const body = '{"data":"","id":"part-3"}';
    expect(live).toBe(
      `event: batch\nid: 2,3,${bytes + 8 + body.length}\ndata: ${JSON.stringify({
        records: [{ seq_num: 2, timestamp: third?.timestamp, body }],
        tail: { seq_num: 3, timestamp: third?.timestamp },
      })}`,
    );

    const rest = await allEvents(events);
    expect(rest.at(-1)).toBe("data: [DONE]");
    expect(rest.slice(0, -1).every((event) => event.startsWith("event: ping\n"))).toBe(true);
  });

  it("leaves empty headers and empty bodies out, and shows command records", async () => {
    control(["session-in-event-id", "3"]);
    app.channels.trim(address(), 0);
    const [batch] = await drained("out", { "x-peek-settled": "1" });
    const [complete, trim] = dataOf(batch ?? "").records;
    expect(Object.keys(complete ?? {})).toEqual(["seq_num", "timestamp", "headers"]);
    expect(complete?.headers).toEqual([
      ["trigger-control", "turn-complete"],
      ["session-in-event-id", "3"],
    ]);
    expect(trim).toMatchObject({ headers: [["", "trim"]], body: "\0\0\0\0\0\0\0\0" });
  });

  it.each([
    [undefined, 0],
    ["", 0],
    ["2", 3],
    ["2-7", 3],
    ["0", 1],
    ["-1", 1],
    ["0,1,106", 0],
    ["abc", 0],
    ["99", 5],
  ])("starts after Last-Event-ID %j at %i", async (value, from) => {
    for (let seq = 0; seq < 5; seq += 1) control();
    const events = await drained("out", {
      "x-peek-settled": "1",
      ...(value !== undefined && { "last-event-id": value }),
    });
    expect(seqsOf(events)).toEqual([0, 1, 2, 3, 4].filter((seq) => seq >= from));
  });

  it("answers a fractional cursor with the store's error", async () => {
    expect(await json(app.request("GET", path("out"), { headers: { "last-event-id": "1.5" } }))).toEqual({
      status: 500,
      body: { error: "Internal Server Error" },
    });
  });

  it("follows from the tail when the cursor is past it", async () => {
    control();
    const events = await follow("out", { "last-event-id": "400" });
    expect(await events.next()).toMatch(/^event: ping\n/);
    control();
    expect(seqsOf([(await events.next()) ?? ""])).toEqual([1]);
    events.leave();
  });

  it.each([
    ["soon", "Invalid timeout seconds"],
    ["0", "Timeout seconds must be greater than 0"],
    ["-4", "Timeout seconds must be greater than 0"],
    ["601", "Timeout seconds must be less than 600"],
  ])("refuses Timeout-Seconds %s in plain text", async (value, text) => {
    const response = await app.request("GET", path("out"), { headers: { "timeout-seconds": value } });
    expect(response.status).toBe(400);
    expect(await response.text()).toBe(text);
  });

  it("accepts 600 seconds", async () => {
    const events = await follow("out", { "timeout-seconds": "600" });
    expect(events.response.status).toBe(200);
    events.leave();
  });

  it("pings while nothing comes and ends when the gap since the last record is too long", async () => {
    let at = 0;
    const live: Channels = {
      ...app.channels,
      grown: async (_address, _seq, { timeoutMs }) => {
        at += timeoutMs;
        if (at === 900) control();
      },
    };
    const following = { from: 0, waitMs: 1_000, pingMs: 300, now: () => at };
    const seen: string[] = [];
    for await (const event of channelEvents(live, address(), following, new AbortController().signal)) {
      seen.push(`${at} ${/^event: (\w+)|\[DONE\]/.exec(event)?.[1] ?? "done"}`);
    }
    expect(seen).toEqual([
      ...["0 ping", "300 ping", "600 ping"],
      "900 batch",
      ...["1200 ping", "1500 ping", "1800 ping", "1900 done"],
    ]);
  });

  it("settles at once when the newest record is a turn-complete, commands aside", async () => {
    app.channels.append(address(), { body: '{"data":{"type":"finish"},"id":"a"}' });
    control();
    app.channels.trim(address(), 0);
    const events = await follow("out", { "x-peek-settled": "1", "timeout-seconds": "600" });
    expect(events.response.headers.get("x-session-settled")).toBe("true");
    const all = await allEvents(events);
    expect(seqsOf(all)).toEqual([0, 1, 2]);
    expect(all.map((event) => event.split("\n")[0])).toEqual(["event: batch", "data: [DONE]"]);
  });

  it("does not settle in mid-turn, on an empty channel, on .in, or for another header value", async () => {
    const settled = async (io: string, value = "1") => {
      const events = await follow(io, { "x-peek-settled": value });
      events.leave();
      return events.response.headers.get("x-session-settled");
    };
    expect(await settled("out")).toBeNull();
    control();
    expect(await settled("out", "true")).toBeNull();
    expect(await settled("in")).toBeNull();
    app.channels.append(address(), { body: '{"data":{"type":"start"},"id":"a"}' });
    expect(await settled("out")).toBeNull();
  });

  it("trims lazily; the gap then shows only as a jump of the numbers", async () => {
    for (let seq = 0; seq < 4; seq += 1) control();
    app.channels.trim(address(), 3);
    expect(seqsOf(await drained("out", { "x-peek-settled": "1", "last-event-id": "0" }))).toEqual([
      1, 2, 3, 4,
    ]);
    app.clock.aheadMs = 10_001;
    expect(seqsOf(await drained("out", { "x-peek-settled": "1", "last-event-id": "0" }))).toEqual([3, 4]);
    control();
    expect(seqsOf(await drained("out", { "x-peek-settled": "1" }))).toEqual([3, 4, 5]);
  });

  it("sends a backlog in pages of at most 1,000 records and 1 MiB, without a tail", async () => {
    for (let seq = 0; seq < 1_200; seq += 1) control();
    const large = JSON.stringify({ data: "x".repeat(600_000), id: "large" });
    for (let seq = 0; seq < 3; seq += 1) app.channels.append(address(), { body: large });
    control();
    const batches = (await drained("out", { "x-peek-settled": "1" })).filter((one) =>
      one.startsWith("event: batch"),
    );
    expect(batches.map((batch) => dataOf(batch).records.length)).toEqual([1_000, 201, 1, 2]);
    expect(batches.every((batch) => dataOf(batch).tail === undefined)).toBe(true);
    expect(seqsOf(batches)).toEqual(Array.from({ length: 1_204 }, (_, seq) => seq));
  });

  it("reads no further than its reader does", async () => {
    const large = JSON.stringify({ data: "x".repeat(900_000), id: "large" });
    for (let seq = 0; seq < 20; seq += 1) app.channels.append(address(), { body: large });
    let pages = 0;
    const counted: Channels = {
      ...app.channels,
      read(...given) {
        pages += 1;
        return app.channels.read(...given);
      },
    };
    const following = { from: 0, waitMs: 0, pingMs: 300, now: Date.now };
    const reader = streamed((gone) => channelEvents(counted, address(), following, gone)).getReader();
    expect(pages).toBe(0);
    for (let read = 1; read <= 3; read += 1) {
      await reader.read();
      expect(pages).toBe(read);
    }
    await reader.cancel();
    expect(pages).toBe(3);
  });

  it("lets a reader that has gone wait for nothing", async () => {
    const waits: Promise<void>[] = [];
    const { grown } = app.channels;
    app.channels.grown = (...given) => {
      const wait = grown(...given);
      waits.push(wait);
      return wait;
    };
    const events = await follow("out", { "timeout-seconds": "600" });
    await events.next();
    await expect.poll(() => waits.length).toBe(1);
    events.leave();
    await waits[0];
    expect(waits).toHaveLength(1);
  });

  it("is ended by the server's close without [DONE]", async () => {
    const events = await follow("out");
    await events.next();
    app.channels.close();
    expect(await events.next()).toBeUndefined();
  });
});

describe("appending", () => {
  const append = (io: string, body: string, partId?: string) => json(app.append("chat", io, body, partId));

  it("numbers records from 0 and takes a part id once within five minutes", async () => {
    expect(await append("in", "a", "p1")).toEqual({ status: 200, body: { ok: true, seq: 0 } });
    expect(await append("in", "b", "p1")).toEqual({ status: 200, body: { ok: true } });
    expect(await append("out", "b", "p1")).toEqual({ status: 200, body: { ok: true, seq: 0 } });
    app.clock.aheadMs = 5 * 60_000 - 1_000;
    expect(await append("in", "c", "p1")).toEqual({ status: 200, body: { ok: true } });
    app.clock.aheadMs = 5 * 60_000 + 1_000;
    expect(await append("in", "d", "p1")).toEqual({ status: 200, body: { ok: true, seq: 1 } });
  });

  it("releases a part id whose append failed", async () => {
    const quotes = '"'.repeat(600_000);
    const size = 8 + Buffer.byteLength(JSON.stringify({ data: quotes, id: "p1" }));
    expect(await append("in", quotes, "p1")).toEqual({
      status: 413,
      body: {
        ok: false,
        error: `Record metered size ${size} bytes exceeds the S2 per-record limit of 1048576 bytes. Reduce tool-output size or split into smaller parts.`,
      },
    });
    expect(await append("in", "small", "p1")).toEqual({ status: 200, body: { ok: true, seq: 0 } });
  });

  it("takes a record of exactly 1 MiB and no body that is larger", async () => {
    const room = 1_048_576 - 8 - JSON.stringify({ data: "", id: "1234567" }).length;
    expect((await append("in", "x".repeat(room), "1234567")).status).toBe(200);
    expect((await append("in", "x".repeat(room + 1), "7654321")).status).toBe(413);
    expect(await append("in", "x".repeat(1_048_577))).toEqual({
      status: 413,
      body: { error: "Request body too large" },
    });
  });

  it("needs a Content-Length", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("x"));
        controller.close();
      },
    });
    const init = {
      method: "POST",
      body,
      duplex: "half",
      headers: { authorization: `Bearer ${app.secretKey}` },
    };
    const response = await fetch(`${app.url}${path("in")}/append`, init as RequestInit);
    expect(response.status).toBe(413);
  });

  it("refuses closed and expired sessions, and ids that do not exist", async () => {
    await app.create({ externalId: "old", expiresAt: new Date(Date.now() + 60_000).toISOString() });
    await app.request("POST", "/api/v1/sessions/chat/close", { body: "{}" });
    app.clock.aheadMs = 120_000;
    expect(await append("in", "x")).toEqual({
      status: 400,
      body: { ok: false, error: "Cannot append to a closed session" },
    });
    expect(await json(app.append("old", "in", "x"))).toEqual({
      status: 400,
      body: { ok: false, error: "Cannot append to an expired session" },
    });
    for (const id of ["nobody", "session_nobody"]) {
      expect(await json(app.append(id, "in", "x"))).toEqual({
        status: 404,
        body: { error: "Resource not found" },
      });
    }
    expect((await app.request("HEAD", path("out"))).status).toBe(200);
  });

  it("wraps the body as text and takes out a forged webhook source", async () => {
    await append("in", '{"kind":"message","payload":{"chatId":"chat","actionSource":"webhook"}}', "p");
    await append("in", "not json \u0000 \ud83d\ude00", "q");
    expect((await json(app.request("GET", `${path("in")}/records`))).body).toEqual({
      records: [
        { data: '{"kind":"message","payload":{"chatId":"chat"}}', id: "p", seqNum: 0 },
        { data: "not json \u0000 \ud83d\ude00", id: "q", seqNum: 1 },
      ],
    });
  });

  it("starts a run when the last one has ended, but not for a named channel", async () => {
    const current = async () => (await json(app.request("GET", "/api/v1/sessions/chat"))).body.currentRunId;
    const first = await current();
    app.engine.cancel(app.engine.runs.find(app.environment.id, first) ?? expect.fail("no run"));
    await app.engine.settled(first);
    await json(app.request("POST", "/realtime/v1/sessions/chat/channels/side/in/append", { body: "x" }));
    expect(await current()).toBe(first);
    await append("in", "x");
    const second = await current();
    expect(second).not.toBe(first);
    const run = app.engine.runs.find(app.environment.id, second);
    expect(JSON.parse(run?.payload ?? "")).toMatchObject({ continuation: true, previousRunId: first });
  });
});

describe("appends that race", () => {
  it("start one run between them and get a number each", async () => {
    const { body } = await app.create({ externalId: "dead" });
    const first = String(body.runId);
    app.engine.cancel(app.engine.runs.find(app.environment.id, first) ?? expect.fail("no run"));
    await app.engine.settled(first);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => json(app.append("dead", "in", `text ${index}`))),
    );
    expect(answers.map((answer) => answer.body.seq).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, index) => index),
    );
    const { rows } = app.engine.runs.list([app.environment.id], { tasks: ["quiet"] }, { size: 100 });
    const continued = rows.filter(({ payload }) => JSON.parse(payload ?? "").previousRunId === first);
    expect(continued).toHaveLength(1);
  });
});

describe("records", () => {
  it("opens the envelope, hides commands and pages by sequence number", async () => {
    app.channels.append(address(), { body: '{"data":{"type":"text-start","id":"t"},"id":"abc"}' });
    control(["session-in-event-id", "0"]);
    app.channels.trim(address(), 0);
    const records = async (query = "") => json(app.request("GET", `${path("out")}/records${query}`));
    ReadSessionStreamRecordsResponseBody.parse((await records()).body);
    const complete = {
      data: "",
      id: "",
      seqNum: 1,
      headers: [
        ["trigger-control", "turn-complete"],
        ["session-in-event-id", "0"],
      ],
    };
    expect(await records()).toEqual({
      status: 200,
      body: { records: [{ data: { type: "text-start", id: "t" }, id: "abc", seqNum: 0 }, complete] },
    });
    expect((await records("?afterEventId=0")).body).toEqual({ records: [complete] });
    expect((await records("?afterEventId=1")).body).toEqual({ records: [] });
    for (const bad of ["-1", "1.5", "abc", ""]) {
      const { status, body } = await records(`?afterEventId=${bad}`);
      expect([status, body.error]).toEqual([400, "Query Error"]);
    }
  });
});

describe("addresses", () => {
  it("leads both id forms to the same channel and keeps named channels apart", async () => {
    const id = (await json(app.request("GET", "/api/v1/sessions/chat"))).body.id;
    await app.append(id, "in", "by id", "p");
    const side = "/realtime/v1/sessions/chat/channels/side.1";
    await app.request("POST", `${side}/in/append`, { body: "aside", headers: { "x-part-id": "p" } });
    const records = async (at: string) => (await json(app.request("GET", `${at}/records`))).body.records;
    expect(await records(path("in"))).toEqual([{ data: "by id", id: "p", seqNum: 0 }]);
    expect(await records(`${side}/in`)).toEqual([{ data: "aside", id: "p", seqNum: 0 }]);
    expect(await records(`${side}/out`)).toEqual([]);
  });

  it("streams an unknown external id as empty and does not know an unknown session id", async () => {
    expect((await drained("out", {}, "nobody")).at(-1)).toBe("data: [DONE]");
    expect((await json(app.request("GET", `${path("out", "nobody")}/records`))).body).toEqual({
      records: [],
    });
    for (const suffix of ["", "/records"]) {
      const response = await app.request("GET", path("out", "session_nobody") + suffix);
      expect(response.status).toBe(404);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(await response.json()).toEqual({ error: "Not found" });
    }
  });

  it("refuses an io or a channel name it cannot have", async () => {
    for (const bad of [path("sideways"), "/realtime/v1/sessions/chat/channels/a%20b/in"]) {
      const { status, body } = await json(app.request("GET", bad));
      expect([status, body.error]).toEqual([400, "Params Error"]);
    }
  });

  it("answers HEAD with a chunk index of 0", async () => {
    const response = await app.request("HEAD", path("out"));
    expect(response.status).toBe(200);
    expect(response.headers.get("x-last-chunk-index")).toBe("0");
  });

  it("checks everything on PUT before it says that it has no S2", async () => {
    const put = async (at: string, token?: string) => {
      const response = await app.request("PUT", at, token === undefined ? {} : { token });
      return [response.status, await response.text()];
    };
    const missing = [501, "Session channels require the S2 realtime backend"];
    expect(await put(path("in"))).toEqual(missing);
    expect(await put(path("out"))).toEqual(missing);
    expect(await put(path("in", "nobody"))).toEqual(missing);
    expect(await put(path("in", "session_nobody"))).toEqual([404, "Session not found"]);
    const token = await app.token("write:sessions:chat");
    expect(await put(path("in"), token)).toEqual(missing);
    expect(await put(path("out"), token)).toEqual([
      403,
      "Initializing the out channel requires secret key authentication",
    ]);
    await app.request("POST", "/api/v1/sessions/chat/close", { body: "{}" });
    expect(await put(path("in"))).toEqual([400, "Cannot initialize a channel on a closed session"]);
  });
});

describe("scopes", () => {
  it("accepts either id form to read and append, only the URL's on PUT, and never writes .out", async () => {
    const id = (await json(app.request("GET", "/api/v1/sessions/chat"))).body.id as string;
    const byExternal = await app.token("read:sessions:chat", "write:sessions:chat");
    const byId = await app.token(`read:sessions:${id}`, `write:sessions:${id}`);
    for (const token of [byExternal, byId]) {
      for (const form of ["chat", id]) {
        expect((await app.request("GET", `${path("out", form)}/records`, { token })).status).toBe(200);
        expect((await app.request("POST", `${path("in", form)}/append`, { token, body: "x" })).status).toBe(
          200,
        );
        expect(await json(app.request("POST", `${path("out", form)}/append`, { token, body: "x" }))).toEqual({
          status: 403,
          body: { ok: false, error: "Appending to the out channel requires secret key authentication" },
        });
      }
    }
    expect((await app.request("PUT", path("in", id), { token: byExternal })).status).toBe(403);
    const other = await app.token("read:sessions:other", "write:sessions:other", "admin:sessions");
    for (const [method, suffix] of [
      ["GET", ""],
      ["HEAD", ""],
      ["GET", "/records"],
      ["POST", "/append"],
    ] as const) {
      const body = method === "POST" ? { body: "x" } : {};
      expect((await app.request(method, path("in") + suffix, { token: other, ...body })).status).toBe(403);
    }
  });
});
