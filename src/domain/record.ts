/** Channel records after decoding, contract channels.md 1 to 4. */

export type ChannelIo = "in" | "out";

/** Which stream: a session's `.in` or `.out`, or those of a named side channel. */
export interface ChannelRef {
  /** Either id form. */
  session: string;
  io: ChannelIo;
  /** Named channel; absent for the session's own two. */
  channel?: string;
}

interface RecordBase {
  /** Absent only when a server speaks the simplified form without a usable number (channels.md 3.2). */
  seq?: number;
  /** Unix milliseconds; absent where the server does not tell. */
  timestamp?: number;
}

/** Somebody's data: a UI message chunk on `.out`, an input on `.in`, anything on a named channel. */
export interface DataRecord extends RecordBase {
  kind: "data";
  partId?: string;
  data: unknown;
}

/** `turn-complete`, `upgrade-required`, `session-closed`, `pending-version`, or a subtype still unknown. */
export interface ControlRecord extends RecordBase {
  kind: "control";
  control: string;
  /** Highest `.in` sequence number the agent has committed (`session-in-event-id`). */
  inputSeq?: number;
  /** A fresh session token. A credential: used, never shown. */
  token?: string;
  headers: Record<string, string>;
}

/** A record that only moves the cursor: `trim`, `fence`, a body nobody can read, or a part that was there before. */
export interface SkippedRecord extends RecordBase {
  kind: "skipped";
  reason: "command" | "unreadable" | "duplicate";
}

export type ChannelRecord = DataRecord | ControlRecord | SkippedRecord;

/** What a followed channel yields: its records, and honest words on what happened to the connection. */
export type ChannelItem =
  | ChannelRecord
  /** Sequence numbers `from` to `to` (inclusive) were trimmed before they could be read. */
  | { kind: "gap"; from: number; to: number }
  /** Everything up to `seq` (exclusive) has been delivered. */
  | { kind: "caught-up"; seq?: number };

/** What a followed channel yields, one by one, or as many at a time as have come: the same for less work. */
export interface FollowedChannel extends AsyncIterable<ChannelItem> {
  batches?(): AsyncIterable<readonly ChannelItem[]>;
}
