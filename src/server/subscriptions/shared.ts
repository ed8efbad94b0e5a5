/** Watches shared by all who want the same: begun for the first of them, stopped after the last. */
import type { Watch } from "./watch.ts";

/** Told the key of what has changed. */
export type Listener = (key: string) => void;

interface Entry {
  watch: Watch;
  /** How often each has joined: whoever joins twice is told once. */
  listeners: Map<Listener, number>;
}

export class Shared {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The listener's own share: stopping it stops the watch only when nobody else has one. */
  join(key: string, begin: (changed: () => void) => Watch, listener: Listener): Watch {
    const entry = this.#entries.get(key) ?? this.#begin(key, begin);
    const { listeners, watch } = entry;
    listeners.set(listener, (listeners.get(listener) ?? 0) + 1);
    let joined = true;
    return {
      ready: watch.ready,
      stop: () => {
        if (!joined) return;
        joined = false;
        const left = (listeners.get(listener) ?? 1) - 1;
        if (left > 0) listeners.set(listener, left);
        else listeners.delete(listener);
        if (listeners.size === 0) this.#end(key, entry);
      },
    };
  }

  #begin(key: string, begin: (changed: () => void) => Watch): Entry {
    const listeners: Entry["listeners"] = new Map();
    const watch = begin(() => {
      for (const listener of [...listeners.keys()]) listener(key);
    });
    const entry = { watch, listeners };
    this.#entries.set(key, entry);
    // What was refused is asked for anew by whoever comes next.
    watch.ready.catch(() => this.#end(key, entry));
    return entry;
  }

  #end(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.watch.stop();
  }
}
