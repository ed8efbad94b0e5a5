/**
 * Rows of a span table by their ids, filled at once and asked seldom: a `Map` takes longer to fill than most else that is
 * done with a trace. Open addressing over whole ids.
 */
import type { Span } from "../domain/trace.ts";

/** What hash an id gets nobody outside can know. */
const SEED = (Math.random() * 2 ** 32) | 0;

/** No row. */
export const NONE = -1;

export class RowsById {
  readonly #spans: readonly Span[];
  /** Rows, from 1 on; 0 is free. At most half are taken. */
  readonly #slots: Int32Array;
  /** Different ids. */
  size = 0;

  /** For rows of `spans`, none of them in it yet. */
  constructor(spans: readonly Span[]) {
    let slots = 2;
    while (slots < spans.length * 2) slots *= 2;
    this.#spans = spans;
    this.#slots = new Int32Array(slots);
  }

  /** A finished span wins over an open one with the same id (the server may send both), else the first does. */
  add(span: Span, row: number): void {
    const slot = this.#slotOf(span.id);
    const known = (this.#slots[slot] as number) - 1;
    if (known === NONE) this.size += 1;
    else if (span.isPartial || !this.#spans[known]?.isPartial) return;
    this.#slots[slot] = row + 1;
  }

  /** The row of the span the id means. */
  get(id: string): number | undefined {
    const row = (this.#slots[this.#slotOf(id)] as number) - 1;
    return row === NONE ? undefined : row;
  }

  /** Where the id is, or the free slot where it belongs. */
  #slotOf(id: string): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    let slot = hash(id) & last;
    for (
      let at = slots[slot] as number;
      at > 0 && this.#spans[at - 1]?.id !== id;
      at = slots[slot] as number
    ) {
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
