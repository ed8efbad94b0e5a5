/** Turns records into rows and back by one table of columns each, so that a record family is converted in one place. */

export type SqlValue = string | number | null;
export type Row = Record<string, unknown>;

/** How a value is stored: as it is, as JSON text, or as 0 and 1 (the driver ends the process on a boolean). */
type Kind = "plain" | "json" | "flag";

export type Columns<T> = { [K in keyof Required<T>]: Kind };

export interface Codec<T> {
  /** `a, b, c`, in the order of the columns given. */
  names: string;
  /** `@a, @b, @c`. */
  placeholders: string;
  /** Every column; absent keys become NULL. */
  toRow(record: T): Record<string, SqlValue>;
  /** Only the keys that are present. */
  toPatch(record: Partial<T>): Record<string, SqlValue>;
  /** NULL becomes an absent key. */
  fromRow(row: Row): T;
}

export function createCodec<T extends object>(columns: Columns<T>): Codec<T> {
  const entries = (Object.entries(columns) as [keyof T & string, Kind][]).map(
    ([key, kind]) => [key, snakeCase(key), kind] as const,
  );
  const toPatch = (record: Partial<T>): Record<string, SqlValue> => {
    const row: Record<string, SqlValue> = {};
    for (const [key, column, kind] of entries) {
      if (record[key] !== undefined) row[column] = encode(record[key], kind);
    }
    return row;
  };
  const nothing = Object.fromEntries(entries.map(([, column]) => [column, null]));
  return {
    names: entries.map(([, column]) => column).join(", "),
    placeholders: entries.map(([, column]) => `@${column}`).join(", "),
    toRow: (record) => ({ ...nothing, ...toPatch(record) }),
    toPatch,
    fromRow: (row) => {
      const record: Record<string, unknown> = {};
      for (const [key, column, kind] of entries) {
        const value = row[column];
        if (value !== null && value !== undefined) record[key] = decode(value, kind);
      }
      return record as T;
    },
  };
}

/** `parentSpanId` to `parent_span_id`. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function encode(value: unknown, kind: Kind): SqlValue {
  if (kind === "json") return JSON.stringify(value);
  if (kind === "flag") return value === true ? 1 : 0;
  return value as SqlValue;
}

function decode(value: unknown, kind: Kind): unknown {
  if (kind === "json") return JSON.parse(value as string);
  return kind === "flag" ? value === 1 : value;
}
