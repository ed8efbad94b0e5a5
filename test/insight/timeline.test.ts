import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foldSiblings } from "../../src/insight/fold.ts";
import { indexTrace } from "../../src/insight/spans.ts";
import { barOf, scaleOf, ticksOf } from "../../src/insight/timeline.ts";
import { isWait } from "../../src/insight/waits.ts";
import { brokenTrace, span, T0 } from "./traces.ts";

const OPEN_UNTIL = T0 + 10_000;

const drawn = (filled: readonly boolean[]) => filled.map((yes) => (yes ? "#" : ".")).join("");

describe("the timeline", () => {
  const index = indexTrace([
    span("root", undefined, 0, 100),
    span("half", "root", 50, 50),
    span("log", "root", 99.9, 0),
    span("early", "root", -500, 10),
    span("late", "root", 90, 400),
    span("open", "root", 20, 0, { isPartial: true }),
  ]);
  const scale = scaleOf(index.roots, T0 + 80, 10);
  const bar = (id: string) => {
    const node = index.find(id);
    if (!node) throw new Error(id);
    const { filled, before, after } = barOf({ node }, scale);
    return `${before ? "«" : ""}${drawn(filled)}${after ? "»" : ""}`;
  };

  it("fills the columns a span reaches into, one at least", () => {
    expect(bar("root")).toBe("##########");
    expect(bar("half")).toBe(".....#####");
    expect(bar("log")).toBe(".........#");
    expect(bar("open")).toBe("..######..");
  });

  it("says when a span lies outside the scale, which is that of the largest tree", () => {
    expect(bar("early")).toBe("«#.........");
    expect(bar("late")).toBe(".........#»");
  });

  it("a group fills the columns of its members", () => {
    const calls = Array.from({ length: 4 }, (_, n) => span(`c${n}`, "r", n * 20, 5, { message: "call" }));
    const [root] = indexTrace([span("r", undefined, 0, 100), ...calls]).roots;
    const [group] = foldSiblings(root?.children ?? []);
    if (!root || !group) throw new Error("no group");
    expect(drawn(barOf(group, scaleOf([root], OPEN_UNTIL, 10)).filled)).toBe("#.#.#.#...");
  });

  it("has ticks at round times", () => {
    const ticks = (length: number) => ticksOf({ from: T0, length, width: 40, openUntil: 0 }, 5);
    expect(ticks(4_200).map(({ at }) => at)).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
    expect(ticks(90_000).map(({ at, column }) => [at, column])).toEqual([
      [0, 0],
      [30_000, 13],
      [60_000, 26],
    ]);
    expect(ticks(0.3)).toEqual([{ at: 0, column: 0 }]);
    expect(ticks(8e15)).toHaveLength(1);
  });

  it("every bar of every broken trace has its width and something in it", () => {
    fc.assert(
      fc.property(brokenTrace, fc.integer({ min: 1, max: 80 }), (spans, width) => {
        const index = indexTrace(spans);
        const heads = [...index.roots, ...index.unplaced.map(({ node }) => node)];
        const scale = scaleOf(heads, OPEN_UNTIL, width);
        for (const item of foldSiblings(heads)) {
          const { filled } = barOf(item, scale);
          expect(filled).toHaveLength(width);
          expect(filled).toContain(true);
        }
        for (const { column } of ticksOf(scale, 5)) expect(column).toBeLessThan(width);
      }),
    );
  });
});

describe("a wait", () => {
  it.each([
    "wait 0.5s",
    "wait.for()",
    "wait.forToken()",
    "Wait for 5s",
    "waitUntil",
    "retry wait",
    "triggerAndWait()",
    "batch.triggerByTaskAndWait()",
  ])("%s is one", (message) => {
    const [node] = indexTrace([span("a", undefined, 0, 1, { message })]).nodes;
    expect(node && isWait(node)).toBe(true);
  });

  it.each([
    "waiter service",
    "Attempt 1",
    "waitress",
    "GET /wait",
    "retry.fetch()",
  ])("%s is none", (message) => {
    const [node] = indexTrace([span("a", undefined, 0, 1, { message })]).nodes;
    expect(node && isWait(node)).toBe(false);
  });
});
