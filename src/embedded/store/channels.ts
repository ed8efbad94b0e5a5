/**
 * Channel records at rest, contract channels.md 1, 6 and 8: numbered from 0 per channel, appended in one transaction,
 * so that an append that was answered is on disk and one that was not has left nothing.
 */
import type { ChannelIo } from "../../domain/record.ts";
import type { Db } from "./db.ts";
import { atomically } from "./transaction.ts";

/** One stream. `key` is the session's canonical key: both id forms of a session come to the same one. */
export interface ChannelAddress {
  environmentId: string;
  key: string;
  io: ChannelIo;
  /** A named side channel; absent for the session's own two. */
  channel?: string;
}

export type RecordHeader = [name: string, value: string];

export interface StoredRecord {
  seq: number;
  /** Unix milliseconds, never lower than the record's before. */
  timestamp: number;
  /** Metered bytes: what limits are counted in. */
  size: number;
  headers: RecordHeader[];
  body: string;
}

export interface NewRecord {
  headers?: RecordHeader[];
  body?: string;
}

/** `seq` is the number the next record will get; `timestamp` the last record's, 0 when there was none. */
export interface Tail {
  seq: number;
  timestamp: number;
}

export const RECORD_LIMIT = 1_048_576;
const PAGE_RECORDS = 1_000;
const PART_WINDOW_MS = 5 * 60_000;

/** S2's metering: 8 bytes a record, 2 a header, and the text. */
export const meteredSize = ({ headers = [], body = "" }: NewRecord): number =>
  8 +
  Buffer.byteLength(body) +
  headers.reduce((sum, [name, value]) => sum + 2 + Buffer.byteLength(name) + Buffer.byteLength(value), 0);

export const isCommand = ({ headers }: Pick<StoredRecord, "headers">): boolean => headers[0]?.[0] === "";

/** Value of the first header of that name. */
export const header = ({ headers }: Pick<StoredRecord, "headers">, name: string): string | undefined =>
  headers.find(([known]) => known === name)?.[1];

/** Larger than a record may be; `size` is metered. */
export class RecordTooLarge extends Error {
  readonly size: number;
  constructor(size: number) {
    super(
      `Record metered size ${size} bytes exceeds the S2 per-record limit of ${RECORD_LIMIT} bytes. ` +
        "Reduce tool-output size or split into smaller parts.",
    );
    this.size = size;
  }
}

export interface ChannelStore {
  /** Undefined: the part id was seen less than five minutes ago, nothing was appended. Throws {@link RecordTooLarge}. */
  append(address: ChannelAddress, record: NewRecord, partId?: string): { seq: number } | undefined;
  /** Appends a trim command; records below `floor` disappear once the trim delay has passed. */
  trim(address: ChannelAddress, floor: number): void;
  /** A page from `from` on: at most 1,000 records and 1 MiB metered, but always one record if there is one. */
  read(address: ChannelAddress, from: number): { records: StoredRecord[]; tail: Tail };
  tail(address: ChannelAddress): Tail;
  /** The last `count` records, oldest first. */
  newest(address: ChannelAddress, count: number): StoredRecord[];
  /** The last record with this `trigger-control` header. */
  lastControl(address: ChannelAddress, control: string): StoredRecord | undefined;
}

interface ChannelRow {
  id: number;
  next_seq: number;
  last_timestamp: number;
}

interface RecordRow {
  seq: number;
  timestamp: number;
  size: number;
  headers: string;
  /** A blob, since the driver cuts text off at the NUL bytes that command records hold; its type varies by call. */
  body: Buffer | ArrayBuffer;
}

