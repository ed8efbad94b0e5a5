/** How fast the bridge reads: one long turn, next to the least anybody has to do with its bytes. */
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { createProgress, type Progress } from "../src/bridge/progress.ts";
import { watch } from "../src/bridge/turn.ts";
import { type FollowPlan, follow } from "../src/client/sse/follow.ts";
import { cleaned } from "./cleaned.ts";
import { interleaved, type Row } from "./measure.ts";
import { batchOf, chunk, complete } from "./wire.ts";

const RECORDS = 40_000;
const RECORDS_A_BATCH = 20;
const SOCKET_READ = 64 * 1024;

/** The first rounds only let both be compiled. */
const WARM_UP = 3;
const ROUNDS = 10;

const PROSE =
  'Your order **#81** shipped on the 15th of March and arrives on the 19th, says the carrier.\n\nIt left as "express": the address was right, so nothing has to be done.\n\n- paid: 81.50 €\n- returned: nothing\n\n';
/** As a model writes: a word at a time, one in nine with something in it that JSON escapes. */
const WORDS = PROSE.match(/\s*\S+/g) ?? [];

/** So many words, and the agent looks something up. */
const WORDS_A_STEP = 94;

/** What the agent writes: text, and now and then the use of a tool. */
function chunkAt(seq: number): object {
  const step = Math.floor(seq / (WORDS_A_STEP + 6));
  const at = seq % (WORDS_A_STEP + 6);
  const tool = { toolCallId: `call_${step}` };
  const id = `t${step}`;
  if (at === 0) return { type: "text-start", id };
  if (at <= WORDS_A_STEP) return { type: "text-delta", id, delta: WORDS[seq % WORDS.length] };
  if (at === WORDS_A_STEP + 1) return { type: "text-end", id };
  if (at === WORDS_A_STEP + 2) return { type: "tool-input-start", ...tool, toolName: "lookup_order" };
  if (at === WORDS_A_STEP + 3) return { type: "tool-input-delta", ...tool, inputTextDelta: '{"order":81}' };
  if (at === WORDS_A_STEP + 4)
    return { type: "tool-input-available", ...tool, toolName: "lookup_order", input: { order: 81 } };
  return { type: "tool-output-available", ...tool, output: { status: "shipped", carrier: "DHL", step } };
}

/** One long turn, in pieces as a socket gives them. */
function turnBytes(): Buffer[] {
  let text = "";
  for (let seq = 0; seq < RECORDS; seq += RECORDS_A_BATCH) {
    const records = Array.from({ length: RECORDS_A_BATCH }, (_, at) => chunk(seq + at, chunkAt(seq + at)));
    text += batchOf(records);
  }
  const bytes = Buffer.from(`${text}${batchOf([complete(RECORDS)])}data: [DONE]\n\n`);
  return Array.from({ length: Math.ceil(bytes.length / SOCKET_READ) }, (_, at) =>
    bytes.subarray(at * SOCKET_READ, (at + 1) * SOCKET_READ),
  );
}

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

export async function throughput(): Promise<Row[]> {
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
