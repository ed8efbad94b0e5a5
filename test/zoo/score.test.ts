/** The zoo is only worth what its scorer notices. */
import { describe, expect, it } from "vitest";
import type { ToolAnswer } from "../../src/server/pipeline.ts";
import { MINUTE } from "./rows.ts";
import { exhibit } from "./scenario.ts";
import { missesOf } from "./score.ts";

const example = exhibit("example", "one span fails", (world) => {
  const run = world.once("example", { ago: MINUTE }, (step) => {
    step.span("breaks", { took: 2 });
  });
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("breaks") },
      evidence: [/it broke/],
      absent: ["hunter2"],
    },
  };
});
const span = [example.expect.culprit.span].flat()[0] ?? "";

const answer = (text: string, structured: Record<string, unknown> = {}): ToolAnswer => ({
  text,
  structured: {
    verdict: { class: "user_code" },
    culprit: { run_id: example.run, span_id: span },
    ...structured,
  },
  isError: false,
});

describe("the scorer", () => {
  it("has nothing against an answer that is right, with span ids whole or as prefixes", () => {
    const right = `it broke in ${example.run} at #${span.slice(0, 4)}`;
    expect(missesOf(example, answer(right))).toEqual([]);
    const culprit = { run_id: example.run, span_id: span.slice(0, 6) };
    expect(missesOf(example, answer(right, { culprit }))).toEqual([]);
  });

  it.each<[string, ToolAnswer, RegExp]>([
    ["a wrong class", answer("it broke", { verdict: { class: "ok" } }), /class ok instead of user_code/],
    ["another run", answer("it broke", { culprit: { run_id: "run_other", span_id: span } }), /culprit run/],
    ["no span", answer("it broke", { culprit: { run_id: example.run } }), /culprit span undefined/],
    ["missing evidence", answer("something happened"), /does not say/],
    ["what must not be said", answer("it broke, hunter2"), /says hunter2/],
    ["a run that does not exist", answer("it broke in run_cmwoxaphd4hvy2z83fcaqlyyz"), /names run_cm/],
    ["a span that does not exist", answer(`it broke at #${"0".repeat(16)}`), /names 0000/],
    [
      "an invented id in a call",
      answer("it broke", { next: [{ args: { focus: "f".repeat(16) } }] }),
      /names ffff/,
    ],
    ["an answer that is too long", answer(`it broke ${"over and ".repeat(900)}`), /tokens are more than/],
    ["an error", { ...answer("it broke"), isError: true }, /it is an error/],
  ])("objects to %s", (_, wrong, objection) => {
    expect(missesOf(example, wrong)).toEqual([expect.stringMatching(objection)]);
  });
});
