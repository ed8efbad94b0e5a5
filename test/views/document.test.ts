import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Block, render } from "../../src/views/document.ts";
import { tokens } from "../../src/views/tokens.ts";

const omitted = (shown: number, total: number): string =>
  `… ${total - shown} of ${total} more: list_runs {"max_tokens":8000}`;

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(..."ab 1\n😀é漢{}█"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 60,
});
const anyBlock: fc.Arbitrary<Block> = fc.oneof(
  anyText,
  fc.constant(undefined),
  fc.record({
    rows: fc.array(fc.record({ text: anyText, rank: fc.integer({ min: 0, max: 5 }) }), { maxLength: 40 }),
    omitted: fc.constant(omitted),
  }),
);

describe("render", () => {
  it("never costs more than its budget", () => {
    fc.assert(
      fc.property(
        fc.array(anyBlock, { maxLength: 6 }),
        fc.integer({ min: 0, max: 400 }),
        (blocks, budget) => {
          expect(tokens(render(blocks, budget).text)).toBeLessThanOrEqual(budget);
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });

  it("keeps rows by rank, shows them in reading order and counts the rest", () => {
    const rows = Array.from({ length: 60 }, (_, at) => ({
      text: `row number ${at}`,
      rank: at === 50 ? 0 : 1,
    }));
    const { text, shown, total } = render(["head", { rows, omitted }], 120);
    const lines = text.split("\n");
    expect(lines[0]).toBe("head");
    expect(lines[1]).toBe("row number 0");
    expect(lines.at(-2)).toBe("row number 50");
    expect(lines.at(-1)).toBe(omitted(shown, total));
    expect(lines).toHaveLength(shown + 2);
  });

  it("leaves no gap among rows of one rank: what is kept is the beginning", () => {
    const rows = ["one", `two ${"long ".repeat(60)}`, "three"].map((text) => ({ text }));
    const { text, shown } = render([{ rows, omitted }], 60);
    expect(text).toBe(`one\n${omitted(1, 3)}`);
    expect(shown).toBe(1);
  });
});
