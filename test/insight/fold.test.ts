import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Span } from "../../src/domain/trace.ts";
import { type Folded, foldSiblings, type SiblingGroup } from "../../src/insight/fold.ts";
import { normalizeName } from "../../src/insight/names.ts";
import { indexTrace, type SpanNode } from "../../src/insight/spans.ts";
import { brokenTrace, span } from "./traces.ts";

const siblings = (spans: Span[]): readonly SpanNode[] =>
  indexTrace([span("root", undefined, 0, 100_000), ...spans]).roots[0]?.children ?? [];

const called = (
  message: string,
  count: number,
  at: (n: number) => number,
  duration: (n: number) => number,
): Span[] =>
  Array.from({ length: count }, (_, n) =>
    span(`${message}${n}`, "root", at(n), duration(n), { message: message.replace("#", String(n)) }),
  );

const onlyGroup = (folded: Folded[]): SiblingGroup => {
  const [first, ...others] = folded;
  if (!first || !("group" in first) || others.length > 0) throw new Error("expected one group");
  return first.group;
};

describe("foldSiblings", () => {
  it("makes one group of calls that differ in their numbers, with its figures and its slowest member", () => {
    const group = onlyGroup(
      foldSiblings(
        siblings(
          called(
            "GET /stock/SKU-0#",
            100,
            (n) => n * 1000,
            (n) => n + 1,
          ),
        ),
      ),
    );
    expect(group).toMatchObject({
      name: "GET /stock/{id}",
      p50: 50,
      p95: 95,
      max: 100,
      sum: 5050,
      order: "sequence",
      open: 0,
    });
    expect(group.members).toHaveLength(100);
    expect(group.slowest.span.message).toBe("GET /stock/SKU-099");
  });

  it("calls overlapping members parallel", () => {
    const group = onlyGroup(
      foldSiblings(
        siblings(
          called(
            "send #",
            5,
            (n) => n,
            () => 100,
          ),
        ),
      ),
    );
    expect(group).toMatchObject({ name: "send {n}", order: "parallel" });
  });

  it("calls short members in a row a sequence although their starts are rounded to whole milliseconds", () => {
    const group = onlyGroup(
      foldSiblings(
        siblings(
          called(
            "send #",
            400,
            (n) => Math.floor(n * 2.6),
            () => 2.6,
          ),
        ),
      ),
    );
    expect(group).toMatchObject({ order: "sequence" });
  });

  it("keeps the message when all members share it", () => {
    expect(
      onlyGroup(
        foldSiblings(
          siblings(
            called(
              "select 1",
              4,
              (n) => n,
              () => 1,
            ),
          ),
        ),
      ).name,
    ).toBe("select 1");
  });

  it("folds two alternating calls into two groups, each at its first member's place", () => {
    const calls = [
      ...called(
        "read #",
        6,
        (n) => n * 20,
        () => 5,
      ),
      ...called(
        "write #",
        6,
        (n) => n * 20 + 10,
        () => 5,
      ),
    ];
    const folded = foldSiblings(siblings([...calls, span("end", "root", 900, 1)]));
    expect(folded.map((each) => ("group" in each ? each.group.name : each.node.span.id))).toEqual([
      "read {n}",
      "write {n}",
      "end",
    ]);
  });

  it("leaves fewer than four of a kind as they are", () => {
    const folded = foldSiblings(
      siblings(
        called(
          "Attempt #",
          3,
          (n) => n * 10,
          () => 5,
        ),
      ),
    );
    expect(folded.every((each) => "node" in each)).toBe(true);
  });

  it("keeps failing members within reach, also those that fail further down", () => {
    const calls = called(
      "call #",
      9,
      (n) => n * 10,
      () => 5,
    );
    const inner = span("inner", "call #4", 41, 1, { isError: true });
    const group = onlyGroup(foldSiblings(siblings([...calls, inner])));
    expect(group.failing.map((each) => each.span.id)).toEqual(["call #4"]);
    expect(group).toMatchObject({ size: 10, errors: 1 });
  });

  it("leaves open members out of the figures and counts them", () => {
    const calls = called(
      "call #",
      5,
      (n) => n * 10,
      () => 5,
    );
    const open = calls.map((each, n) => (n < 2 ? { ...each, isPartial: true, duration: 0 } : each));
    expect(onlyGroup(foldSiblings(siblings(open)))).toMatchObject({
      open: 2,
      p50: 5,
      sum: 15,
      slowest: { span: { id: "call #2" } },
    });
  });

  it("accounts for every sibling exactly once, and the same way every time", () => {
    fc.assert(
      fc.property(brokenTrace, fc.integer({ min: 1, max: 6 }), (spans, minimum) => {
        for (const parent of indexTrace(spans).nodes) {
          const folded = foldSiblings(parent.children, minimum);
          const out = folded.flatMap((each) => ("group" in each ? each.group.members : [each.node]));
          expect(new Set(out)).toEqual(new Set(parent.children));
          expect(out).toHaveLength(parent.children.length);
          expect(foldSiblings(parent.children, minimum)).toEqual(folded);
          for (const each of folded) {
            if (!("group" in each)) continue;
            const { group } = each;
            expect(group.members.length).toBeGreaterThanOrEqual(minimum);
            expect(group.members).toContain(group.slowest);
            expect(group.failing.reduce((sum, member) => sum + member.errors, 0)).toBe(group.errors);
            expect(group.max).toBeGreaterThanOrEqual(group.p95);
            expect(group.p95).toBeGreaterThanOrEqual(group.p50);
          }
        }
      }),
    );
  });
});

describe("normalizeName", () => {
  it.each([
    ["GET /stock/SKU-0042", "GET /stock/{id}"],
    [
      "GET https://api.example.com/v1/users/12345?page=3",
      "GET https://api.example.com/v{n}/users/{n}?page={n}",
    ],
    ["load 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "load {uuid}"],
    ["child run_cm9x2k4p30001ab12cd34ef56", "child run_{id}"],
    ["charge cus_81", "charge cus_{n}"],
    ["blob 9f86d081884c7d659a2feaa0c55ad015", "blob {id}"],
    ["lookup \"blue shoes\" in 'main'", "lookup {…} in {…}"],
    ["it can't be what it isn't", "it can't be what it isn't"],
    ["mail to ann.b+x@example.org", "mail to {email}"],
    ["import 2026-08-20T10:00:00.000Z", "import {time}"],
    ["Attempt 2", "Attempt {n}"],
    ["took 3.25s", "took {n}s"],
    ["face feedback decade", "face feedback decade"],
    ["", ""],
  ])("%s is %s", (message, name) => {
    expect(normalizeName(message)).toBe(name);
  });

  it("leaves no number in any name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (message) => {
        expect(normalizeName(message)).not.toMatch(/[0-9]/);
      }),
    );
  });

  it("is done with a hostile megabyte at once", () => {
    expect(normalizeName("'\"`a@".repeat(200_000)).length).toBeLessThan(1000);
  });
});
