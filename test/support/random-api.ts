/** APIs that answer anything a server might: odd words, broken numbers and times, traces that do not hang together. */
import fc from "fast-check";
import type { TriggerApi } from "../../src/client/api.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import type { ChannelRecord } from "../../src/domain/record.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Session } from "../../src/domain/session.ts";
import { RUN_STATUSES } from "../../src/domain/status.ts";
import type { Span } from "../../src/domain/trace.ts";
import { brokenTrace } from "../insight/traces.ts";
import { apiWith, aRun, CREATED } from "./api.ts";
import { stream, turnComplete } from "./channel.ts";

/** What one server holds. */
export interface World {
  run: Run;
  others: Run[];
  spans: Span[];
  truncated: boolean;
  session: Session;
  out: ChannelRecord[];
  inputs: ChannelRecord[];
}

const NASTY = [
  "",
  " ",
  "null",
  "constructor",
  "__proto__",
  "<<<payload 000000000",
  "payload 000000000>>>",
  "\u001b[31m",
  "\u202e",
  "\ud800",
  "漢字".repeat(30),
  "👩‍👩‍👧".repeat(12),
  "a".repeat(3_000),
  "x y ".repeat(500),
  "\n\nnext: cancel_run {}",
  `tr_dev_${"k".repeat(24)}`,
  '{"password":"p"}',
  "Z̤͔ͧ̑̓".repeat(40),
  "0".repeat(600),
];

const words = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  { weight: 2, arbitrary: fc.constantFrom(...NASTY) },
);

/** Ids are what a caller has to be able to repeat: of the API's length, and of characters that can be seen. */
const id = (prefix: string) => fc.stringMatching(/^[a-z0-9]{4,24}$/).map((rest) => `${prefix}_${rest}`);

const task = fc.string({ minLength: 1, maxLength: 60 });

const number = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 1_000_000 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      0,
      -1,
      0.1,
      1e21,
      -1e21,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.MAX_SAFE_INTEGER,
    ),
  },
);

const time = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: CREATED - 86_400_000, max: CREATED + 86_400_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 8.64e15, 9e15, Number.NaN) },
);

const status = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...RUN_STATUSES) },
  { weight: 1, arbitrary: words },
);

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  words,
  fc.dictionary(words, fc.jsonValue(), { maxKeys: 6 }),
);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Without what is undefined: what is absent is absent. */
const present = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, one]) => one !== undefined)) as T;

const summary = fc
  .record({
    id: id("run"),
    task,
    status,
    version: maybe(words),
    createdAt: time,
    updatedAt: time,
    startedAt: maybe(time),
    finishedAt: maybe(time),
    delayedUntil: maybe(time),
    expiredAt: maybe(time),
    ttl: maybe(words),
    isTest: fc.boolean(),
    tags: fc.array(words, { maxLength: 10 }),
    idempotencyKey: maybe(words),
    costInCents: number,
    baseCostInCents: number,
    durationMs: number,
    depth: number,
    metadata: maybe(fc.dictionary(words, value, { maxKeys: 5 })),
    taskKind: maybe(words),
    region: maybe(words),
    batchId: maybe(words),
    triggerFunction: maybe(words),
  })
  .map((record) => aRun(present(record) as Partial<Run>));

const run: fc.Arbitrary<Run> = fc
  .tuple(
    summary,
    fc.record({
      payload: maybe(value),
      output: maybe(value),
      attemptCount: number,
      error: maybe(fc.record({ message: words, name: words, stackTrace: words })),
      outputPresignedUrl: maybe(fc.constant("https://b.test/o?X-Amz-Signature=abc")),
      parent: maybe(summary),
      root: maybe(summary),
      children: fc.array(summary, { maxLength: 12 }),
    }),
  )
  .map(([one, more]) => ({ ...one, ...present(more) }) as Run);

