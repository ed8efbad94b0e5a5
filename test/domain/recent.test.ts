import { expect, test } from "vitest";
import { Recent } from "../../src/domain/recent.ts";

test("what was not written for longest makes room", () => {
  const recent = new Recent<number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.set("a", 3);
  recent.set("c", 4);
  expect([...recent]).toEqual([
    ["a", 3],
    ["c", 4],
  ]);
  expect(recent.get("b")).toBeUndefined();
});

test("long keys are told apart, and held as something short", () => {
  const recent = new Recent<number>(9);
  const long = "k".repeat(100_000);
  recent.set(`${long}1`, 1);
  recent.set(`${long}2`, 2);
  expect([recent.get(`${long}1`), recent.get(`${long}2`), recent.get(long)]).toEqual([1, 2, undefined]);
  expect([...recent].every(([key]) => key.length < 100)).toBe(true);
  recent.delete(`${long}1`);
  expect(recent.get(`${long}1`)).toBeUndefined();
});
