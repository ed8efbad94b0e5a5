/** Identifiers, contract api.md 0.4. */
import { randomBytes } from "node:crypto";

let lastTime = 0;
let countInTime = 0;

/**
 * 25 characters shaped like a cuid: `c`, time, counter, randomness. Those of one process sort by creation, also
 * within a millisecond and when the clock is set back.
 */
export function cuid(): string {
  const time = Math.max(Date.now(), lastTime);
  countInTime = time === lastTime ? countInTime + 1 : 0;
  lastTime = time;
  return `c${base36(time, 8)}${base36(countInTime, 4)}${randomBase36(12)}`;
}

/** 32 lowercase hex characters. */
export const newTraceId = (): string => randomBytes(16).toString("hex");

/** 16 lowercase hex characters. */
export const newSpanId = (): string => randomBytes(8).toString("hex");

const base36 = (value: number, length: number): string => value.toString(36).padStart(length, "0");

const randomBase36 = (length: number): string =>
  Array.from(randomBytes(length), (byte) => (byte % 36).toString(36)).join("");
