/** The Electric shape-log protocol as the run feeds speak it, contract api.md 3.2. */
import { createHash } from "node:crypto";
import type { StoredRun } from "../engine/types.ts";
import type { Vocabulary } from "./status.ts";

const timestamp = (time: number | undefined): string | null =>
  time === undefined ? null : new Date(time).toISOString().replace("Z", "");

/** A Postgres array literal. */
const textArray = (values: string[]): string | null =>
  values.length === 0 ? null : `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;

const TEXT = { type: "text" };
const TIMESTAMP = { type: "timestamp", precision: 3 };

type Column = [schema: object, value: (run: StoredRun, vocabulary: Vocabulary) => string | null];

/** Every column: how a client decodes it, and its text. */
const COLUMNS: Record<string, Column> = {
  id: [TEXT, (run) => run.id],
  friendlyId: [TEXT, (run) => run.friendlyId],
  taskIdentifier: [TEXT, (run) => run.task],
  status: [
    TEXT,
    ({ status }, vocabulary) => (vocabulary === "legacy" && status === "DEQUEUED" ? "EXECUTING" : status),
  ],
  createdAt: [TIMESTAMP, (run) => timestamp(run.createdAt)],
  updatedAt: [TIMESTAMP, (run) => timestamp(run.updatedAt)],
  startedAt: [TIMESTAMP, (run) => timestamp(run.startedAt)],
  delayUntil: [TIMESTAMP, (run) => timestamp(run.delayUntil)],
  queuedAt: [TIMESTAMP, (run) => timestamp(run.queuedAt)],
  expiredAt: [TIMESTAMP, (run) => timestamp(run.expiredAt)],
  completedAt: [TIMESTAMP, (run) => timestamp(run.completedAt)],
  number: [{ type: "int4" }, () => "1"],
  isTest: [{ type: "bool" }, (run) => (run.isTest ? "t" : "f")],
  usageDurationMs: [{ type: "int4" }, (run) => String(Math.round(run.usageDurationMs))],
  costInCents: [{ type: "float8" }, (run) => String(run.costInCents)],
  baseCostInCents: [{ type: "float8" }, (run) => String(run.baseCostInCents)],
  ttl: [TEXT, (run) => run.ttl ?? null],
  payload: [TEXT, (run) => run.payload ?? null],
  payloadType: [TEXT, (run) => run.payloadType],
  metadata: [TEXT, (run) => run.metadata ?? null],
  metadataType: [TEXT, (run) => run.metadataType],
  output: [TEXT, (run) => run.output ?? null],
  outputType: [TEXT, (run) => run.outputType],
  runTags: [{ type: "text", dims: 1 }, (run) => textArray(run.tags)],
  error: [{ type: "jsonb" }, (run) => (run.error ? JSON.stringify(run.error) : null)],
  realtimeStreams: [{ type: "text", dims: 1 }, () => "{}"],
};

/** These cannot be skipped. */
const KEPT = new Set(["id", "taskIdentifier", "friendlyId", "status", "createdAt"]);

const columnsWithout = (skipped: string[]): [string, Column][] =>
  Object.entries(COLUMNS).filter(([name]) => KEPT.has(name) || !skipped.includes(name));

export const schemaOf = (skipped: string[]): string =>
  JSON.stringify(Object.fromEntries(columnsWithout(skipped).map(([name, [schema]]) => [name, schema])));

/** Full rows and the word that they are all there is. */
export function messagesOf(
  runs: StoredRun[],
  operation: "insert" | "update",
  skipped: string[],
  vocabulary: Vocabulary,
): object[] {
  const columns = columnsWithout(skipped);
  const rows = runs.map((run) => ({
    key: `"public"."TaskRun"/"${run.id}"`,
    value: Object.fromEntries(columns.map(([name, [, text]]) => [name, text(run, vocabulary)])),
    headers: { operation },
  }));
  return [...rows, { headers: { control: "up-to-date" } }];
}

/**
 * `<updatedAtMs>_<number>`: the newest change, and a digest that differs whenever the rows do, so that two changes in
 * one millisecond are two offsets and no state has to be kept between requests.
 */
export function offsetOf(runs: StoredRun[]): string {
  const newest = Math.floor(Math.max(0, ...runs.map(({ updatedAt }) => updatedAt)));
  const hash = createHash("sha256");
  for (const run of runs) {
    hash.update(`${run.id} ${run.status} ${run.updatedAt} ${run.metadata} ${run.tags.join(",")};`);
  }
  return `${newest}_${hash.digest().readUInt32BE()}`;
}

/** The time an offset speaks of; 0 for `-1` and anything unreadable. */
export const timeOf = (offset: string): number => Number(/^(\d+)_\d+$/.exec(offset)?.[1] ?? 0);
