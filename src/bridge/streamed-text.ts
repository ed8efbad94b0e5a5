/**
 * The end of each text that streams in pieces, as it came and as it was shown: a secret that comes in pieces, none of which
 * looks like one, must not leave in pieces either.
 */
import { Recent } from "../domain/recent.ts";
import { sharedBeginning } from "../domain/shared-beginning.ts";

export interface Cleaning {
  /** `name`: what the text is the value of. */
  clean(text: string, name?: string): string;
  /** Whether what follows may make a secret of the text's end. */
  unfinished(text: string): boolean;
}

/** Characters of a shown text that are looked at together with what follows them: at most, and after they became too many. */
const LOOKED_BACK = 96;
const KEPT = 48;
/** Of a text that nobody was shown: it may have ended in the middle of a secret. */
const KEPT_UNSHOWN = 16_000;

/** Texts that are written at the same time; of one that waits while so many others go on no end is remembered. */
export const MOST_TEXTS = 256;

interface End {
  raw: string;
  /** Absent where `raw` was not shown. */
  shown?: string;
}

export class StreamedText {
  readonly #cleaning: Cleaning;
  readonly #ends = new Recent<End>(MOST_TEXTS);

  constructor(cleaning: Cleaning) {
    this.#cleaning = cleaning;
  }

  /** Whether what follows `text`, which is added to the text of `key`, may make a secret of its end. */
  isUnfinished(key: string, text: string): boolean {
    return this.#cleaning.unfinished((this.#ends.get(key)?.raw ?? "") + text);
  }

  /** The next pieces of a text as they may be shown; of some with a secret in them all is in the first. */
  show(key: string, pieces: string[]): string[] {
    const { clean } = this.#cleaning;
    const before = this.#ends.get(key)?.raw ?? "";
    const shown = this.#ends.get(key)?.shown ?? clean(before);
    const added = pieces.join("");
    const whole = clean(before + added);
    const news = whole.slice(sharedBeginning(shown, whole));
    this.#remember(key, before + added, whole);
    return news === added && pieces.every((piece) => clean(piece) === piece)
      ? pieces
      : pieces.map((_, at) => (at === 0 ? news : ""));
  }

  /** The next piece of a text that is not shown. */
  pass(key: string, piece: string): void {
    const raw = (this.#ends.get(key)?.raw ?? "") + piece;
    this.#ends.set(key, { raw: raw.length > 2 * KEPT_UNSHOWN ? raw.slice(-KEPT_UNSHOWN) : raw });
  }

  end(key: string): void {
    this.#ends.delete(key);
  }

  #remember(key: string, raw: string, shown: string): void {
    if (raw.length <= LOOKED_BACK) this.#ends.set(key, { raw, shown });
    else this.#ends.set(key, { raw: raw.slice(-KEPT), shown: this.#cleaning.clean(raw.slice(-KEPT)) });
  }
}
