/** Reading payloads, which can be any JSON. */

export const fields = (payload: unknown): Record<string, unknown> =>
  typeof payload === "object" && payload !== null ? { ...payload } : {};

export const text = (value: unknown, otherwise: string): string =>
  typeof value === "string" ? value : otherwise;

/** A whole number from 1 to `most`. */
export const count = (value: unknown, otherwise: number, most: number): number =>
  typeof value === "number" && Number.isFinite(value)
    ? Math.min(most, Math.max(1, Math.floor(value)))
    : otherwise;
