/** A channel as server-sent events, framed as the store behind the real API frames it: contract channels.md 2. */
import type { Channels } from "../engine/channels.ts";
import type { ChannelAddress, StoredRecord, Tail } from "../store/channels.ts";

export interface Following {
  /** First sequence number wanted; past the tail it is clamped to it. */
  from: number;
  /** Longest gap without a new record, milliseconds; 0 drains what exists. */
  waitMs: number;
  /** Between pings while nothing else is sent. */
  pingMs: number;
  now(): number;
}

const DONE = "data: [DONE]\n\n";

/**
 * The events of a channel, one string each, until the gap is too long, `gone` aborts or the server closes. A page is
 * read when the one before has been taken, so a slow reader costs no memory.
 */
export async function* channelEvents(
  channels: Channels,
  address: ChannelAddress,
  { from, waitMs, pingMs, now }: Following,
  gone: AbortSignal,
): AsyncGenerator<string> {
  let next = Math.min(from, channels.tail(address).seq);
  let sent = { records: 0, bytes: 0 };
  let following = false;
  let endsAt = now() + waitMs;
  let pingAt = Number.POSITIVE_INFINITY;

  while (!gone.aborted) {
    const { records, tail } = channels.read(address, next);
    const last = records.at(-1);
    if (last !== undefined) {
      next = last.seq + 1;
      sent = { records: sent.records + records.length, bytes: sent.bytes + bytesOf(records) };
      yield batch(records, `${last.seq},${sent.records},${sent.bytes}`, following ? tail : undefined);
      endsAt = now() + waitMs;
      pingAt = now() + pingMs;
      continue;
    }
    // Records up to the tail may all have been trimmed: nothing to send, yet the next one will be the tail's.
    next = Math.max(next, tail.seq);
    if (waitMs === 0 || now() >= endsAt) return yield DONE;
    if (channels.closed) return;
    if (!following || now() >= pingAt) {
      following = true;
      yield ping(now(), tail);
      pingAt = now() + pingMs;
    }
    await channels.grown(address, next, { timeoutMs: Math.min(endsAt, pingAt) - now(), signal: gone });
  }
}

const bytesOf = (records: StoredRecord[]): number => records.reduce((sum, { size }) => sum + size, 0);

const tailOf = ({ seq, timestamp }: Tail) => ({ seq_num: seq, timestamp });

function batch(records: StoredRecord[], id: string, tail: Tail | undefined): string {
  const data = { records: records.map(wireRecord), ...(tail && { tail: tailOf(tail) }) };
  return `event: batch\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

const ping = (timestamp: number, tail: Tail): string =>
  `event: ping\ndata: ${JSON.stringify({ timestamp, tail: tailOf(tail) })}\n\n`;

/** Empty headers and an empty body are absent. */
const wireRecord = ({ seq, timestamp, headers, body }: StoredRecord) => ({
  seq_num: seq,
  timestamp,
  ...(headers.length > 0 && { headers }),
  ...(body !== "" && { body }),
});

/**
 * A response body that asks the generator for its next piece only when the reader wants one, and ends it when the
 * reader goes away.
 */
export function streamed(pieces: (gone: AbortSignal) => AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const source = pieces(gone.signal);
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (gone.signal.aborted) return;
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel() {
        gone.abort();
      },
    },
    { highWaterMark: 0 },
  );
}
