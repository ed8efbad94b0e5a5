/**
 * Keeps secrets from leaving in pieces, none of which looks like one: where a text ends in what may become a secret its records
 * wait, with all that follow them, until its next words tell. Other records pass as they are.
 */
import { deltaOf, endedBy, withDelta } from "../domain/deltas.ts";
import { sharedBeginning } from "../domain/shared-beginning.ts";
import type { ProgressRecord } from "./progress.ts";

export interface Cleaning {
  /** `name`: what the text is the value of. */
  clean(text: string, name?: string): string;
  /** Whether what follows may make a secret of the text's end. */
  unfinished(text: string): boolean;
}

/** Beyond these nothing waits any longer. */
const MOST_RECORDS = 1_000;
const MOST_CHARACTERS = 16_000;
/** Characters of a text that are looked at together with what follows them, at most and after they became too many. */
const LOOKED_BACK = 96;
const KEPT = 48;

/** The end of a text as it came, and as it was shown. */
interface Told {
  raw: string;
  shown: string;
}

export class HeldRecords {
  readonly #cleaning: Cleaning;
  readonly #told = new Map<string, Told>();
  readonly #unfinished = new Set<string>();
  #held: ProgressRecord[] = [];
  #characters = 0;

  constructor(cleaning: Cleaning) {
    this.#cleaning = cleaning;
  }

  /** Takes one record and answers those that can be shown now, in order. */
  take(record: ProgressRecord): ProgressRecord[] {
    this.#held.push(record);
    const delta = deltaOf(record.chunk);
    if (delta) this.#look(delta.key, delta.text);
    else if (record.kind === "data") this.#unfinished.delete(endedBy(record.chunk) ?? "");
    else this.#unfinished.clear();
    const full = this.#held.length > MOST_RECORDS || this.#characters > MOST_CHARACTERS;
    return this.#unfinished.size === 0 || full ? this.rest() : [];
  }

  /** All that have waited. */
  rest(): ProgressRecord[] {
    const held = this.#held;
    const pieces = new Map<string, string[]>();
    for (const { chunk } of held) {
      const delta = deltaOf(chunk);
      const texts = delta && pieces.get(delta.key);
      if (texts) texts.push(delta.text);
      else if (delta) pieces.set(delta.key, [delta.text]);
    }
    for (const [key, texts] of pieces) pieces.set(key, this.#shown(key, texts));
    for (const { chunk } of held) this.#told.delete(endedBy(chunk) ?? "");
    this.#held = [];
    this.#characters = 0;
    this.#unfinished.clear();
    return held.map((record) => {
      const delta = deltaOf(record.chunk);
      const text = delta && pieces.get(delta.key)?.shift();
      return text === undefined || text === delta?.text
        ? record
        : { ...record, chunk: withDelta(record.chunk, text) };
    });
  }

  #look(key: string, text: string): void {
    this.#characters += text.length;
    const waiting = this.#unfinished.has(key) ? this.#waiting(key) : text;
    if (this.#cleaning.unfinished((this.#told.get(key)?.raw ?? "") + waiting)) this.#unfinished.add(key);
    else this.#unfinished.delete(key);
  }

  #waiting(key: string): string {
    return this.#held
      .map(({ chunk }) => deltaOf(chunk))
      .filter((delta) => delta?.key === key)
      .map((delta) => delta?.text)
      .join("");
  }

  /** The pieces of a text as they may be shown; of one with a secret in it all is in the first. */
  #shown(key: string, pieces: string[]): string[] {
    const { clean } = this.#cleaning;
    const told = this.#told.get(key) ?? { raw: "", shown: "" };
    const raw = pieces.join("");
    const whole = clean(told.raw + raw);
    const added = whole.slice(sharedBeginning(told.shown, whole));
    this.#remember(key, told.raw + raw, whole);
    return added === raw && pieces.every((piece) => clean(piece) === piece)
      ? pieces
      : pieces.map((_, at) => (at === 0 ? added : ""));
  }

  #remember(key: string, raw: string, shown: string): void {
    if (raw.length <= LOOKED_BACK) {
      this.#told.set(key, { raw, shown });
    } else {
      const end = raw.slice(-KEPT);
      this.#told.set(key, { raw: end, shown: this.#cleaning.clean(end) });
    }
  }
}
