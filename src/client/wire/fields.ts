/**
 * How fields are read: tolerant at the edge. What everything else hangs on must be there and fit; the rest counts as
 * absent when it is missing, `null` or not what it should be, because no cost or region is worth losing a run over.
 */
import { z } from "zod";

/** Unix milliseconds from ISO 8601 text or a number of milliseconds. */
export const instant = z
  .union([z.number(), z.string().transform((text) => Date.parse(text))])
  .pipe(z.number());

export const maybe = <S extends z.ZodType>(schema: S) =>
  z
    .unknown()
    .optional()
    .transform((value): z.output<S> | undefined => {
      if (value === null || value === undefined) return undefined;
      return schema.safeParse(value).data;
    });

export const orElse = <S extends z.ZodType>(schema: S, fallback: z.output<S>) =>
  z
    .unknown()
    .optional()
    .transform((value): z.output<S> => {
      const read = schema.safeParse(value);
      return read.success ? read.data : fallback;
    });

export const record = z.record(z.string(), z.unknown());
export const strings = z.array(z.string());

type MayBeUndefined<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

/** The same without keys that hold `undefined`: absent is absent. */
export type Compact<T> = Omit<T, MayBeUndefined<T>> & {
  [K in MayBeUndefined<T>]?: Exclude<T[K], undefined>;
};

export function compact<T extends object>(value: T): Compact<T> {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as Compact<T>;
}
