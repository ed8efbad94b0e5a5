/** The streaming bridge: how fast it reads, how soon what it reads is shown, and how many follows one process holds. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createParser } from "eventsource-parser";
import { createProgress, type Progress, type ProgressRecord, type Tick } from "../src/bridge/progress.ts";
import { watch } from "../src/bridge/turn.ts";
import { createTriggerApi } from "../src/client/index.ts";
import { type FollowPlan, follow } from "../src/client/sse/follow.ts";
import { createCleaner } from "../src/views/clean.ts";
import { unfinished } from "../src/views/unfinished.ts";
import { interleaved, ms, type Row } from "./measure.ts";

const RECORDS = 40_000;
const RECORDS_A_BATCH = 20;
const SOCKET_READ = 64 * 1024;

/** The first rounds only let both be compiled. */
const WARM_UP = 3;
const ROUNDS = 10;

const FOLLOWS = 1_000;
const CLIENTS = 20;
const MOST_MB = 400;

const LATENCY_RECORDS = 400;
const LATENCY_PAUSE_MS = 15;
const MOST_LATENCY_MS = 150;

const WORDS = "Your order shipped on the 15th of March and arrives on the 19th, says the carrier".split(" ");

const bodyOf = (seq: number, chunk: object): string => JSON.stringify({ data: chunk, id: `part-${seq}` });

const batchOf = (records: object[]): string => `event: batch\ndata: ${JSON.stringify({ records })}\n\n`;

const delta = (seq: number, text: string) => ({
  seq_num: seq,
  timestamp: 1_787_220_000_000 + seq,
  body: bodyOf(seq, { type: "text-delta", id: "t1", delta: text }),
});

const complete = (seq: number) => ({
  seq_num: seq,
  timestamp: 1_787_220_000_000 + seq,
  headers: [
    ["trigger-control", "turn-complete"],
    ["session-in-event-id", "0"],
  ],
  body: "",
});

/** One long turn, in pieces as a socket gives them. */
function turnBytes(): Buffer[] {
  let text = "";
  for (let seq = 0; seq < RECORDS; seq += RECORDS_A_BATCH) {
    const records = Array.from({ length: RECORDS_A_BATCH }, (_, at) =>
      delta(seq + at, `${WORDS[(seq + at) % WORDS.length]} `),
    );
    text += batchOf(records);
  }
  const bytes = Buffer.from(`${text}${batchOf([complete(RECORDS)])}data: [DONE]\n\n`);
  return Array.from({ length: Math.ceil(bytes.length / SOCKET_READ) }, (_, at) =>
    bytes.subarray(at * SOCKET_READ, (at + 1) * SOCKET_READ),
  );
}

const cleaned = () => ({ clean: createCleaner({ redact: true }), unfinished });

/** From bytes to the turn and, where it is asked for, its progress, as follow_session does it. */
async function bridged(pieces: Buffer[], progress: Progress): Promise<void> {
  const plan: FollowPlan = {
    request: "GET out",
    connect: async () => ({
      value: {
        response: { status: 200, header: () => "true", body: Readable.from(pieces) },
        close() {},
      },
    }),
    bearer: { token: async () => "", renew: async () => undefined },
    takesStreamTokens: false,
    legacyControl: true,
    idleMs: 60_000,
    clock: { now: Date.now, sleep: async () => {}, random: Math.random },
  };
  const watched = await watch(follow(plan, {}), { until: "turn", name: "chat-81", progress });
  if (watched.records !== RECORDS + 1) throw new Error(`${watched.records} records were seen`);
  // Its end waits for the last tick, which is no work.
  void progress.close();
}

/** The least anybody has to do: the events, the records of each, and what each record says. */
async function parsed(pieces: Buffer[]): Promise<void> {
  let records = 0;
  const parser = createParser({
    onEvent({ data }) {
      if (data === "[DONE]") return;
      for (const record of (JSON.parse(data) as { records: { body: string }[] }).records) {
        if (record.body !== "") JSON.parse(record.body);
        records += 1;
      }
    },
  });
  const decoder = new StringDecoder("utf8");
  for await (const piece of Readable.from(pieces)) parser.feed(decoder.write(piece as Buffer));
  if (records !== RECORDS + 1) throw new Error(`${records} records were seen`);
}

async function throughput(): Promise<Row[]> {
  const pieces = turnBytes();
  const megabytes = pieces.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const timed = (work: () => Promise<void>) => async () => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const measurements = {
    silent: timed(() => bridged(pieces, createProgress({}))),
    shown: timed(() => bridged(pieces, createProgress({ send: () => {}, ...cleaned() }))),
    parsed: timed(() => parsed(pieces)),
  };
  await interleaved(WARM_UP, measurements);
  const took = await interleaved(ROUNDS, measurements);
  const rate = (ms: number): string => `${((megabytes / ms) * 1000).toFixed(0)} MB/s`;
  const row = (how: string, ours: number): Row => ({
    what: `bridge, ${RECORDS.toLocaleString("en")} records${how}`,
    measured: rate(ours),
    comparedWith: `eventsource-parser and JSON.parse: ${rate(took.parsed)}`,
    ratio: took.parsed / ours,
    target: "at least 0.8",
    met: took.parsed / ours >= 0.8,
  });
  return [row("", took.silent), row(", cleaned and shown", took.shown)];
}

