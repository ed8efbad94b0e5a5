/**
 * The records of the next tick. They wait as they came; only what a tick has room for is cleaned when it leaves, so that a
 * producer faster than any reader costs little. Where a text ends in what may become a secret its records wait on, with all
 * that follow them, until its next words tell.
 */
import { deltaOf, deltaText, endedBy, isSameText, withDelta } from "../domain/deltas.ts";
import { isObject } from "../domain/message.ts";
import { Recent } from "../domain/recent.ts";
import type { ProgressRecord } from "./progress.ts";
import { weightOf } from "./room.ts";
import { type Cleaning, MOST_TEXTS, StreamedText } from "./streamed-text.ts";

/** What one tick carries, as JSON. */
const MOST_BYTES = 32 * 1024;
/** Beyond what a tick can carry only what waits for its next words has to be kept. */
const MOST_WAITING = 2 * MOST_BYTES;
/** How far back a record is looked for up to which every text is whole. */
const LOOKED_BACK = 64;

export interface Carried {
  records: ProgressRecord[];
  /** Records after those for which there was no room. */
  dropped: number;
}

export class WaitingRecords {
  readonly #clean: Cleaning["clean"];
  readonly #texts: StreamedText;
  #waiting: ProgressRecord[] = [];
  /** Bytes of JSON they make, at least. */
  #bytes = 0;
  /** After the first that has no place none is taken, so that what is shown has no holes. */
  #dropped = 0;
  /** What those say of texts: how they go on, or that they ended. */
  #passed = new PassedTexts();

  constructor(cleaning: Cleaning) {
    this.#clean = cleaning.clean;
    this.#texts = new StreamedText(cleaning);
  }

  /** Records of which no tick has told. */
  get size(): number {
    return this.#waiting.length + this.#dropped;
  }

  add(record: ProgressRecord): void {
    if (this.#bytes > MOST_WAITING) {
      this.#dropped += 1;
      this.#passed.add(record);
      return;
    }
    this.#waiting.push(record);
    this.#bytes += leastBytes(record);
  }

  /** What may leave now; `all` when nothing follows. */
  take(all: boolean): Carried {
    const waiting = this.#waiting;
    const length = all ? waiting.length : this.#settledLength();
    const rest = waiting.slice(length);
    const shown = this.#shown(waiting.slice(0, length));
    const records = this.#fitting(shown);
    const crowded = this.#dropped > 0 || records.length < shown.length;
    const dropped = shown.length - records.length + this.#dropped + (crowded ? rest.length : 0);
    if (crowded) {
      const skipped = new PassedTexts();
      for (const record of rest) skipped.add(record);
      skipped.leave(this.#texts);
      this.#passed.leave(this.#texts);
    }
    this.#waiting = crowded ? [] : rest;
    this.#bytes = this.#waiting.reduce((sum, record) => sum + leastBytes(record), 0);
    this.#dropped = 0;
    return { records, dropped };
  }

  /** How many of the waiting records may be shown without the first words of what may become a secret. */
  #settledLength(): number {
    const { length: all } = this.#waiting;
    const least = Math.max(0, all - LOOKED_BACK);
    for (let length = all; length > least; length -= 1) if (this.#isSettled(length)) return length;
    return 0;
  }

  #isSettled(length: number): boolean {
    const open = new Map<string, string>();
    for (let at = 0; at < length; at += 1) {
      const { kind, chunk } = this.#waiting[at] as ProgressRecord;
      const delta = deltaOf(chunk);
      if (delta) open.set(delta.key, (open.get(delta.key) ?? "") + delta.text);
      else if (kind === "data") open.delete(endedBy(chunk) ?? "");
      else open.clear();
    }
    return ![...open].some(([key, text]) => this.#texts.isUnfinished(key, text));
  }

  #shown(records: readonly ProgressRecord[]): ProgressRecord[] {
    const pieces = new Map<string, string[]>();
    for (const { chunk } of records) {
      const delta = deltaOf(chunk);
      const texts = delta && pieces.get(delta.key);
      if (texts) texts.push(delta.text);
      else if (delta) pieces.set(delta.key, [delta.text]);
    }
    for (const [key, texts] of pieces) pieces.set(key, this.#texts.show(key, texts));
    return records.map((record) => {
      this.#texts.end(endedBy(record.chunk) ?? "");
      const delta = deltaOf(record.chunk);
      const text = delta && pieces.get(delta.key)?.shift();
      return text === undefined || text === delta?.text
        ? record
        : { ...record, chunk: withDelta(record.chunk, text) };
    });
  }

  #fitting(records: readonly ProgressRecord[]): ProgressRecord[] {
    const fitting: ProgressRecord[] = [];
    let bytes = 2;
    for (const record of records) {
      const shown = this.#cleaned(record);
      bytes += shown ? shown.bytes + 1 : MOST_BYTES;
      if (!shown || bytes > MOST_BYTES) break;
      fitting.push(shown.record);
    }
    return fitting;
  }

