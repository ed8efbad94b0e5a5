/** Where two JSON values differ, by path. Iterative: values may be nested however deep. */
import { isObject } from "../domain/message.ts";
import type { PathStep } from "./json-path.ts";

export interface Difference {
  readonly path: readonly PathStep[];
  /** Absent where only the other side has something. Several items of a list stand together as a list. */
  readonly left?: unknown;
  readonly right?: unknown;
}

export interface JsonDiff {
  /** The first ones, in reading order. */
  readonly differences: readonly Difference[];
  /** All there are. */
  readonly total: number;
}

/** More are only counted. */
const KEPT = 500;

interface Place {
  /** From the place itself up to the whole: a path is written only for what differs. */
  path: Trail | undefined;
  left: unknown;
  right: unknown;
}

interface Trail {
  step: PathStep;
  above: Trail | undefined;
}

/** `undefined` is a side that has no value at all. Key order is no difference. */
export function diffJson(left: unknown, right: unknown): JsonDiff {
  const differences: Difference[] = [];
  const budget = { steps: MOST_STEPS };
  let total = 0;
  const places: Place[] = [{ path: undefined, left, right }];
  for (let place = places.pop(); place; place = places.pop()) {
    const inside = openPlace(place, budget);
    if (inside) {
      for (const next of inside.reverse()) places.push(next);
    } else if (place.left !== place.right) {
      total += 1;
      if (differences.length < KEPT) differences.push(told(place));
    }
  }
  return { differences, total };
}

const told = ({ path, left, right }: Place): Difference => ({
  path: written(path),
  ...(left !== undefined && { left }),
  ...(right !== undefined && { right }),
});

function written(trail: Trail | undefined): PathStep[] {
  const path: PathStep[] = [];
  for (let at = trail; at; at = at.above) path.push(at.step);
  return path.reverse();
}

/** What to compare instead; `undefined` when the two are to be compared as they are. */
function openPlace({ path, left, right }: Place, budget: Budget): Place[] | undefined {
  if (Array.isArray(left) && Array.isArray(right)) {
    const replaced = (left.length === 0) !== (right.length === 0);
    return replaced ? undefined : openLists(path, left, right, budget);
  }
  if (!isObject(left) || !isObject(right)) return undefined;
  const keys = [...Object.keys(left), ...Object.keys(right).filter((key) => !Object.hasOwn(left, key))];
  return keys.map((key) => ({
    path: { step: key, above: path },
    left: own(left, key),
    right: own(right, key),
  }));
}

/** Lists of one length are compared item by item; else what they begin and end with is matched first. */
function openLists(path: Trail | undefined, left: unknown[], right: unknown[], budget: Budget): Place[] {
  const shorter = Math.min(left.length, right.length);
  let begin = 0;
  let end = 0;
  if (left.length !== right.length) {
    while (begin < shorter && isSame(left[begin], right[begin], budget)) begin += 1;
    while (end < shorter - begin && isSame(left.at(-1 - end), right.at(-1 - end), budget)) end += 1;
  }
  const paired = shorter - end;
  const places: Place[] = [];
  for (let at = begin; at < paired; at += 1) {
    places.push({ path: { step: at, above: path }, left: left[at], right: right[at] });
  }
  const longer = left.length > right.length ? left : right;
  const [from, to] = [paired, longer.length - end];
  if (from === to) return places;
  const rest = { path: { step: { from, to }, above: path }, left: undefined, right: undefined };
  return [...places, { ...rest, [longer === left ? "left" : "right"]: longer.slice(from, to) }];
}

/** Comparisons spent on matching lists of different length; what is beyond counts as different. */
const MOST_STEPS = 2_000_000;
interface Budget {
  steps: number;
}

function isSame(a: unknown, b: unknown, budget: Budget): boolean {
  const pairs: [unknown, unknown][] = [[a, b]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    budget.steps -= 1;
    if (budget.steps < 0) return false;
    const [left, right] = pair;
    if (left === right) continue;
    if (Array.isArray(left) && Array.isArray(right)) {
      if (left.length !== right.length) return false;
      for (const [at, item] of left.entries()) pairs.push([item, right[at]]);
      continue;
    }
    if (!isObject(left) || !isObject(right)) return false;
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(right, key)) return false;
      pairs.push([left[key], right[key]]);
    }
  }
  return true;
}

const own = (value: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;