interface Upstream {
  url: string;
  /** Streams that are open. */
  streams: ServerResponse[];
  close(): Promise<void>;
}

/** An API whose sessions have nothing in them but an open `.out`. */
async function upstream(): Promise<Upstream> {
  const streams: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (path.endsWith("/out")) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      streams.push(response);
      return;
    }
    const id = path.split("/").at(-1);
    const time = "2026-08-20T10:00:00.000Z";
    const session = {
      id,
      type: "chat.agent",
      taskIdentifier: "a",
      tags: [],
      createdAt: time,
      updatedAt: time,
    };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(path.endsWith("/records") ? { records: [] } : session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    streams,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const carriedBy = (tick: Pick<Tick, "_meta">): ProgressRecord[] =>
  (tick._meta?.["trigger-mcp/records"] as ProgressRecord[] | undefined) ?? [];

async function latency(): Promise<Row> {
  const source = await upstream();
  const api = createTriggerApi({ apiUrl: source.url, token: "tr_dev_bench" });
  const arrived = new Map<number, number>();
  const took: number[] = [];
  const progress = createProgress({
    ...cleaned(),
    send(tick) {
      for (const { seq = -1 } of carriedBy(tick)) took.push(performance.now() - (arrived.get(seq) ?? 0));
    },
  });
  const watching = watch(api.channels.follow({ session: "chat-81", io: "out" }), {
    until: "turn",
    name: "chat-81",
    progress,
  });
  while (source.streams.length === 0) await sleep(5);
  for (let seq = 0; seq <= LATENCY_RECORDS; seq += 1) {
    arrived.set(seq, performance.now());
    source.streams[0]?.write(batchOf([seq < LATENCY_RECORDS ? delta(seq, "word ") : complete(seq)]));
    await sleep(LATENCY_PAUSE_MS);
  }
  await watching;
  await progress.close();
  await api.close();
  await source.close();
  const sorted = took.sort((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  const all = took.length === LATENCY_RECORDS + 1;
  return {
    what: "record arrives to progress leaves, p99",
    measured: ms(p99),
    comparedWith: `p50 ${ms(sorted[Math.floor(sorted.length / 2)] ?? 0)}, ${took.length} records shown`,
    target: `under ${MOST_LATENCY_MS}`,
    met: all && p99 < MOST_LATENCY_MS,
  };
}

async function serve(bundle: string, env: Record<string, string>): Promise<[ChildProcess, url: string]> {
  const child = spawn(process.execPath, [bundle, "http", "--auth", "none", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env.PATH ?? "", ...env },
  });
  let printed = "";
  child.stdout.setEncoding("utf8");
  while (!/serves MCP at \S+\n/.test(printed)) printed += String((await once(child.stdout, "data"))[0]);
  return [child, /serves MCP at (\S+)/.exec(printed)?.[1] ?? ""];
}

/** Largest resident size so far, where the system tells. */
async function peakMegabytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

const stateOf = (structured: unknown): unknown => (structured as { state?: unknown } | undefined)?.state;

/** Every follow is open at once; then each is told three words, one after another, and its turn ends. */
async function follows(bundle: string): Promise<Row> {
  const source = await upstream();
  const [child, url] = await serve(bundle, {
    TRIGGER_API_URL: source.url,
    TRIGGER_SECRET_KEY: "tr_dev_bench",
  });
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = new Client(
        { name: "bench", version: "1" },
        { versionNegotiation: { mode: { pin: "2026-07-28" } } },
      );
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      return client;
    }),
  );
  const seen = new Map<number, number>();
  const calls = Array.from({ length: FOLLOWS }, (_, at) =>
    clients[at % CLIENTS]?.callTool(
      { name: "follow_session", arguments: { session: `session_${at}` } },
      {
        timeout: 120_000,
        onprogress: (tick) => void seen.set(at, (seen.get(at) ?? 0) + carriedBy(tick as Tick).length),
      },
    ),
  );
  const results = Promise.allSettled(calls);
  const began = performance.now();
  while (source.streams.length < FOLLOWS && performance.now() - began < 60_000) await sleep(20);
  for (let seq = 0; seq <= 3; seq += 1) {
    for (const stream of source.streams)
      stream.write(batchOf([seq < 3 ? delta(seq, "word ") : complete(seq)]));
    await sleep(1_000);
  }
  const done = (await results).filter(
    (result) => result.status === "fulfilled" && stateOf(result.value?.structuredContent) === "done",
  ).length;
  const shown = [...seen.values()].filter((records) => records === 4).length;
  const peak = await peakMegabytes(child);
  await Promise.all(clients.map((client) => client.close()));
  const exited = once(child, "exit");
  child.kill();
  await exited;
  await source.close();
  return {
    what: `${FOLLOWS.toLocaleString("en")} follows in one HTTP process`,
    measured: `${peak.toFixed(0)} MB at its peak`,
    comparedWith: `${done} done, ${shown} shown every record`,
    target: `under ${MOST_MB}, none starved`,
    met: peak < MOST_MB && done === FOLLOWS && shown === FOLLOWS,
  };
}

export async function bridge(bundle: string): Promise<Row[]> {
  return [...(await throughput()), await latency(), await follows(bundle)];
}