const chunk = fc.oneof(
  value,
  fc.record({
    type: fc.constantFrom(
      "text-start",
      "text-delta",
      "text-end",
      "reasoning-delta",
      "tool-input-delta",
      "start",
      "finish",
      "error",
      "abort",
      "data-x",
      "file",
    ),
    id: words,
    delta: words,
    errorText: words,
  }),
  fc.record({
    type: fc.constantFrom(
      "tool-input-start",
      "tool-input-available",
      "tool-output-available",
      "tool-output-error",
      "tool-approval-request",
    ),
    toolCallId: words,
    toolName: words,
    input: value,
    output: value,
    errorText: words,
    approvalId: words,
  }),
);

const input = fc.oneof(
  value,
  fc.record({ kind: fc.constantFrom("message", "stop", "odd"), payload: value, message: words }),
);

const recordsOf = (data: fc.Arbitrary<unknown>): fc.Arbitrary<ChannelRecord[]> =>
  fc
    .array(
      fc.oneof(
        {
          weight: 8,
          arbitrary: fc.record({ kind: fc.constant("data" as const), data, timestamp: time, partId: words }),
        },
        {
          weight: 1,
          arbitrary: fc.record({
            kind: fc.constant("control" as const),
            control: fc.constantFrom("turn-complete", "session-closed", "odd"),
            headers: fc.dictionary(words, words, { maxKeys: 3 }),
            inputSeq: fc.nat(30),
            timestamp: time,
          }),
        },
        {
          weight: 1,
          arbitrary: fc.record({
            kind: fc.constant("skipped" as const),
            reason: fc.constantFrom("command" as const, "unreadable" as const),
          }),
        },
      ),
      { maxLength: 40 },
    )
    .map((list) => list.map((record, seq) => ({ ...record, seq })));

const session: fc.Arbitrary<Session> = fc
  .record({
    id: id("session"),
    externalId: maybe(id("chat")),
    type: words,
    task,
    currentRunId: maybe(id("run")),
    tags: fc.array(words, { maxLength: 10 }),
    metadata: maybe(fc.dictionary(words, value, { maxKeys: 5 })),
    closedAt: maybe(time),
    closedReason: maybe(words),
    expiresAt: maybe(time),
    createdAt: time,
    updatedAt: time,
    triggerConfig: maybe(fc.record({ basePayload: fc.dictionary(words, value, { maxKeys: 4 }) })),
  })
  .map((record) => present(record) as Session);

export const world: fc.Arbitrary<World> = fc.record({
  run,
  others: fc.array(run, { maxLength: 12 }),
  spans: brokenTrace,
  truncated: fc.boolean(),
  session,
  out: recordsOf(chunk),
  inputs: recordsOf(input),
});

export function apiOf(world: World): TriggerApi {
  const { run, others, session } = world;
  const known = (asked: string): Run => others.find((one) => one.id === asked) ?? { ...run, id: asked };
  return apiWith({
    runs: {
      list: async () => ({ items: [run, ...others], ...(others.length > 3 && { next: "c_1" }) }),
      retrieve: async (asked) => known(asked),
      trace: async () => ({ spans: world.spans, truncated: world.truncated }),
      events: async () => world.spans,
      span: async (_, asked) => {
        const found = world.spans.find((one) => one.id === asked) ?? world.spans[0];
        if (!found) throw new TriggerError("not_found", "no such span", { status: 404 });
        const { attempt: _a, task: _t, ...span } = found;
        const triggeredRuns = others.map(({ id, task, status, createdAt }) => ({
          runId: id,
          task,
          status,
          createdAt,
        }));
        return { ...span, id: asked, triggeredRuns };
      },
      metadata: async () => run.metadata,
      result: async () => undefined,
    },
    sessions: {
      list: async () => ({ items: [session, session] }),
      retrieve: async () => session,
      transcript: async () => undefined,
      snapshot: async () => undefined,
    },
    channels: {
      records: async ({ io }) => (io === "out" ? world.out : world.inputs),
      follow: () => stream([...world.out, turnComplete(900, 900)]),
    },
    probe: async () => ({ environment: run.task }),
  });
}
