/** The streaming bridge: how fast it reads, how soon what it reads is shown, and how many follows one process holds. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createProgress, type ProgressRecord, type Tick } from "../src/bridge/progress.ts";
import { watch } from "../src/bridge/turn.ts";
import { createTriggerApi } from "../src/client/index.ts";
import { cleaned } from "./cleaned.ts";
import { ms, type Row } from "./measure.ts";
import { throughput } from "./throughput.ts";
import { batchOf, complete, delta } from "./wire.ts";

const FOLLOWS = 1_000;
const CLIENTS = 20;
const MOST_MB = 400;

const LATENCY_RECORDS = 400;
const LATENCY_PAUSE_MS = 15;
const MOST_LATENCY_MS = 150;

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
