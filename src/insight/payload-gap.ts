/** What a payload lacks that a good run's has: absent or empty places and other types. Other values are only counted. */
import { type Difference, diffJson } from "./json-diff.ts";

export interface PayloadGap {
  /** `left` is the failed run's side, `right` the good one's. */
  readonly shape: readonly Difference[];
  /** Places that only hold another value. */
  readonly values: number;
}

export function payloadGap(failed: unknown, good: unknown): PayloadGap {
  const { differences, total } = diffJson(failed, good);
  const shape = differences.filter(isShape);
  return { shape, values: total - shape.length };
}

const isShape = ({ left, right }: Difference): boolean =>
  right !== undefined && (kindOf(left) !== kindOf(right) || isEmpty(left) !== isEmpty(right));

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "list" : typeof value;

const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.length === 0);

/** `reading 'id'`, `setting 'id'`; `order.lines.map is not a function`; `lines is not iterable`. */
const PROPERTY = /\((?:reading|setting) '([^']{1,80})'\)/;
const MISUSED = /\b([\w$.]{1,200}) is (?:not (?:a function|iterable|an object|defined)|undefined|null)/;

/** The places whose wrong kind (absent, null, another type; not just empty) explains a TypeError of this message. */
export function explains(message: string, shape: readonly Difference[]): Difference[] {
  const property = PROPERTY.exec(message)?.[1];
  const misused = MISUSED.exec(message)?.[1]?.split(".") ?? [];
  return shape.filter(({ path, left, right }) => {
    if (kindOf(left) === kindOf(right)) return false;
    const last = path.at(-1);
    if (property !== undefined) return hasProperty(right, property);
    return typeof last === "string" && misused.includes(last);
  });
}

function hasProperty(value: unknown, name: string): boolean {
  if (typeof value === "string" || Array.isArray(value)) return name in Object(value);
  return typeof value === "object" && value !== null && Object.hasOwn(value, name);
}
