import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { allEvents, dataOf, openEvents } from "../support/sse.ts";

const SERVER = fileURLToPath(new URL("../support/serve-embedded.ts", import.meta.url));
const ROUNDS = 10;
const WRITERS = 3;

let dataDir: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "trigger-mcp-kill-"));
});
afterEach(async () => {
  await kill();
  await rm(dataDir, { recursive: true, force: true });
});

async function serve(): Promise<{ url: string; secretKey: string }> {
  child = spawn(process.execPath, ["--import", "tsx", SERVER, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("the server has no stdout");
  for await (const line of createInterface(child.stdout)) return JSON.parse(line);
  throw new Error("the server ended before it listened");
}

async function kill(): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

it("keeps every acknowledged append once and in order, however often it is killed", async () => {
  /** Text of each record sent to the sequence number it was answered with; undefined when the answer had none. */
  const acknowledged = new Map<string, number | undefined>();
  let sent = 0;
  /** Sent but not answered when the server died: sent again, under the same part id. */
  let unanswered: string[] = [];

  for (let round = 0; round < ROUNDS; round += 1) {
    const { url, secretKey } = await serve();
    const post = (path: string, body: string, headers = {}) =>
      fetch(url + path, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${secretKey}`, ...headers },
      });
    const session = {
      type: "test",
      taskIdentifier: "nobody",
      externalId: "log",
      triggerConfig: { basePayload: {} },
    };
    expect((await post("/api/v1/sessions", JSON.stringify(session))).ok).toBe(true);

    const again = unanswered;
    unanswered = [];
    let left = 5 + Math.floor(Math.random() * 60);
    await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        while (left > 0) {
          const text = again.pop() ?? `record ${sent++}`;
          try {
            const path = "/realtime/v1/sessions/log/in/append";
            const response = await post(path, text, { "x-part-id": text });
            const answer = (await response.json()) as { seq?: number };
            expect(response.status).toBe(200);
            acknowledged.set(text, answer.seq);
            left -= 1;
          } catch (error) {
            if (!(error instanceof TypeError)) throw error;
            unanswered.push(text);
            return;
          }
          // One writer pulls the plug while the others have an append under way.
          if (left === 0) await kill();
        }
      }),
    );
    unanswered.push(...again);
    await kill();
  }

  const { url, secretKey } = await serve();
  const headers = { authorization: `Bearer ${secretKey}` };
  const response = await fetch(`${url}/realtime/v1/sessions/log/in/records`, { headers });
  const { records } = (await response.json()) as { records: { data: string; id: string; seqNum: number }[] };

  expect(acknowledged.size).toBeGreaterThanOrEqual(5 * ROUNDS);
  expect(records.map(({ seqNum }) => seqNum)).toEqual(records.map((_, index) => index));
  expect(new Set(records.map(({ data }) => data)).size).toBe(records.length);
  const stored = new Map(records.map(({ data, seqNum }) => [data, seqNum]));
  for (const [text, seq] of acknowledged) expect(stored.get(text)).toBe(seq ?? stored.get(text) ?? "lost");
  const known = new Set([...acknowledged.keys(), ...unanswered]);
  expect([...stored.keys()].filter((text) => !known.has(text))).toEqual([]);

  const events = await openEvents(`${url}/realtime/v1/sessions/log/in`, {
    ...headers,
    "timeout-seconds": "1",
  });
  const batches = (await allEvents(events)).filter((event) => event.startsWith("event: batch"));
  const streamed = batches.flatMap((event) =>
    dataOf(event).records.map(({ body }) => JSON.parse(body ?? "").data),
  );
  expect(streamed).toEqual(records.map(({ data }) => data));
}, 120_000);
