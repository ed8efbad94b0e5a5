import { describe, expect, it } from "vitest";
import {
  firstFailure,
  found,
  inSight,
  lengthOf,
  type Row,
  rowsOf,
  tickStep,
} from "../../src/apps/run-view/tree.ts";
import { SPAN_FLAGS, type ViewSpan } from "../../src/views/run-view-shape.ts";

const span = (name: string, parent: number, rest: { flags?: number; failure?: string } = {}): ViewSpan => [
  `id-${name}`,
  parent,
  name,
  0,
  10,
  rest.flags ?? 0,
  0,
  ...(rest.failure === undefined ? ([] as const) : ([rest.failure] as const)),
];

const FAILED = { flags: SPAN_FLAGS.error };
const spans = [
  span("run", -1, FAILED),
  span("attempt 1", 0, FAILED),
  span("load", 1),
  span("Charge", 1, { ...FAILED, failure: "TypeError: no card" }),
  span("attempt 2", 0),
  span("load", 4),
];
const names = (rows: readonly Row[]) => rows.map((row) => row.span[2]);

describe("the tree", () => {
  it("hangs every span under its parent, in the order sent", () => {
    const rows = rowsOf(spans);
    expect(names(rows)).toEqual(["run", "attempt 1", "load", "Charge", "attempt 2", "load"]);
    expect(rows.map(({ depth }) => depth)).toEqual([0, 1, 2, 2, 1, 2]);
    expect(names(rows[0]?.children ?? [])).toEqual(["attempt 1", "attempt 2"]);
  });

  it("takes a parent that does not come before as no parent", () => {
    expect(rowsOf([span("a", 1), span("b", 0)]).map(({ depth }) => depth)).toEqual([0, 1]);
  });

  it("hides everything below a closed row, however deep", () => {
    const rows = rowsOf(spans);
    for (const row of rows) if (row.span[2] === "attempt 1" || row.depth === 2) row.open = false;
    expect(names(inSight(rows, rows))).toEqual(["run", "attempt 1", "attempt 2", "load"]);
    for (const row of rows) row.open = row.depth > 0;
    expect(names(inSight(rows, rows))).toEqual(["run"]);
  });

  it("shows what is looked for with what leads there, also below closed rows", () => {
    const rows = rowsOf(spans);
    for (const row of rows) row.open = false;
    expect(names(inSight(rows, found(rows, "chARGE")))).toEqual(["run", "attempt 1", "Charge"]);
    expect(names(inSight(rows, found(rows, "no card ")))).toEqual(["run", "attempt 1", "Charge"]);
    expect(names(inSight(rows, found(rows, "#id-attempt 2")))).toEqual(["run", "attempt 2"]);
    expect(inSight(rows, found(rows, "nothing of the kind"))).toEqual([]);
  });

  it("looks first at the failure that has none below it", () => {
    expect(firstFailure(rowsOf(spans))?.span[2]).toBe("Charge");
    expect(firstFailure(rowsOf([span("fine", -1)]))).toBeUndefined();
  });
});

describe("the time axis", () => {
  it.each([
    [860, 200],
    [1_000, 200],
    [3_330, 1_000],
    [0.01, 0.002],
    [86_400_000, 20_000_000],
  ])("%d ms long has a tick every %d ms", (length, step) => {
    expect(tickStep(length)).toBeCloseTo(step, 6);
  });

  it("is never without length", () => {
    expect(lengthOf([])).toBeGreaterThan(0);
    expect(lengthOf([["a", -1, "a", 5, 20, 0, 0]])).toBe(25);
  });
});
