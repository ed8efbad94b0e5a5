/** How numbers and times read, everywhere the same: `212ms`, `4.21s`, `2m31s`; `4m`, `6h`, `19d`; `1,204`; `3.1 kB`. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in milliseconds. What the wire did not tell is a dash. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return "-";
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1) return ms === 0 ? "0ms" : "<1ms";
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 9_995) return `${trimmed(ms / SECOND, 2)}s`;
  if (ms < 59_950) return `${trimmed(ms / SECOND, 1)}s`;
  return pair(Math.round(ms / SECOND) * SECOND);
}

/** Two units at most: `2m31s`, `6h`, `3d4h`. */
function pair(ms: number): string {
  const units: [number, string][] = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "m"],
    [SECOND, "s"],
  ];
  const first = units.findIndex(([size]) => ms >= size);
  const [size, name] = units[first] ?? [SECOND, "s"];
  const whole = Math.floor(ms / size);
  const [nextSize, nextName] = units[first + 1] ?? [SECOND, "s"];
  const rest = nextSize === size ? 0 : Math.floor((ms - whole * size) / nextSize);
  return rest === 0 ? `${whole}${name}` : `${whole}${name}${rest}${nextName}`;
}

const trimmed = (value: number, places: number): string => String(Number(value.toFixed(places)));

/** How long ago, in one unit: `12s`, `4m`, `6h`, `19d`. What lies ahead is `in 5m`. */
export function age(time: number | undefined, now: number): string {
  if (time === undefined || !Number.isFinite(time)) return "-";
  const ms = now - time;
  if (ms < 0) return ms > -SECOND ? "0s" : `in ${age(now + ms, now)}`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

/** Time of day in UTC, to the millisecond: `10:00:04.020`. */
export const clock = (time: number): string => iso(time).slice(11, 23);

/** Time of day in UTC, to the second: `10:00:04`. */
export const clockSeconds = (time: number): string => iso(time).slice(11, 19);

/** Date and time in UTC: `2026-08-20 10:00:04Z`. */
export const dateTime = (time: number): string => `${iso(time).slice(0, 10)} ${iso(time).slice(11, 19)}Z`;

/** ISO with a `-` for what is no time at all; beyond the calendar counts as no time. */
function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : "-".repeat(24);
}

/** With thousands separators: `1,204`. */
export const count = (value: number): string => value.toLocaleString("en-US");

/** `1 span`, `1,204 spans`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** Bytes, decimal units: `312 B`, `3.1 kB`, `12 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value < 9.95 ? trimmed(value, 1) : Math.round(value)} ${units[unit]}`;
}

/** US cents as dollars with the digits that matter: `$0.000042`, `$1.20`. */
export function cost(cents: number): string {
  const dollars = cents / 100;
  if (dollars === 0) return "$0";
  if (Math.abs(dollars) >= 0.995) return `$${dollars.toFixed(2)}`;
  const decimals = Math.min(12, 1 - Math.floor(Math.log10(Math.abs(dollars))));
  return `$${Number(dollars.toPrecision(2)).toFixed(decimals)}`;
}

/** `text` on one line, at most `length` code units with the ellipsis, never ending in half a character. */
export function oneLine(text: string, length: number): string {
  const flat = text
    .slice(0, length * 4 + 200)
    .replace(/\s+/g, " ")
    .trim();
  if (flat.length <= length && text.length <= length * 4 + 200) return flat;
  const cut = flat.slice(0, Math.max(0, length - 1));
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
