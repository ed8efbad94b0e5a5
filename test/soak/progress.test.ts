/** Progress as every client sees it: the built bundle, both eras, both transports, a thousand streamed calls each. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUNDLE, type Running, running } from "../support/bundle.ts";
import {
  CLIENTS,
  type ClientKind,
  type McpClient,
  overHttp,
  overStdio,
  type Tick,
} from "../support/clients.ts";

/** Conversations of one client at the same time, and messages in each: a thousand calls of each of the six clients. */
const LANES = 8;
const MESSAGES = 125;
/** Short turns, so that results come right behind progress; some last long enough to be held to the pace. */
const PACE = 0.1;
/** What passes between the last progress and the result. */
const QUIET_MS = 100;

const API = fileURLToPath(new URL("../support/serve-sessions.ts", import.meta.url));

let api: ChildProcess;
let server: Running;
let env: Record<string, string>;
let url = "";

beforeAll(async () => {
  // A process of its own: what it does must not keep the clients from reading.
  api = spawn(process.execPath, ["--import", "tsx", API, String(PACE)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [printed] = (await once(api.stdout as Readable, "data")) as [Buffer];
  const at = JSON.parse(printed.toString()) as { url: string; secretKey: string };
  env = { TRIGGER_API_URL: at.url, TRIGGER_SECRET_KEY: at.secretKey };
  server = await running(["http", "--auth", "none", "--port", "0"], /serves MCP at \S+\n/, env);
  url = /serves MCP at (\S+)/.exec(server.printed)?.[1] ?? "";
});

afterAll(async () => {
  await server.end();
  const exited = once(api, "exit");
  api.kill();
  await exited;
});

/** Posts to the API as an agent would, or a backend. */
async function post(path: string, body: string): Promise<unknown> {
  const response = await fetch(`${env.TRIGGER_API_URL}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${env.TRIGGER_SECRET_KEY}` },
    body,
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** Answers the new session's external id. */
async function openSession(taskIdentifier: string): Promise<string> {
  const externalId = `chat-${randomUUID()}`;
  const session = { type: "chat.agent", taskIdentifier, externalId, triggerConfig: { basePayload: {} } };
  await post("/api/v1/sessions", JSON.stringify(session));
  return externalId;
}

const TRANSPORTS: Record<string, (kind: ClientKind) => Promise<McpClient>> = {
  HTTP: (kind) => overHttp(kind, url),
  stdio: (kind) => overStdio(kind, [BUNDLE], env),
};

/** Counts how often this process, and so the client in it, has been away for longer than the quiet before a result. */
function watchStalls() {
  let [last, seen] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - last > QUIET_MS) seen += 1;
    last = now;
  }, QUIET_MS / 10);
  return { seen: () => seen, end: () => clearInterval(timer) };
}

interface Streamed {
  ticks: Tick[];
  /** Milliseconds from before the call to after its result. */
  took: number;
}

async function send(client: McpClient, session: string, message: string): Promise<Streamed> {
  const ticks: Tick[] = [];
  const began = performance.now();
  const result = await client.call(
    "send_session_message",
    { session, message },
    { onprogress: (tick) => ticks.push(tick) },
  );
  expect(result.structured, result.text).toMatchObject({ state: "done" });
  return { ticks, took: performance.now() - began };
}

async function converse(client: McpClient): Promise<Streamed[]> {
  const session = await openSession("support-agent");
  const calls: Streamed[] = [];
  for (let message = 0; message < MESSAGES; message += 1) {
    calls.push(await send(client, session, message % 2 === 0 ? "where is order 4821?" : "thanks"));
  }
  return calls;
}

describe.each(Object.entries(TRANSPORTS))("over %s", (_, connect) => {
  it.each(
    CLIENTS,
  )("a %s client sees rising numbers, short lines and at most ten ticks a second, and nothing unasked", async (kind) => {
    const client = await connect(kind);
    const stalls = watchStalls();
    try {
      const calls = (await Promise.all(Array.from({ length: LANES }, () => converse(client)))).flat();
      expect(calls).toHaveLength(LANES * MESSAGES);
      for (const { ticks, took } of calls) {
        const numbers = ticks.map(({ progress }) => progress);
        expect(numbers.length).toBeGreaterThan(0);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        // All but the first have waited a tenth of a second within the call, however late they were delivered.
        expect(ticks.length - 1).toBeLessThanOrEqual(took / 100);
        for (const { message = "" } of ticks) expect(message).toMatch(/^.{1,200}$/u);
      }
      // Only a client that has been away for that long reads progress and result at once, and trips over itself.
      expect(client.errors.length, String(client.errors)).toBeLessThanOrEqual(stalls.seen() * LANES);
      console.log(
        `${kind}: ${calls.length} calls, ${client.errors.length} complaints, ${stalls.seen()} stalls`,
      );
    } finally {
      stalls.end();
      await client.close();
    }
  }, 300_000);

  it.each(
    CLIENTS,
  )("a %s client that sends no token gets a state and a cursor to go on from", async (kind) => {
    const client = await connect(kind);
    try {
      const session = await openSession("quiet");
      await post(
        `/realtime/v1/sessions/${session}/out/append`,
        '{"type":"text-delta","id":"t","delta":"so far"}',
      );
      const { text, structured, isError } = await client.call("follow_session", {
        session,
        after: "start",
        timeout_seconds: 1,
      });
      expect({ structured, isError }, text).toMatchObject({
        structured: { state: "running", cursor: "0" },
        isError: false,
      });
      expect(client.errors).toEqual([]);
    } finally {
      await client.close();
    }
  });
});
