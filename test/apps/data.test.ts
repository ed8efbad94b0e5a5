/** What the run view is sent: bounded, cleaned, a proper tree, and only for those who show it. */
import { describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import { callTool } from "../../src/server/pipeline.ts";
import { tools } from "../../src/tools/index.ts";
import { MOST_SPANS } from "../../src/views/run-view.ts";
import { RUN_VIEW, type RunViewData, SPAN_FLAGS } from "../../src/views/run-view-shape.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { aService, target } from "../support/service.ts";
import { aSpan, failed } from "../support/spans.ts";

const DONE: Partial<Run> = { status: "FAILED", startedAt: CREATED, finishedAt: CREATED + 5_000 };

async function answer(spans: Span[] | undefined, run: Partial<Run> = DONE, apps = true, args: object = {}) {
  const api = apiWith({
    runs: {
      retrieve: async () => aRun(run),
      trace: async () => {
        if (!spans) throw new TriggerError("not_found", "no trace", { status: 404 });
        return { spans, truncated: false };
      },
    },
  });
  const tool = tools.find(({ name }) => name === "get_run_trace");
  if (!tool) throw new Error("there is no get_run_trace");
  const service = {
    ...aService({ tools: [tool], targets: [target("dev", api)] }),
    now: () => CREATED + 9_000,
  };
  return callTool(
    service,
    tool,
    { run_id: aRun().id, ...args },
    { signal: new AbortController().signal, apps },
  );
}

const dataOf = async (...asked: Parameters<typeof answer>): Promise<RunViewData> =>
  (await answer(...asked)).meta?.[RUN_VIEW.key] as RunViewData;

const wide = (children: number): Span[] => [
  aSpan(1, undefined, "process-order", 0, 5_000),
  ...Array.from({ length: children }, (_, at) => aSpan(at + 2, 1, `call ${at}`, at, (at * 7) % 1_000)),
];

describe("the run view's data", () => {
  it("is sent only to a caller that shows apps, and changes nothing else of the answer", async () => {
    const [shown, plain] = [await answer(wide(3)), await answer(wide(3), DONE, false)];
    expect(plain).not.toHaveProperty("meta");
    expect(shown).toEqual({ ...plain, meta: shown.meta });
  });

  it("has the run, its spans in order, and times from the beginning of the trace", async () => {
    const data = await dataOf([
      aSpan(1, undefined, "process-order", 100, 900),
      aSpan(2, 1, "charge", 300.126, 200, failed()),
      aSpan(3, 2, "charge-card", 350, 20, { runId: "run_child", isCancelled: true }),
    ]);
    expect(data).toMatchObject({
      task: "process-order",
      status: "FAILED",
      target: "dev",
      took: 5_000,
      runs: [aRun().id, "run_child"],
      total: 3,
      errors: 1,
      notes: [],
    });
    expect(data.spans.map(([, ...rest]) => rest)).toEqual([
      [-1, "process-order", 0, 900, 0, 0],
      [
        0,
        "charge",
        200.13,
        200,
        SPAN_FLAGS.error,
        0,
        "TypeError: Cannot read properties of undefined (reading 'id')",
      ],
      [1, "charge-card", 250, 20, SPAN_FLAGS.cancelled, 1],
    ]);
  });

  it("lets open spans last until now while the run goes on, and until the last activity once it has ended", async () => {
    const spans = [
      aSpan(1, undefined, "process-order", 0, 0, { isPartial: true }),
      aSpan(2, 1, "step", 0, 700),
    ];
    const going = await dataOf(spans, { status: "EXECUTING" });
    expect(going.spans[0]?.slice(4, 6)).toEqual([9_000, SPAN_FLAGS.open]);
    expect((await dataOf(spans)).spans[0]?.slice(4, 6)).toEqual([700, SPAN_FLAGS.open]);
  });

  it("is cleaned like all text", async () => {
    const secret = "tr_dev_abcdefghijklmnop";
    const { text, meta } = await answer(
      [
        aSpan(1, undefined, `\u001b[31mred\u202e ${secret}`, 0, 10, failed(`refused ${secret}`)),
        aSpan(2, 1, `child ${secret}\n\u0007`, 0, 1, {
          id: "\u001b]0;title\u0007beef",
          runId: `run_${secret}`,
        }),
      ],
      { ...DONE, task: `task ${secret}` },
    );
    const sent = JSON.stringify(meta);
    expect(sent).not.toContain(secret);
    expect(textsIn(meta).filter((sent) => /\p{Cc}|\u202e/u.test(sent))).toEqual([]);
    expect(text).toContain("[secret 1]");
    expect(sent).toContain("red [secret 1]");
  });

  it("has at most 2,000 spans with all that leads to them, the failed and the slowest among them, and says so", async () => {
    const spans = wide(5_000);
    spans.push(aSpan(6_000, 4_900, "late", 10, 1), aSpan(6_001, 6_000, "deep failure", 10, 1, failed()));
    const data = await dataOf(spans);
    expect(data.spans).toHaveLength(MOST_SPANS);
    expect(data.total).toBe(5_003);
    expect(data.notes.join()).toMatch(/^2,000 of 5,003 spans are here: .*; 3,003 are not shown\.$/);
    expect(data.spans.every(([, parent], place) => parent < place)).toBe(true);
    const names = data.spans.map(([, , name]) => name);
    for (const name of ["process-order", "late", "deep failure", "call 857"]) expect(names).toContain(name);
    expect(data.spans.filter(([, parent]) => parent === -1)).toHaveLength(1);
  });

  it("always has the span that was asked for", async () => {
    const focus = aSpan(2, 1, "call 0", 0, 0).id;
    const data = await dataOf(wide(5_000), DONE, true, { focus });
    expect(data.spans[data.focus ?? -1]?.[2]).toBe("call 0");
  });

  it("is quick on a chain that is far deeper than what is sent", async () => {
    const chain = Array.from({ length: 10_000 }, (_, at) =>
      aSpan(at + 1, at === 0 ? undefined : at, `level ${at}`, 0, 10_000 - at),
    );
    const data = await dataOf(chain.reverse());
    expect(data.spans).toHaveLength(MOST_SPANS);
    expect(data.spans.every(([, parent], place) => parent === place - 1)).toBe(true);
  });

  it("tells of a trace with pieces that fit nowhere", async () => {
    const data = await dataOf([aSpan(1, undefined, "process-order", 0, 10), aSpan(2, 77, "orphan", 1, 1)]);
    expect(data.notes.join()).toContain("could not be hung");
    expect(data.spans.map(([, parent]) => parent)).toEqual([-1, -1]);
  });

  it("is there for a run without a trace, and absent when the call failed", async () => {
    expect(await dataOf(undefined)).toMatchObject({ task: "process-order", spans: [], total: 0 });
    const refused = await answer(wide(1), DONE, true, { focus: "not a span" });
    expect(refused.isError).toBe(true);
    expect(refused).not.toHaveProperty("meta");
  });
});

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
