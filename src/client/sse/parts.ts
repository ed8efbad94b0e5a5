/** The last so many part ids, oldest forgotten first. */
export class PartWindow {
  readonly #known = new Set<string>();
  // A ring beside the set: finding a set's oldest entry walks over all it has ever deleted.
  readonly #ring: string[] = [];
  readonly #size: number;
  #oldest = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** False when the id is in the window already. */
  add(id: string): boolean {
    const { size } = this.#known;
    if (this.#known.add(id).size === size) return false;
    const forgotten = this.#ring[this.#oldest];
    if (forgotten !== undefined) this.#known.delete(forgotten);
    this.#ring[this.#oldest] = id;
    this.#oldest = (this.#oldest + 1) % this.#size;
    return true;
  }
}
