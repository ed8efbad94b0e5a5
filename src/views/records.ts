/** Raw channel records as rows, cut only where the next call can go on without losing one. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { clockSeconds, count, counted, oneLine } from "./format.ts";
import { cleanPieces } from "./pieces.ts";
import { fits, tokens } from "./tokens.ts";
import { json } from "./tool-use.ts";

export interface ShownRecord {
  seq?: number;
  /** Unix milliseconds. */
  time?: number;
  kind: string;
  data?: unknown;
}

export interface RecordList {
  session: string;
  io: "in" | "out";
  channel?: string;
  after?: number;
  /** Those asked for, oldest first. */
  records: ShownRecord[];
  /** Further records there are after them. */
  more: number;
}

/** Tokens that numbers in the lines around the rows may cost more than when nothing is shown. */
const SLACK = 30;
/** Characters of data a row has at least, and per token of its share of the budget. */
const LEAST_DATA = 80;
const CHARACTERS_PER_TOKEN = 2.5;

export function viewRecords(list: RecordList, context: ViewContext): Answer {
  const records = cleanPieces(list.records, context.clean);
  const frame = [headOf(list, records.length, context), lastLine(list, records.length + list.more, records)];
  const room = context.budget - tokens(frame.join("\n")) - SLACK;
  const share = Math.floor((room / Math.max(1, records.length)) * CHARACTERS_PER_TOKEN);
  const rows = records.map((record) => rowOf(record, Math.max(LEAST_DATA, share), context));
  const shown = howManyFit(rows, room);
  const taken = records.slice(0, shown);
  const left = records.length - shown + list.more;
  const cursor = cursorAfter(list, taken);
  const lines = [headOf(list, shown, context), ...rows.slice(0, shown), lastLine(list, left, taken)];
  return {
    text: lines.join("\n"),
    structured: {
      session: list.session,
      io: list.io,
      ...(list.channel !== undefined && { channel: list.channel }),
      ...(cursor !== undefined && { cursor: String(cursor) }),
      shown,
      more: left,
      next: left > 0 ? [onward(list, taken)] : [],
    },
  };
}

const lastLine = (list: RecordList, left: number, taken: readonly ShownRecord[]): string =>
  left > 0
    ? `${counted(left, "more record")}: ${formatCall(onward(list, taken))}`
    : "end of what is there now";

const cursorAfter = (list: RecordList, taken: readonly ShownRecord[]): number | undefined =>
  lastSeq(taken) ?? list.after;

function onward(list: RecordList, taken: readonly ShownRecord[]): Call {
  const cursor = cursorAfter(list, taken);
  return call("read_session_channel", {
    session: list.session,
    io: list.io,
    ...(list.channel !== undefined && { channel: list.channel }),
    ...(cursor !== undefined && { after: String(cursor) }),
  });
}

function headOf(
  { session, io, channel, after, records, more }: RecordList,
  shown: number,
  context: ViewContext,
): string {
  const name = `${oneLine(context.clean(session), 100)} ${channel === undefined ? "" : `${channel} `}.${io}`;
  const from = after === undefined ? "from the earliest that survives" : `after ${after}`;
  const total = records.length + more;
  const many =
    shown === total ? counted(total, "record") : `${count(shown)} of ${counted(total, "record")} shown`;
  return `${name} · ${from} · ${many} · ${context.target}`;
}

function rowOf({ seq, time, kind, data }: ShownRecord, length: number, context: ViewContext): string {
  const cells = [
    seq ?? "-",
    time === undefined ? undefined : clockSeconds(time),
    oneLine(context.clean(kind), 40),
    data === undefined ? undefined : json(data, length, context),
  ];
  return cells.filter((cell) => cell !== undefined).join("  ");
}

/** The longest beginning that fits; a first row that is too long for all the room is shown cut. */
function howManyFit(rows: string[], room: number): number {
  let spent = 0;
  for (const [index, row] of rows.entries()) {
    spent += tokens(`${row}\n`);
    if (spent <= room) continue;
    if (index > 0) return index;
    rows[0] = cut(row, room);
    return 1;
  }
  return rows.length;
}

function cut(row: string, room: number): string {
  let length = row.length;
  while (length > 16 && !fits(oneLine(row, length), room)) length = Math.floor(length * 0.7);
  return oneLine(row, length);
}

const lastSeq = (records: readonly ShownRecord[]): number | undefined =>
  records.findLast((record) => record.seq !== undefined)?.seq;
