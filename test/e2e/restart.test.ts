/** A server that is killed in the middle of a turn: another process finishes the same turn from what the first one told. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { ProgressRecord } from "../../src/bridge/progress.ts";
import { BUNDLE, type Running, running } from "../support/bundle.ts";
import { asker } from "../support/embedded.ts";

const QUESTION = "hello there";
const ANSWER =
  "Hello, this is the support desk. Tell me your order number and I will look it up, cancel it or refund it.";

let api: Running;
const env: Record<string, string> = {};
const servers: Server[] = [];

beforeAll(async () => {
  api = await running(["http", "--embedded", "--ephemeral", "--port", "0"], /Ctrl-C stops it/);
  for (const name of ["TRIGGER_API_URL", "TRIGGER_SECRET_KEY"]) {
    env[name] = new RegExp(`${name}=(\\S+)`).exec(api.printed)?.[1] ?? "";
  }
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.kill()));
});
afterAll(async () => {
  await api.end();
});

interface Called {
  text: string;
  facts: Record<string, unknown> & { state?: string; cursor?: string; seq?: number };
}

interface Server {
  /** `onRecord` sees what progress carries; a call that the server does not survive rejects. */
  call(name: string, args: object, onRecord?: (record: ProgressRecord) => void): Promise<Called>;
  /** SIGKILL: it can say nothing more. */
  kill(): Promise<void>;
}

async function startServer(): Promise<Server> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BUNDLE],
    env: { PATH: process.env.PATH ?? "", ...env },
    stderr: "inherit",
  });
  const client = new Client({ name: "restart-test", version: "1.0.0" });
  await client.connect(transport);
  const gone = new Promise<void>((resolve) => {
    client.onclose = resolve;
  });
  const server: Server = {
    async call(name, args, onRecord = () => {}) {
      const result = await client.callTool({ name, arguments: { ...args } }, undefined, {
        timeout: 60_000,
        onprogress: (tick) => recordsOf(tick).forEach(onRecord),
      });
      const [block] = result.content as { text: string }[];
      return { text: block?.text ?? "", facts: (result.structuredContent ?? {}) as Called["facts"] };
    },
    async kill() {
      if (transport.pid !== null) process.kill(transport.pid, "SIGKILL");
      await gone;
    },
  };
  servers.push(server);
  return server;
}

const recordsOf = (tick: object): ProgressRecord[] =>
  (tick as { _meta?: Record<string, ProgressRecord[]> })._meta?.["trigger-mcp/records"] ?? [];

const typeOf = ({ chunk }: ProgressRecord): string | undefined =>
  (chunk as { type?: string } | undefined)?.type;

const wordsOf = (records: readonly ProgressRecord[]): string =>
  records
    .filter((record) => typeOf(record) === "text-delta")
    .map(({ chunk }) => (chunk as { delta: string }).delta)
    .join("");

async function startSession(server: Server, external_id: string): Promise<void> {
  await server.call("start_session", { task: "support-agent", external_id });
}

/** Sends the question and kills the server when the agent has begun to think; what progress had carried. */
async function killedWhileAnswering(session: string, more: object = {}): Promise<ProgressRecord[]> {
  const server = await startServer();
  await startSession(server, session);
  const records: ProgressRecord[] = [];
  let begun = () => {};
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const sending = server.call("send_session_message", { session, message: QUESTION, ...more }, (record) => {
    records.push(record);
    if (typeOf(record) === "reasoning-delta") begun();
  });
  const broken = expect(sending).rejects.toThrow();
  await beginning;
  await server.kill();
  await broken;
  expect(records.at(-1)?.kind).toBe("data");
  return records;
}

it("goes on after the last record that progress carried", async () => {
  const records = await killedWhileAnswering("restart-1");
  const rest: ProgressRecord[] = [];
  const second = await startServer();
  const { facts } = await second.call(
    "follow_session",
    { session: "restart-1", after: records.at(-1)?.seq },
    (record) => rest.push(record),
  );
  expect(facts).toMatchObject({ state: "done", session: "restart-1", turn: 1 });
  const all = [...records, ...rest];
  expect(wordsOf(all)).toBe(ANSWER);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index));
  expect(all.at(-1)?.kind).toBe("turn-complete");
});

it("goes on from the cursor of an answer that was given in the middle of the turn", async () => {
  const first = await startServer();
  await startSession(first, "restart-2");
  const sending = first.call("send_session_message", { session: "restart-2", message: QUESTION });
  const broken = expect(sending).rejects.toThrow();
  const before: ProgressRecord[] = [];
  const some = await first.call(
    "follow_session",
    { session: "restart-2", after: "start", until: "count", count: 8 },
    (record) => before.push(record),
  );
  await first.kill();
  await broken;
  expect(before).toHaveLength(8);

  const second = await startServer();
  const rest: ProgressRecord[] = [];
  const { facts } = await second.call(
    "follow_session",
    { session: "restart-2", after: some.facts.cursor, until_seq: 0 },
    (record) => rest.push(record),
  );
  expect(facts).toMatchObject({ state: "done", seq: 0 });
  const all = [...before, ...rest];
  expect(wordsOf(all)).toBe(ANSWER);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index));
});

it("finds the turn again by the key of the message, and sends nothing twice", async () => {
  await killedWhileAnswering("restart-3", { key: "once" });
  const second = await startServer();
  const { text, facts } = await second.call("send_session_message", {
    session: "restart-3",
    message: QUESTION,
    key: "once",
  });
  expect(facts).toMatchObject({ state: "done", turn: 1, seq: 0 });
  expect(text).toContain(ANSWER);
  const ask = asker(env.TRIGGER_API_URL ?? "", env.TRIGGER_SECRET_KEY ?? "");
  const { body } = await ask("/realtime/v1/sessions/restart-3/in/records");
  expect(body.records).toHaveLength(1);
});