  /** `undefined` for what is nested deeper than the stack reaches: no client could read it back either. */
  #cleaned(record: ProgressRecord): { record: ProgressRecord; bytes: number } | undefined {
    try {
      const cleaned =
        "chunk" in record ? { ...record, chunk: cleanedValue(record.chunk, this.#clean) } : record;
      return { record: cleaned, bytes: Buffer.byteLength(JSON.stringify(cleaned)) };
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

/** Of a passed text no more is kept than may be part of a secret. */
const MOST_PASSED = 8_000;
const UNCUT = 2_000;

interface PassedText {
  ended: boolean;
  /** What came after that. */
  text: string;
}

/** What records that are not shown say of texts. */
class PassedTexts {
  readonly #news = new Recent<PassedText>(MOST_TEXTS);
  /** Pieces of one text mostly follow each other: the last one, and what is known of its text. */
  #last: unknown;
  #lastNews: PassedText | undefined;

  add({ chunk }: ProgressRecord): void {
    const text = deltaText(chunk);
    if (text === undefined || !isSameText(chunk, this.#last)) this.#lastNews = this.#newsOf(chunk);
    const news = this.#lastNews;
    if (!news) return;
    this.#last = chunk;
    if (text === undefined) news.ended = true;
    news.text = text === undefined ? "" : ending(news.text + text);
  }

  #newsOf(chunk: unknown): PassedText | undefined {
    const key = deltaOf(chunk)?.key ?? endedBy(chunk);
    if (key === undefined) return undefined;
    const news = this.#news.get(key) ?? { ended: false, text: "" };
    this.#news.set(key, news);
    return news;
  }

  /** Hands them over and forgets them. */
  leave(texts: StreamedText): void {
    for (const [key, { ended, text }] of this.#news) {
      if (ended) texts.end(key);
      if (text !== "") texts.pass(key, text);
    }
    this.#news.clear();
    this.#last = undefined;
    this.#lastNews = undefined;
  }
}

/** Neither at every piece, since a cut copies, nor seldom: what is put together of pieces keeps all of them in memory. */
const ending = (text: string): string =>
  text.length > MOST_PASSED + UNCUT ? text.slice(-MOST_PASSED) : text;

/** Of a piece of text, besides the text. */
const AROUND_TEXT = 64;
/** By how much a weight may be more than the JSON is long. */
const OVERWEIGHT = 16;

function leastBytes({ chunk }: ProgressRecord): number {
  const text = deltaText(chunk);
  if (text !== undefined) return text.length + AROUND_TEXT;
  return weightOf(chunk, OVERWEIGHT * MOST_WAITING) / OVERWEIGHT;
}

/** Every string in the value, each as the value of its name, and every name. */
function cleanedValue(value: unknown, clean: Cleaning["clean"], name?: string): unknown {
  if (typeof value === "string") return clean(value, name);
  if (Array.isArray(value)) return value.map((item) => cleanedValue(item, clean, name));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [clean(key), cleanedValue(item, clean, key)]),
  );
}
