/** Records as they may be shown: what they say, without the credentials some of them carry. */
import { isObject } from "../domain/message.ts";
import type { ChannelRecord, ControlRecord } from "../domain/record.ts";
import type { ProgressRecord } from "./progress.ts";

export interface PlainRecord {
  seq?: number;
  /** Unix milliseconds. */
  time?: number;
  /** A chunk's type, an input's kind, `data`, or the name of a control record. */
  kind: string;
  data?: unknown;
}

export function plainRecord(record: ChannelRecord): PlainRecord {
  const at = {
    ...(record.seq !== undefined && { seq: record.seq }),
    ...(record.timestamp !== undefined && { time: record.timestamp }),
  };
  if (record.kind === "skipped") return { ...at, kind: record.reason };
  if (record.kind === "control") return { ...at, kind: record.control, data: openHeaders(record) };
  return { ...at, kind: dataKind(record.data), data: record.data };
}

/** The same for a progress tick: `data`, or the name of the control record. */
export function progressRecord(record: ChannelRecord): ProgressRecord {
  // Made at once: streams bring many thousands of these.
  if (record.kind === "data" && record.seq !== undefined)
    return { seq: record.seq, kind: "data", chunk: record.data };
  const at = record.seq === undefined ? {} : { seq: record.seq };
  if (record.kind === "skipped") return { ...at, kind: record.kind };
  if (record.kind === "control") return { ...at, kind: record.control, chunk: openHeaders(record) };
  return { ...at, kind: "data", chunk: record.data };
}

function dataKind(data: unknown): string {
  if (!isObject(data)) return "data";
  if (typeof data.type === "string") return data.type;
  return typeof data.kind === "string" ? data.kind : "data";
}

/** A control record's headers but for its name and the session token it may carry. */
const openHeaders = (record: ControlRecord): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record.headers).filter(([name]) => name !== "trigger-control" && !/token/i.test(name)),
  );
