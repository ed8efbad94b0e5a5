/**
 * Things by id, for large tables made at once and asked seldom: filling a `Map` takes longer than most else that is done
 * with a trace. Open addressing over whole ids; what hash an id gets nobody outside can know.
 */

const SEED = Math.floor(Math.random() * 2 ** 32);

export interface ById<Item> {
  readonly size: number;
  get(id: string): Item | undefined;
  /** In the order they were added. */
  keys(): Iterable<string>;
}

export class IdTable<Item> implements ById<Item> {
  readonly #ids: string[] = [];
  readonly #items: Item[] = [];
  /** Positions in both lists, from 1 on; 0 is free. At most half are taken. */
  readonly #slots: Int32Array;

  /** Never holds more than `most`. */
  constructor(most: number) {
    let slots = 2;
    while (slots < most * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
  }

  get size(): number {
    return this.#ids.length;
  }

  get(id: string): Item | undefined {
    const position = this.#slots[this.#slotOf(id)] ?? 0;
    // A negative index would be looked up as a name, which is slow.
    return position === 0 ? undefined : this.#items[position - 1];
  }

  set(id: string, item: Item): void {
    const slot = this.#slotOf(id);
    const position = this.#slots[slot] ?? 0;
    if (position > 0) {
      this.#items[position - 1] = item;
      return;
    }
    this.#ids.push(id);
    this.#slots[slot] = this.#items.push(item);
  }

  keys(): Iterable<string> {
    return this.#ids;
  }

  /** Where the id is, or the free slot where it belongs. */
  #slotOf(id: string): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    let slot = hash(id) & last;
    for (let at = slots[slot] ?? 0; at > 0 && this.#ids[at - 1] !== id; at = slots[slot] ?? 0) {
      slot = (slot + 1) & last;
    }
    return slot;
  }
}

/** FNV-1a, the high bits folded into the low ones. */
function hash(id: string): number {
  let value = SEED;
  for (let at = 0; at < id.length; at += 1) value = Math.imul(value ^ id.charCodeAt(at), 0x01000193);
  return value ^ (value >>> 15);
}
