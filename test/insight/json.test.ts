import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffJson } from "../../src/insight/json-diff.ts";
import { followPath, formatPath, parsePath } from "../../src/insight/json-path.ts";
import { mergePatch } from "../../src/insight/merge-patch.ts";

const at = (value: unknown, path: string) => followPath(value, parsePath(path) ?? ["not a path"]);

describe("a JSON path", () => {
  const value = {
    customer: { cards: [{ id: "card_1" }, { id: "card_2" }], "odd key": 1, "a.b": 2 },
    rows: [0, 1, 2, 3, 4],
  };

  it.each([
    ["customer.cards[0].id", "card_1"],
    ["customer.cards.1.id", "card_2"],
    ["$.customer.cards[-1].id", "card_2"],
    ['customer["odd key"]', 1],
    ["customer.odd key", 1],
    ['customer["a.b"]', 2],
    ["rows[1:3]", [1, 2]],
    ["rows[-2:]", [3, 4]],
    ["rows[:1]", [0]],
  ])("%s leads to %j", (path, expected) => {
    expect(at(value, path)).toEqual({ found: true, value: expected });
  });

  it.each(["", "a..b", "a[", "a[x]", 'a["b]', "a]b", "[1.5]"])("%j is none", (path) => {
    expect(parsePath(path)).toBeUndefined();
  });

  it("tells how far it can be followed", () => {
    expect(at(value, "customer.crads[0]")).toMatchObject({
      found: false,
      at: ["customer"],
      missing: "crads",
    });
    expect(at(value, "rows[5]")).toMatchObject({ found: false, at: ["rows"], missing: 5 });
    expect(at(value, "customer[0:1]")).toMatchObject({ found: false, at: ["customer"] });
  });

  it("finds nothing that only a prototype has", () => {
    for (const path of ["constructor", "__proto__", "rows.length", "rows.map"]) {
      expect(at(value, path)).toMatchObject({ found: false });
    }
  });

  it("is read as it is written, whatever the keys are", () => {
    const step = fc.oneof(fc.string({ minLength: 1, unit: "binary" }), fc.nat({ max: 99_999_999 }));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), (steps) => {
        expect(parsePath(formatPath(steps))).toEqual(steps);
      }),
      { seed: 3 },
    );
  });
});

describe("a merge patch", () => {
  // RFC 7396, appendix A.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [undefined, { a: 1 }, { a: 1 }],
  ])("of %j by %j is %j", (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it("changes neither of the two, and takes __proto__ for a key", () => {
    const target = { a: { b: 1 } };
    const patch = JSON.parse('{"a":{"c":2},"__proto__":{"polluted":true}}');
    const merged = mergePatch(target, patch) as Record<string, unknown>;
    expect(target).toEqual({ a: { b: 1 } });
    expect(Object.keys(merged)).toEqual(["a", "__proto__"]);
    expect(merged.polluted).toBeUndefined();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("a JSON diff", () => {
  const paths = (left: unknown, right: unknown) =>
    diffJson(left, right).differences.map(({ path, left, right }) => [formatPath(path), left, right]);

  it("names each place that differs, and says what is absent", () => {
    expect(
      paths(
        { customer: { id: "a", cards: [] }, coupon: "SPRING", same: { x: [1] } },
        { customer: { id: "b", cards: [{ id: 1 }] }, same: { x: [1] }, note: null },
      ),
    ).toEqual([
      ["customer.id", "a", "b"],
      ["customer.cards", [], [{ id: 1 }]],
      ["coupon", "SPRING", undefined],
      ["note", undefined, null],
    ]);
  });

  it("tells what was put in or taken out of a list apart from what stays", () => {
    expect(paths([1, 2, 3], [0, 1, 2, 3])).toEqual([["[0:1]", undefined, [0]]]);
    expect(paths({ a: [1, 2, 3, 4] }, { a: [1, 4] })).toEqual([["a[1:3]", [2, 3], undefined]]);
    expect(paths([1, 2, 3], [1, 9, 3])).toEqual([["[1]", 2, 9]]);
    expect(paths([1, { k: 1 }, 3], [1, { k: 2 }, 5, 3])).toEqual([
      ["[1].k", 1, 2],
      ["[2:3]", undefined, [5]],
    ]);
  });

  it("takes kinds seriously and key order not", () => {
    expect(paths({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual([]);
    expect(paths({ a: 0 }, { a: "0" })).toHaveLength(1);
    expect(paths({ a: [] }, { a: {} })).toHaveLength(1);
    expect(paths(null, undefined)).toHaveLength(1);
    expect(paths(undefined, undefined)).toEqual([]);
  });

  it("counts what it does not list", () => {
    const many = (value: number) => Array.from({ length: 5_000 }, () => value);
    const { differences, total } = diffJson(many(1), many(2));
    expect(total).toBe(5_000);
    expect(differences.length).toBeLessThan(1_000);
  });

  it("goes through values nested a hundred thousand deep", () => {
    const deep = (leaf: number) => {
      let value: unknown = leaf;
      for (let level = 0; level < 100_000; level += 1) value = level % 2 ? [value] : { k: value };
      return value;
    };
    expect(diffJson(deep(1), deep(2)).total).toBe(1);
    expect(diffJson([deep(1), 0], [deep(2)]).total).toBe(2);
  });

  it("is empty exactly when the two are equal, and the other way round as long", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        expect(diffJson(left, structuredClone(left)).total).toBe(0);
        const { total } = diffJson(left, right);
        expect(total).toBe(diffJson(right, left).total);
        // JSON text has no -0.
        expect(total === 0).toBe(canonical(left) === canonical(right));
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
