import { describe, expect, it } from "vitest";
import { exhibits } from "./index.ts";
import { score } from "./score.ts";

describe("diagnose_run", () => {
  it.each(
    exhibits.map((exhibit) => [exhibit.name, exhibit.story, exhibit] as const),
  )("knows %s (%s)", async (_name, _story, exhibit) => {
    const { misses, text } = await score(exhibit);
    expect(misses, text).toEqual([]);
    expect((await score(exhibit)).text, "the same question, the same answer").toBe(text);
  });
});
