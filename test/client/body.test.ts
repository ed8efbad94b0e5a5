import fc from "fast-check";
import { expect, test } from "vitest";
import { readBody } from "../../src/client/sse/body.ts";

const said = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const string = fc.string({ unit: "binary", maxLength: 30 });

/** What writers of `.out` write for a piece of text, any text. */
const piece = fc
  .record({
    kind: fc.constantFrom("text", "reasoning", "tool-input"),
    id: string,
    delta: string,
    part: string,
  })
  .map(({ kind, id, delta, part }) =>
    JSON.stringify({ data: { type: `${kind}-delta`, id, delta }, id: part }),
  );

/** One place of it overwritten. */
const almost = fc
  .tuple(
    piece,
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.constantFrom("", '"', "\\", "\n", "\u0000", "}", " ", "\ud800", '","x":"'),
  )
  .map(([text, place, length, other]) => {
    const at = place % text.length;
    return text.slice(0, at) + other + text.slice(at + length);
  });

test("a body says what JSON.parse reads of it, in the same order", () => {
  fc.assert(
    fc.property(fc.oneof(piece, almost), (text) => {
      expect(readBody(text)).toEqual(said(text));
      expect(JSON.stringify(readBody(text))).toBe(JSON.stringify(said(text)));
    }),
    { numRuns: 5_000 },
  );
});
