/**
 * The last so many part ids, and up to as many before them, in two tables used in turns. Of an id only 64 bits are kept: a
 * stream brings many thousands of them, and holding the texts would take a fifth of the time that reading the stream does.
 * That another id has the same bits has a chance of one in 10^15.
 */

/** What bits an id gets nobody outside can know. */
const [LOW, HIGH] = [(Math.random() * 2 ** 32) | 0, (Math.random() * 2 ** 32) | 0];

export class PartWindow {
  readonly #size: number;
  #newest = new Table();
  #older = new Table();

  constructor(size: number) {
    this.#size = size;
  }

  /** False when the id is in the window already. */
  add(id: string): boolean {
    let low = LOW;
    let high = HIGH;
    for (let at = 0; at < id.length; at += 1) {
      const code = id.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b);
    }
    low ^= low >>> 15;
    // Never 0, which is what a free place has.
    high |= 1;
    if (this.#older.has(low, high) || !this.#newest.add(low, high)) return false;
    if (this.#newest.size < this.#size) return true;
    this.#older = this.#newest;
    this.#newest = new Table(this.#older.capacity);
    return true;
  }
}

/** Pairs of numbers, by open addressing in a list that is at most half full. */
class Table {
  #pairs: Int32Array;
  size = 0;

  constructor(capacity = 64) {
    this.#pairs = new Int32Array(capacity);
  }

  get capacity(): number {
    return this.#pairs.length;
  }

  has(low: number, high: number): boolean {
    return this.#pairs[this.#placeOf(low, high) + 1] !== 0;
  }

  /** False when it is there already. */
  add(low: number, high: number): boolean {
    if (16 * this.size >= 5 * this.#pairs.length) this.#grow();
    const place = this.#placeOf(low, high);
    if (this.#pairs[place + 1] !== 0) return false;
    this.#pairs[place] = low;
    this.#pairs[place + 1] = high;
    this.size += 1;
    return true;
  }

  /** Where the pair is, or the free place where it belongs. */
  #placeOf(low: number, high: number): number {
    const pairs = this.#pairs;
    let place = (low << 1) & (pairs.length - 1);
    while (pairs[place + 1] !== 0 && (pairs[place] !== low || pairs[place + 1] !== high)) {
      place = (place + 2) & (pairs.length - 1);
    }
    return place;
  }

  #grow(): void {
    const pairs = this.#pairs;
    this.#pairs = new Int32Array(2 * pairs.length);
    this.size = 0;
    for (let place = 0; place < pairs.length; place += 2) {
      if (pairs[place + 1] !== 0) this.add(pairs[place] as number, pairs[place + 1] as number);
    }
  }
}
