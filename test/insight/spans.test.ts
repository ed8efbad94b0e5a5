import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Span } from "../../src/domain/trace.ts";
import { indexTrace, pathTo, type SpanNode } from "../../src/insight/spans.ts";
import { brokenTrace, span, T0 } from "./traces.ts";

const ids = (nodes: readonly SpanNode[]) => nodes.map((node) => node.span.id);
const node = (spans: Span[], id: string): SpanNode => {
  const found = indexTrace(spans).find(id);
  if (!found) throw new Error(`no ${id}`);
  return found;
};

describe("indexTrace", () => {
  it("puts children in order of start under their parents", () => {
    const spans = [
      span("b", "root", 20, 5),
      span("root", undefined, 0, 100),
      span("a", "root", 10, 5),
      span("c", "b", 21, 1),
    ];
    const index = indexTrace(spans);
    expect(ids(index.nodes)).toEqual(["root", "a", "b", "c"]);
    expect(index.nodes.map((each) => each.depth)).toEqual([0, 1, 1, 2]);
    expect(ids(pathTo(node(spans, "c")))).toEqual(["root", "b", "c"]);
    expect(index.unplaced).toEqual([]);
  });

  it("counts overlapping children once in self time, and only where they lie within the span", () => {
    const spans = [
      span("root", undefined, 0, 100),
      span("early", "root", -50, 60), // covers 0 to 10
      span("one", "root", 20, 20),
      span("two", "root", 30, 20), // with "one" covers 20 to 50
      span("late", "root", 90, 500), // covers 90 to 100
    ];
    expect(node(spans, "root").selfTime).toBe(50);
    expect(node(spans, "late").selfTime).toBe(500);
  });

  it("tells the last thing that happened below a span, events included", () => {
    const events = [{ name: "odd", time: T0 + 700, properties: {} }];
    const spans = [
      span("root", undefined, 0, 0, { isPartial: true }),
      span("log", "root", 40, 0, { events }),
    ];
    expect(node(spans, "root").lastActivity).toBe(T0 + 700);
    expect(indexTrace(spans).lastActivity).toBe(T0 + 700);
  });

  it("sums sizes and errors upwards", () => {
    const spans = [
      span("root", undefined, 0, 9),
      span("a", "root", 1, 2, { isError: true }),
      span("b", "a", 1, 1, { isError: true }),
    ];
    expect(node(spans, "root")).toMatchObject({ size: 3, errors: 2 });
    expect(indexTrace(spans).errors).toBe(2);
  });

  it("keeps an orphan and what hangs under it, and names the parent that is missing", () => {
    const spans = [span("root", undefined, 0, 9), span("lost", "nowhere", 1, 2), span("below", "lost", 1, 1)];
    const index = indexTrace(spans);
    expect(index.unplaced).toMatchObject([
      { reason: "orphan", parentId: "nowhere", node: { size: 2, depth: 0 } },
    ]);
    expect(ids(index.nodes)).toEqual(["root", "lost", "below"]);
  });

  it("takes the earliest orphan for the root of a subtree cut out of a larger trace", () => {
    const index = indexTrace([
      span("late", "outside", 5, 1),
      span("root", "outside", 0, 9),
      span("child", "root", 1, 1),
    ]);
    expect(ids(index.roots)).toEqual(["root"]);
    expect(index.unplaced).toMatchObject([{ reason: "orphan", node: { span: { id: "late" } } }]);
  });

  it("cuts a cycle above its earliest member", () => {
    const spans = [
      span("root", undefined, 0, 9),
      span("b", "c", 2, 1),
      span("c", "a", 3, 1),
      span("a", "b", 1, 1),
      span("tail", "c", 4, 1),
    ];
    const index = indexTrace(spans);
    expect(index.unplaced).toMatchObject([{ reason: "cycle", parentId: "b", node: { span: { id: "a" } } }]);
    expect(ids(index.nodes)).toEqual(["root", "a", "c", "b", "tail"]);
  });

  it("cuts a span that is its own parent", () => {
    expect(indexTrace([span("a", "a", 0, 1)]).unplaced).toMatchObject([{ reason: "cycle", parentId: "a" }]);
  });

  it("lets the finished one of two spans with the same id have the place and the children", () => {
    const open = span("a", "root", 1, 0, { isPartial: true });
    const closed = span("a", "root", 1, 7);
    const index = indexTrace([span("root", undefined, 0, 9), open, span("below", "a", 2, 1), closed]);
    expect(index.find("a")?.span).toBe(closed);
    expect(index.find("a")?.children).toHaveLength(1);
    expect(index.unplaced).toMatchObject([{ reason: "duplicate", node: { size: 1 } }]);
    expect(index.unplaced[0]?.node.span).toBe(open);
  });

  it("gives a span without a usable start its parent's, after its siblings", () => {
    const spans = [
      span("root", undefined, 0, 100),
      span("zero", "root", 0, 10, { startTime: 0 }),
      span("nan", "root", 0, Number.NaN, { startTime: Number.NaN }),
      span("ok", "root", 50, 10),
    ];
    const index = indexTrace(spans);
    expect(ids(index.nodes)).toEqual(["root", "ok", "zero", "nan"]);
    expect(index.find("zero")?.start).toBe(T0);
    expect(index.find("nan")?.duration).toBe(0);
    expect(index.find("root")?.selfTime).toBe(90);
    expect(index.start).toBe(T0);
  });

  it("is comfortable with 100,000 spans, one below the other, side by side, or in one cycle", {
    timeout: 60_000,
  }, () => {
    const many = Array.from({ length: 100_000 }, (_, n) => n);
    const deep = indexTrace(many.map((n) => span(`${n}`, n === 0 ? undefined : `${n - 1}`, n, 1)));
    expect(deep.find("99999")?.depth).toBe(99_999);
    expect(deep.find("0")?.size).toBe(100_000);
    const wide = indexTrace(many.map((n) => span(`${n}`, n === 0 ? undefined : "0", n, 1)));
    expect(wide.find("0")?.children).toHaveLength(99_999);
    const ring = indexTrace(many.map((n) => span(`${n}`, `${(n + 1) % many.length}`, n, 1)));
    expect(ring.unplaced).toHaveLength(1);
    expect(ring.nodes).toHaveLength(100_000);
  });

  it("accounts for every span exactly once, whatever the table", () => {
    fc.assert(
      fc.property(brokenTrace, (spans) => {
        const index = indexTrace(spans);
        expect(new Set(index.nodes.map((each) => each.span))).toEqual(new Set(spans));
        expect(index.nodes).toHaveLength(spans.length);
        const heads = [...index.roots, ...index.unplaced.map((each) => each.node)];
        expect(new Set(heads).size).toBe(heads.length);
        expect(heads.reduce((sum, head) => sum + head.size, 0)).toBe(spans.length);
        const below = index.nodes.flatMap((each) => each.children);
        expect(new Set([...heads, ...below]).size).toBe(spans.length);
        expect(heads.every((head) => head.parent === undefined)).toBe(true);
      }),
    );
  });

  it("measures only in finite numbers within the trace", () => {
    fc.assert(
      fc.property(brokenTrace, (spans) => {
        const index = indexTrace(spans);
        for (const each of index.nodes) {
          expect(Number.isFinite(each.start) && each.start >= index.start).toBe(true);
          expect(each.duration).toBeGreaterThanOrEqual(0);
          expect(each.selfTime).toBeGreaterThanOrEqual(0);
          expect(each.selfTime).toBeLessThanOrEqual(each.duration);
          expect(each.lastActivity).toBeGreaterThanOrEqual(each.start);
          expect(each.lastActivity).toBeLessThanOrEqual(index.lastActivity);
        }
      }),
    );
  });

  it("makes the same of the same", () => {
    fc.assert(
      fc.property(brokenTrace, (spans) => {
        expect(ids(indexTrace(spans).nodes)).toEqual(ids(indexTrace(structuredClone(spans)).nodes));
      }),
    );
  });
});
