import { describe, expect, it } from "vitest";
import type { ResourceContext } from "../../src/resources/define.ts";
import { resources } from "../../src/resources/index.ts";
import { apiWith, aRun } from "../support/api.ts";
import { aSpan, RUN_ID, spanId } from "../support/spans.ts";
import { aView } from "../support/view.ts";

const spans = [aSpan(1, undefined, "process-order", 0, 10), aSpan(2, 1, "Attempt 1", 0, 9)];

const context: ResourceContext = {
  api: apiWith({
    runs: {
      list: async () => ({ items: [aRun(), aRun({ id: "run_other" })] }),
      retrieve: async () => aRun(),
      trace: async () => ({ spans, truncated: false }),
      events: async () => spans,
      span: async () => ({ ...(spans[1] as (typeof spans)[number]), triggeredRuns: [] }),
    },
  }),
  signal: new AbortController().signal,
  view: aView(),
};

const resource = (uri: string) => {
  const found = resources.find((each) => each.uri === uri);
  if (!found) throw new Error(`no resource ${uri}`);
  return found;
};

describe("run resources", () => {
  it("are those of the design, with names of their own", () => {
    expect(resources.map(({ uri }) => uri)).toEqual([
      "trigger://runs",
      "trigger://sessions",
      "trigger://runs/{runId}",
      "trigger://runs/{runId}/trace",
      "trigger://runs/{runId}/events",
      "trigger://runs/{runId}/spans/{spanId}",
      "trigger://sessions/{session}",
      "trigger://sessions/{session}/transcript",
      "trigger://sessions/{session}/channels/{io}",
      "trigger://sessions/{session}/channels/{name}/{io}",
    ]);
    expect(new Set(resources.map(({ name }) => name)).size).toBe(resources.length);
  });

  it.each([
    ["trigger://runs", {}, "runs in dev"],
    ["trigger://runs/{runId}", { runId: RUN_ID }, "process-order EXECUTING"],
    ["trigger://runs/{runId}/trace", { runId: RUN_ID }, "2 spans, 0 errors"],
    ["trigger://runs/{runId}/events", { runId: RUN_ID }, "2 events"],
    ["trigger://runs/{runId}/spans/{spanId}", { runId: RUN_ID, spanId: spanId(2) }, "Attempt 1"],
  ])("%s reads like its tool", async (uri, variables, words) => {
    expect(await resource(uri).read(variables, context)).toContain(words);
  });

  it("complete run ids and the span ids of a known run", async () => {
    const { complete } = resource("trigger://runs/{runId}/spans/{spanId}");
    expect(await complete?.runId?.("run_o", {}, context)).toEqual(["run_other"]);
    expect(await complete?.spanId?.(spanId(2).slice(0, 4), { runId: RUN_ID }, context)).toEqual([spanId(2)]);
    expect(await complete?.spanId?.("", {}, context)).toEqual([]);
  });
});
