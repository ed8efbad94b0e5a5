/** Time and chance, so that tests can own them. */
import { setTimeout as delay } from "node:timers/promises";

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** 0 to 1, as `Math.random`. */
  random(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : undefined),
};