/** `trimDelayMs`: how long after its command a trim takes effect, so that a reader one turn behind is not cut off. */
export function createChannelStore(db: Db, now: () => number, trimDelayMs: number): ChannelStore {
  const find = db.prepare(
    `SELECT id, next_seq, last_timestamp FROM channels
     WHERE environment_id = ? AND key = ? AND name = ? AND io = ?`,
  );
  const create = db.prepare("INSERT INTO channels (environment_id, key, name, io) VALUES (?, ?, ?, ?)");
  const advance = db.prepare("UPDATE channels SET next_seq = ?, last_timestamp = ? WHERE id = ?");
  const insert = db.prepare(
    "INSERT INTO channel_records (channel_id, seq, timestamp, size, headers, body) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const forgetParts = db.prepare("DELETE FROM channel_parts WHERE channel_id = ? AND seen_at <= ?");
  const claimPart = db.prepare("INSERT OR IGNORE INTO channel_parts VALUES (?, ?, ?)");
  const sizes = db.prepare(
    "SELECT seq, size FROM channel_records WHERE channel_id = ? AND seq >= ? ORDER BY seq LIMIT ?",
  );
  const range = db.prepare(
    `SELECT seq, timestamp, size, headers, body FROM channel_records
     WHERE channel_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`,
  );
  const last = db.prepare(
    `SELECT seq, timestamp, size, headers, body FROM channel_records
     WHERE channel_id = ? ORDER BY seq DESC LIMIT ?`,
  );
  const lastWithHeader = db.prepare(
    `SELECT seq, timestamp, size, headers, body FROM channel_records
     WHERE channel_id = ? AND instr(headers, ?) ORDER BY seq DESC LIMIT 1`,
  );
  const planTrim = db.prepare("INSERT INTO channel_trims VALUES (?, ?, ?)");
  const dueTrim = db.prepare(
    "SELECT max(floor) AS floor FROM channel_trims WHERE channel_id = ? AND due <= ?",
  );
  const doneTrims = db.prepare("DELETE FROM channel_trims WHERE channel_id = ? AND due <= ?");
  const removeBelow = db.prepare("DELETE FROM channel_records WHERE channel_id = ? AND seq < ?");

  const columns = (address: ChannelAddress) => [
    address.environmentId,
    address.key,
    address.channel ?? "",
    address.io,
  ];

  /** The channel's row, after trims that have become due. */
  function settled(address: ChannelAddress): ChannelRow | undefined {
    const row = find.get(columns(address)) as ChannelRow | undefined;
    if (row === undefined) return undefined;
    const at = now();
    const { floor } = dueTrim.get([row.id, at]) as { floor: number | null };
    if (floor !== null) {
      atomically(db, () => {
        removeBelow.run([row.id, floor]);
        doneTrims.run([row.id, at]);
      });
    }
    return row;
  }

  function opened(address: ChannelAddress): ChannelRow {
    const row = settled(address);
    if (row !== undefined) return row;
    const { lastInsertRowid } = create.run(columns(address));
    return { id: Number(lastInsertRowid), next_seq: 0, last_timestamp: 0 };
  }

  function write(channel: ChannelRow, record: NewRecord): { seq: number } {
    const size = meteredSize(record);
    if (size > RECORD_LIMIT) throw new RecordTooLarge(size);
    const seq = channel.next_seq;
    const timestamp = Math.max(now(), channel.last_timestamp);
    const { headers = [], body = "" } = record;
    insert.run([channel.id, seq, timestamp, size, JSON.stringify(headers), Buffer.from(body)]);
    advance.run([seq + 1, timestamp, channel.id]);
    return { seq };
  }

  return {
    append: (address, record, partId) =>
      atomically(db, () => {
        const channel = opened(address);
        if (partId !== undefined) {
          forgetParts.run([channel.id, now() - PART_WINDOW_MS]);
          if (claimPart.run([channel.id, partId, now()]).changes === 0) return undefined;
        }
        return write(channel, record);
      }),

    trim: (address, floor) =>
      atomically(db, () => {
        const channel = opened(address);
        write(channel, { headers: [["", "trim"]], body: bigEndian(floor) });
        planTrim.run([channel.id, now() + trimDelayMs, Math.min(floor, channel.next_seq)]);
      }),

    read(address, from) {
      const channel = settled(address);
      if (channel === undefined) return { records: [], tail: { seq: 0, timestamp: 0 } };
      const tail = { seq: channel.next_seq, timestamp: channel.last_timestamp };
      const page = withinPage(sizes.all([channel.id, from, PAGE_RECORDS]) as RecordRow[]);
      if (page === undefined) return { records: [], tail };
      const rows = range.all([channel.id, page.first, page.last]) as RecordRow[];
      return { records: rows.map(toRecord), tail };
    },

    tail(address) {
      const channel = settled(address);
      return { seq: channel?.next_seq ?? 0, timestamp: channel?.last_timestamp ?? 0 };
    },

    newest(address, count) {
      const channel = settled(address);
      if (channel === undefined) return [];
      return (last.all([channel.id, count]) as RecordRow[]).map(toRecord).reverse();
    },

    lastControl(address, control) {
      const channel = settled(address);
      if (channel === undefined) return undefined;
      const wanted = JSON.stringify(["trigger-control", control]);
      const row = lastWithHeader.get([channel.id, wanted]) as RecordRow | undefined;
      return row && toRecord(row);
    },
  };
}

/** First and last sequence number of the page that stays within 1 MiB; one record always fits. */
function withinPage(rows: Pick<RecordRow, "seq" | "size">[]): { first: number; last: number } | undefined {
  const [start] = rows;
  if (start === undefined) return undefined;
  let total = 0;
  let last = start.seq;
  for (const row of rows) {
    total += row.size;
    if (total > RECORD_LIMIT && row !== start) break;
    last = row.seq;
  }
  return { first: start.seq, last };
}

const toRecord = (row: RecordRow): StoredRecord => ({
  seq: row.seq,
  timestamp: row.timestamp,
  size: row.size,
  headers: JSON.parse(row.headers) as RecordHeader[],
  body: Buffer.from(row.body as ArrayBuffer).toString(),
});

/** Eight bytes, highest first, squeezed into a string as the store's JSON does. */
function bigEndian(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.toString("latin1");
}
