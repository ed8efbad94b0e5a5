/** From server-sent events to channel records: all of contract channels.md 2 to 4, and the forms it tolerates. */
import type { EventSourceMessage } from "eventsource-parser";
import type { ChannelRecord, ControlRecord } from "../../domain/record.ts";
import { parse, readBody } from "./body.ts";

export type StreamEvent =
  /** `tail`: the sequence number the next record will get, told only while following live. */
  | { kind: "records"; records: ChannelRecord[]; tail?: number }
  | { kind: "ping"; tail?: number }
  | { kind: "done" }
  | { kind: "error" }
  | { kind: "nothing" };

type Wire = Record<string, unknown>;

/** Header names and values of a record, in order. */
type Headers = [string, string][];

const NOTHING: StreamEvent = { kind: "nothing" };

/**
 * `legacyControl`: data chunks of type `trigger:*` are control information, as older agents write it on `.out` (4.2).
 */
export function decodeEvent(event: EventSourceMessage, legacyControl: boolean): StreamEvent {
  if (event.data === "[DONE]") return { kind: "done" };
  if (event.event === "error") return { kind: "error" };
  const data = parse(event.data);
  if (!isObject(data)) return NOTHING;
  if (event.event === "ping") {
    const tail = nextOf(data.tail);
    return tail === undefined ? { kind: "ping" } : { kind: "ping", tail };
  }
  if (Array.isArray(data.records)) {
    const records = data.records.map((wire: unknown) => decodeRecord(wire, legacyControl));
    const tail = nextOf(data.tail);
    return tail === undefined ? { kind: "records", records } : { kind: "records", records, tail };
  }
  if (event.event !== undefined && event.event !== "message") return NOTHING;
  const record = simplified(data, event.id, legacyControl);
  return record ? { kind: "records", records: [record] } : NOTHING;
}

/** One record of a batch. */
function decodeRecord(wire: unknown, legacyControl: boolean): ChannelRecord {
  if (!isObject(wire)) return { kind: "skipped", reason: "unreadable" };
  const at = position(sequence(wire.seq_num), wire.timestamp);
  const headers = headersOf(wire.headers);
  if (headers[0]?.[0] === "") return { kind: "skipped", reason: "command", ...at };
  const control = headers === NO_HEADERS ? undefined : controlRecord(headers, at);
  if (control) return control;
  const body = typeof wire.body === "string" ? readBody(wire.body) : wire.body;
  if (!isObject(body) || !("data" in body)) return { kind: "skipped", reason: "unreadable", ...at };
  return dataRecord(body.data, partId(body.id), at, legacyControl);
}

/** One entry of a `/records` answer (api.md 5.5): the envelope is taken off, numeric ids are sequence numbers. */
export function decodeListed(wire: unknown, legacyControl: boolean): ChannelRecord {
  if (!isObject(wire)) return { kind: "skipped", reason: "unreadable" };
  const at = position(sequence(wire.seqNum) ?? sequence(wire.id), wire.timestamp);
  const control = controlRecord(headersOf(wire.headers), at);
  if (control) return control;
  if (!("data" in wire)) return { kind: "skipped", reason: "unreadable", ...at };
  return dataRecord(wire.data, partId(wire.id), at, legacyControl);
}

/** The event shapes of channels.md 3.2. */
function simplified(
  data: Wire,
  eventId: string | undefined,
  legacyControl: boolean,
): ChannelRecord | undefined {
  const fromEvent = digits(eventId);
  const headers = headersOf(data.headers);
  if (headers[0]?.[0] === "") return { kind: "skipped", reason: "command", ...position(fromEvent) };
  const control = controlRecord(headers, position(fromEvent ?? sequence(data.seq_num)));
  if (control) return control;
  if ("data" in data && "id" in data) {
    const at = position(fromEvent ?? sequence(data.id));
    return dataRecord(data.data, partId(data.id), at, legacyControl);
  }
  if (typeof data.type === "string") return dataRecord(data, undefined, position(fromEvent), legacyControl);
  return undefined;
}

function dataRecord(
  sent: unknown,
  part: string | undefined,
  at: Position,
  legacyControl: boolean,
): ChannelRecord {
  const data = typeof sent === "string" ? unwrap(sent) : sent;
  if (legacyControl && isObject(data) && typeof data.type === "string" && data.type.startsWith("trigger:")) {
    return legacyRecord(data, at);
  }
  const { seq, timestamp } = at;
  // Made at once where nothing is missing: streams bring many thousands of these.
  if (part !== undefined && seq !== undefined && timestamp !== undefined)
    return { kind: "data", data, partId: part, seq, timestamp };
  return { kind: "data", data, ...(part !== undefined && { partId: part }), ...at };
}

/** Text that came through `append` is JSON inside a string (3.1); text that is only text stays text. */
function unwrap(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  const value = parse(text);
  return typeof value === "object" && value !== null ? value : text;
}

function legacyRecord(data: Wire, at: Position): ChannelRecord {
  if (data.type !== "trigger:turn-complete" && data.type !== "trigger:upgrade-required") {
    return { kind: "skipped", reason: "command", ...at };
  }
  const control = data.type.slice("trigger:".length);
  const record: ControlRecord = { kind: "control", control, headers: {}, ...at };
  if (typeof data.publicAccessToken === "string") record.token = data.publicAccessToken;
  return record;
}

const CONTROL = "trigger-control";
const TOKEN = "public-access-token";
const COMMITTED_INPUT = "session-in-event-id";

function controlRecord(headers: Headers, at: Position): ControlRecord | undefined {
  const control = headers.find(([name]) => name === CONTROL)?.[1];
  if (control === undefined) return undefined;
  // The token is a credential: it must not travel among the headers, which may be shown.
  const shown = headers.filter(([name]) => name !== TOKEN && name !== CONTROL);
  const record: ControlRecord = { kind: "control", control, headers: Object.fromEntries(shown), ...at };
  const token = headers.find(([name]) => name === TOKEN)?.[1];
  const inputSeq = digits(headers.find(([name]) => name === COMMITTED_INPUT)?.[1]);
  if (token) record.token = token;
  if (inputSeq !== undefined) record.inputSeq = inputSeq;
  return record;
}

/** Absent, `null` and `[]` are alike. */
function headersOf(headers: unknown): Headers {
  if (!Array.isArray(headers) || headers.length === 0) return NO_HEADERS;
  return headers.filter(
    (pair): pair is [string, string] =>
      Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string",
  );
}

const NO_HEADERS: Headers = [];

interface Position {
  seq?: number;
  timestamp?: number;
}

function position(seq: number | undefined, timestamp?: unknown): Position {
  if (seq !== undefined && typeof timestamp === "number") return { seq, timestamp };
  const at: Position = {};
  if (seq !== undefined) at.seq = seq;
  if (typeof timestamp === "number") at.timestamp = timestamp;
  return at;
}

/** A sequence number as JSON has it: a number or digits. */
function sequence(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return typeof value === "string" ? digits(value) : undefined;
}

function digits(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A number in its place is a sequence number, not a part. */
const partId = (id: unknown): string | undefined => (typeof id === "string" && id !== "" ? id : undefined);

const nextOf = (tail: unknown): number | undefined => (isObject(tail) ? sequence(tail.seq_num) : undefined);

const isObject = (value: unknown): value is Wire =>
  typeof value === "object" && value !== null && !Array.isArray(value);
