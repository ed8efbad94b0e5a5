/** What a run uses: time spent executing, platform waits left out, and what that costs. */
import type { Clock } from "./clock.ts";

/** Cents per millisecond of execution, as published for each machine. */
const CENTS_PER_MS: Record<string, number> = {
  micro: 0.000_001_69,
  "small-1x": 0.000_003_38,
  "small-2x": 0.000_006_75,
  "medium-1x": 0.000_008_5,
  "medium-2x": 0.000_017,
  "large-1x": 0.000_034,
  "large-2x": 0.000_068,
};

export const DEFAULT_MACHINE = "small-1x";

/** Every run costs this much to start, in cents. */
export const BASE_COST_IN_CENTS = 0.0025;

export const costOf = (machine: string, durationMs: number): number =>
  durationMs * (CENTS_PER_MS[machine] ?? CENTS_PER_MS[DEFAULT_MACHINE] ?? 0);

/** A stopwatch that stands still during waits and calls `onLimit` when it has run for too long. */
export class UsageMeter {
  #now: Clock;
  #limitMs: number;
  #onLimit: () => void;
  #elapsed = 0;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: Clock, limitMs: number | undefined, onLimit: () => void) {
    this.#now = now;
    this.#limitMs = limitMs ?? Number.POSITIVE_INFINITY;
    this.#onLimit = onLimit;
  }

  start(): void {
    if (this.#since !== undefined) return;
    this.#since = this.#now();
    const left = this.#limitMs - this.#elapsed;
    // Longer than a timer can last: nothing executes for 24 days.
    if (left < 2 ** 31) this.#timer = setTimeout(this.#onLimit, Math.max(0, left));
  }

  stop(): void {
    if (this.#since === undefined) return;
    this.#elapsed += this.#now() - this.#since;
    this.#since = undefined;
    clearTimeout(this.#timer);
  }

  /** Milliseconds so far. */
  get elapsedMs(): number {
    return this.#elapsed + (this.#since === undefined ? 0 : this.#now() - this.#since);
  }
}
