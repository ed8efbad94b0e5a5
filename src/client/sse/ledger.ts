/**
 * What has been delivered of a channel, across any number of connections: each record once and in order, gaps and the
 * end of the backlog in words (contract channels.md 5). Pure: events in, items out.
 */
import type { ChannelItem, ChannelRecord } from "../../domain/record.ts";
import type { StreamEvent } from "./decode.ts";
import { PartWindow } from "./parts.ts";

/** As many part ids as the official reader remembers (3.1). */
const REMEMBERED_PARTS = 5_000;

export class Ledger {
  #cursor: number | undefined;
  /** The cursor is the caller's: nobody has seen a record there. */
  #asked: boolean;
  /** A tail beyond the cursor that a ping of this connection spoke of; the same again means the records between are gone. */
  #missingBefore: number | undefined;
  readonly #parts = new PartWindow(REMEMBERED_PARTS);

  constructor(after: number | undefined) {
    this.#cursor = after;
    this.#asked = after !== undefined;
  }

  /** Sequence number of the last record handled, of whatever kind; what a new connection resumes after. */
  get cursor(): number | undefined {
    return this.#cursor;
  }

  /** A new connection begins: what the one before had not brought may still come. */
  connected(): void {
    this.#missingBefore = undefined;
  }

  /** Adds what the event brings to `items`: one list for many small events. */
  accept(event: StreamEvent, items: ChannelItem[]): void {
    if (event.kind === "ping") this.#ping(event.tail, items);
    if (event.kind !== "records") return;
    this.#missingBefore = undefined;
    this.#clamp(event.tail, event.records[0]?.seq);
    for (const record of event.records) this.#record(record, items);
    if (event.tail !== undefined && event.tail === this.#next) items.push(caughtUp(event.tail));
  }

  get #next(): number {
    return this.#cursor === undefined ? 0 : this.#cursor + 1;
  }

  #record(record: ChannelRecord, items: ChannelItem[]): void {
    const { seq } = record;
    if (seq !== undefined) {
      const cursor = this.#cursor ?? seq - 1;
      if (seq <= cursor) return;
      if (seq > cursor + 1) items.push({ kind: "gap", from: cursor + 1, to: seq - 1 });
      this.#cursor = seq;
      this.#asked = false;
    }
    items.push(this.#isRepeated(record) ? repeated(record) : record);
  }

  /** A writer's retry appends the same part under another sequence number. */
  #isRepeated(record: ChannelRecord): boolean {
    return record.kind === "data" && record.partId !== undefined && !this.#parts.add(record.partId);
  }

  /** Sent once the reader has reached the tail, and then every few seconds. */
  #ping(tail: number | undefined, items: ChannelItem[]): void {
    this.#clamp(tail);
    if (tail !== undefined && this.#cursor !== undefined && tail > this.#next) {
      // Records may be on their way. When the next ping says the same without any, they were trimmed.
      if (this.#missingBefore !== tail) {
        this.#missingBefore = tail;
        return;
      }
      items.push({ kind: "gap", from: this.#next, to: tail - 1 });
      this.#cursor = tail - 1;
      this.#asked = false;
    }
    items.push(caughtUp(tail ?? this.#next));
  }

  /**
   * A caller's cursor past the end is clamped by the server without a word: what comes next starts at the tail. A tail behind
   * what has been read is only late.
   */
  #clamp(tail: number | undefined, first = tail): void {
    if (!this.#asked || tail === undefined || first === undefined) return;
    this.#asked = false;
    if (this.#cursor === undefined || tail > this.#cursor) return;
    this.#cursor = first === 0 ? undefined : first - 1;
  }
}

/** Said at every ping: whoever waits may want to look around while nothing comes. */
const caughtUp = (seq: number): ChannelItem => ({ kind: "caught-up", seq });

const repeated = ({ seq, timestamp }: ChannelRecord): ChannelRecord => ({
  kind: "skipped",
  reason: "duplicate",
  ...(seq !== undefined && { seq }),
  ...(timestamp !== undefined && { timestamp }),
});
