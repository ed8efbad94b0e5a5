/** The several ways the API reads times and spans of time, contract api.md 1.1, 2.5 and 2.6. */
import { parseDuration } from "../engine/duration.ts";

/** Epoch milliseconds, or anything `new Date` takes. */
export function parseMoment(text: string): number | undefined {
  const time = new Date(/^\d+$/.test(text) ? Number(text) : text).getTime();
  return Number.isNaN(time) ? undefined : time;
}

/** The end of the year 9999: what comes after has no four-digit year, and soon no date at all. */
const LAST_MOMENT = 253_402_300_799_999;

/** A moment in the future: a date, a natural duration from now, or (a number) epoch milliseconds. */
export function parseDelay(delay: string | number | Date, now: number): number | undefined {
  const date = new Date(delay).getTime();
  const moment = Number.isNaN(date) ? now + delayOf(delay) : date;
  return moment > now && moment <= LAST_MOMENT ? moment : undefined;
}

const delayOf = (delay: string | number | Date): number =>
  (typeof delay === "string" && delay.length <= 100 ? parseDuration(delay) : undefined) ?? Number.NaN;

/** `idempotency-key-ttl`: `<n>s|m|h|d`; other forms are ignored. Milliseconds. */
export function parseKeyTtl(text: string | undefined | null): number | undefined {
  return /^\d+[smhd]$/.test(text ?? "") ? parseDuration(text ?? "") : undefined;
}

/** Whole seconds as a natural duration: 5,400 is `1h30m`. */
export function formatSeconds(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds % 86_400) / 3_600, (seconds % 3_600) / 60];
  const parts: [number, string][] = [
    [days, "d"],
    [hours, "h"],
    [minutes, "m"],
    [seconds % 60, "s"],
  ];
  const text = parts
    .map(([count, unit]) => (Math.floor(count) > 0 ? `${Math.floor(count)}${unit}` : ""))
    .join("");
  return text === "" ? "0s" : text;
}
