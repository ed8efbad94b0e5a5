import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shortIds } from "../../src/insight/short-ids.ts";

describe("short ids", () => {
  const id = fc.oneof(
    fc.stringMatching(/^[0-9a-f]{16}$/),
    fc.stringMatching(/^abcd[01]{0,6}$/),
    fc.string({ maxLength: 6 }),
  );

  it("mean one id only, and are as short as that allows", () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 60 }), (ids) => {
        const short = shortIds(ids.map((id) => ({ id })));
        const all = [...new Set(ids)];
        for (const one of all) {
          const prefix = short.get(one) ?? "missing";
          expect(one.startsWith(prefix)).toBe(true);
          const meant = all.filter((other) => other.startsWith(prefix));
          // An id that begins another one has no prefix of its own.
          if (prefix !== one) expect(meant).toEqual([one]);
          if (prefix.length > 4 && prefix !== one) {
            expect(all.filter((other) => other.startsWith(prefix.slice(0, -1))).length).toBeGreaterThan(1);
          }
        }
      }),
    );
  });

  it("knows only what it was made of", () => {
    expect(shortIds([{ id: "abcdef" }]).get("abcdee")).toBeUndefined();
    expect(shortIds([]).get("abcd")).toBeUndefined();
  });
});
