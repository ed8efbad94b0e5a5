import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findErrors } from "../../src/insight/errors.ts";
import { indexTrace } from "../../src/insight/spans.ts";
import { brokenTrace, span, T0 } from "./traces.ts";

const failed = { isError: true };

describe("findErrors", () => {
  it("finds the first and the deepest failure and the way down to it", () => {
    const errors = findErrors(
      indexTrace([
        span("run", undefined, 0, 100, failed),
        span("attempt", "run", 1, 98, failed),
        span("warmup", "attempt", 2, 3, failed),
        span("work", "attempt", 10, 80, failed),
        span("call", "work", 20, 60, failed),
      ]),
    );
    expect(errors.first?.span.id).toBe("warmup");
    expect(errors.deepest?.span.id).toBe("call");
    expect(errors.path.map((node) => node.span.id)).toEqual(["run", "attempt", "work", "call"]);
    expect(errors.all.map((node) => node.span.id)).toEqual(["warmup", "call", "work", "attempt", "run"]);
  });

  it("goes by the exception's own time where there is one", () => {
    const events = [{ name: "exception", time: T0 + 5, properties: {} }];
    const errors = findErrors(
      indexTrace([
        span("run", undefined, 0, 100),
        span("slow", "run", 1, 90, { ...failed, events }),
        span("quick", "run", 10, 5, failed),
      ]),
    );
    expect(errors.first?.span.id).toBe("slow");
  });

  it("says nothing of a trace without errors", () => {
    expect(findErrors(indexTrace([span("run", undefined, 0, 1)]))).toEqual({
      all: [],
      first: undefined,
      deepest: undefined,
      path: [],
    });
  });

  it("lists every error once, whatever the table", () => {
    fc.assert(
      fc.property(brokenTrace, (spans) => {
        const errors = findErrors(indexTrace(spans));
        expect(new Set(errors.all.map((node) => node.span))).toEqual(
          new Set(spans.filter((each) => each.isError)),
        );
        expect(errors.path.at(-1)).toBe(errors.deepest);
      }),
    );
  });
});
