/** A map of what was last written, for keys that somebody else makes: as many, and as long, as they like. */
import { createHash } from "node:crypto";

/** A longer key is held as its hash. */
const KEY_CHARACTERS = 200;

export class Recent<Value> {
  readonly #most: number;
  readonly #values = new Map<string, Value>();

  /** `most`: entries; the one that was not written for longest makes room. */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#values.get(short(key));
  }

  set(key: string, value: Value): void {
    const kept = short(key);
    this.#values.delete(kept);
    this.#values.set(kept, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value as string);
  }

  delete(key: string): void {
    this.#values.delete(short(key));
  }

  clear(): void {
    this.#values.clear();
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }
}

const short = (key: string): string =>
  key.length <= KEY_CHARACTERS ? key : createHash("sha256").update(key).digest("base64");
