/** A trace of 10,000 spans: what reading it costs beside parsing its JSON, what its overview costs a model; and 100,000 spans. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { readTree } from "../src/client/wire/trace.ts";
import type { Run } from "../src/domain/run.ts";
import { traceData } from "../src/tools/get-run-trace.ts";
import { createCleaner } from "../src/views/clean.ts";
import { viewTrace } from "../src/views/trace.ts";
import { ms, type Row } from "./measure.ts";

const SPANS = 10_000;
const MOST_TOKENS = 2_000;
const MANY_SPANS = 100_000;
const MOST_MB = 400;
/** Runs of each kind; the first ones only let both be compiled. */
const WARM_UP = 40;
const ROUNDS = 250;
/** Objects, about 16 MB of them. */
const MOST_GARBAGE = 250_000;

const T0 = Date.UTC(2026, 7, 20, 10);
const CALLS = ["GET /stock/SKU-", "SELECT price ", "cache get item:", "render row "];

const RUN: Run = {
  id: "run_cm9x2k4p30001ab12cd34ef56",
  task: "sync-inventory",
  status: "FAILED",
  createdAt: T0,
  updatedAt: T0,
  startedAt: T0,
  finishedAt: T0 + 60_000,
  isTest: false,
  tags: [],
  costInCents: 0,
  baseCostInCents: 0,
  durationMs: 60_000,
  depth: 0,
  attemptCount: 1,
  children: [],
};

interface WireSpan {
  id: string;
  parentId?: string;
  runId: string;
  data: Record<string, unknown>;
  children: WireSpan[];
}

/** Numbers that look random and are the same every time. */
function randomly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

/** A trace body as the API sends it: one attempt, pages of calls of several kinds, one of them deep inside failing. */
export function traceBody(spans: number): { body: string; culprit: string } {
  const next = randomly(7);
  const spanOf = (
    message: string,
    parent: WireSpan | undefined,
    at: number,
    took: number,
    more: object = {},
  ): WireSpan => {
    const id = next().toString(16).padStart(8, "0") + next().toString(16).padStart(8, "0");
    const span: WireSpan = {
      id,
      ...(parent && { parentId: parent.id }),
      runId: RUN.id,
      data: {
        message,
        duration: took * 1e6,
        isError: false,
        isPartial: false,
        isCancelled: false,
        startTime: new Date(T0 + at).toISOString(),
        level: "TRACE",
        events: [],
        ...more,
      },
      children: [],
    };
    parent?.children.push(span);
    return span;
  };
  const root = spanOf("sync-inventory", undefined, 0, 60_000, { isError: true });
  const attempt = spanOf("Attempt 1", root, 3, 59_990, { isError: true, attemptNumber: 1 });
  let culprit = "";
  let made = 2;
  for (let page = 0; made < spans; page += 1) {
    const at = 10 + (page * 59_000 * 40) / spans;
    const head = spanOf(`page ${page}`, attempt, Math.floor(at), 200, { attemptNumber: 1 });
    made += 1;
    for (let call = 0; call < 39 && made < spans; call += 1, made += 1) {
      const fails = culprit === "" && made > spans * 0.9;
      const exception = {
        type: "TypeError",
        message: "Cannot read properties of undefined (reading 'price')",
        stacktrace:
          "TypeError: Cannot read properties of undefined\n    at toRow (/app/src/trigger/sync.ts:42:17)",
      };
      const time = new Date(T0 + Math.floor(at) + call * 5).toISOString();
      const more = fails
        ? { isError: true, events: [{ name: "exception", time, properties: { exception } }] }
        : {};
      const name = fails ? "price row" : `${CALLS[call % CALLS.length]}${next() % 100_000}`;
      const span = spanOf(name, head, Math.floor(at) + call * 5, (next() % 5_000) / 1_000, more);
      if (fails) culprit = span.id;
    }
  }
  return {
    body: JSON.stringify({ trace: { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", rootSpan: root } }),
    culprit,
  };
}

/** From the body's text to the answer's, as get_run_trace does it. */
export function traceToText(body: string): string {
  const trace = readTree(JSON.parse(body));
  if (!trace) throw new Error("the body holds no trace");
  const context = {
    budget: MOST_TOKENS,
    now: T0 + 120_000,
    target: "dev",
    clean: createCleaner({ redact: true }),
    nonce: "a1b2c3d4",
  };
  return viewTrace(traceData(RUN, trace, {}, context.now), context).text;
}

/**
 * Mean times, in turns, with a varying amount of garbage before each run. The collector comes every 16 MB and then takes
 * as long as the work itself: a mean counts its share in both, where a median would depend on which side of half it falls.
 */
function compared(work: () => unknown, other: () => unknown): [ms: number, otherMs: number] {
  const next = randomly(11);
  const took: [number, number] = [0, 0];
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    [work, other].forEach((each, kind) => {
      Array.from({ length: next() % MOST_GARBAGE }, () => ({}));
      const began = performance.now();
      each();
      if (round >= WARM_UP) took[kind as 0 | 1] += performance.now() - began;
    });
  }
  return [took[0] / ROUNDS, took[1] / ROUNDS];
}

export async function traces(): Promise<Row[]> {
  const { body, culprit } = traceBody(SPANS);
  const [text, parse] = compared(
    () => traceToText(body),
    () => JSON.parse(body),
  );
  const overview = traceToText(body);
  const price = encode(overview).length;
  const cited = [...overview.matchAll(/#([0-9a-f]{4,16})/g)].some(([, id = "-"]) => culprit.startsWith(id));
  const peak = await peakMegabytes();
  return [
    {
      what: `trace of ${SPANS.toLocaleString("en")} spans to text`,
      measured: ms(text),
      comparedWith: `JSON.parse of its ${(body.length / 1e6).toFixed(1)} MB: ${ms(parse)}`,
      ratio: text / parse,
      target: "at most 1.5",
      met: text / parse <= 1.5,
    },
    {
      what: "overview of that trace",
      measured: `${price.toLocaleString("en")} tokens`,
      comparedWith: `failing span ${cited ? "cited" : "MISSING"}`,
      target: `at most ${MOST_TOKENS.toLocaleString("en")}`,
      met: cited && price <= MOST_TOKENS,
    },
    {
      what: `trace of ${MANY_SPANS.toLocaleString("en")} spans, peak memory`,
      measured: `${peak.toFixed(0)} MB`,
      comparedWith: "a process of its own",
      target: `at most ${MOST_MB}`,
      met: peak <= MOST_MB,
    },
  ];
}

/** Of a process that makes the large body and reads it: its largest resident size. */
async function peakMegabytes(): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...process.execArgv,
    fileURLToPath(import.meta.url),
    "peak",
  ]);
  return Number(stdout) / 1024;
}

if (process.argv[2] === "peak") {
  traceToText(traceBody(MANY_SPANS).body);
  process.stdout.write(String(process.resourceUsage().maxRSS));
}
