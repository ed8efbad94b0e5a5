const UNIT_MS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, hr: 3_600_000, m: 60_000, s: 1000 } as const;

/**
 * Milliseconds of a duration as the API writes it: `<n>w|d|h|hr|m|s` pieces without spaces (`1h30m`), contract
 * api.md 2.5. Undefined when it is none.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(w|d|hr|h|m|s))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(w|d|hr|h|m|s)/g)) {
    total += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total;
}

/** A run's `ttl`: a duration, or a whole number of seconds. */
export const parseTtl = (ttl: string): number | undefined =>
  /^\d+$/.test(ttl) ? Number(ttl) * 1000 : parseDuration(ttl);
