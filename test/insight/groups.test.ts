import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { causeOf, type FailedRun, groupFailures, noveltyOf, tally } from "../../src/insight/groups.ts";

const T0 = Date.UTC(2026, 7, 20, 10);
let made = 0;

const failed = (rest: Partial<FailedRun> = {}): FailedRun => {
  made += 1;
  return {
    id: `run_${made}`,
    task: "process-order",
    status: "FAILED",
    version: "20261120.3",
    failedAt: T0 + made,
    error: { name: "Error", message: `order ${made} has no card` },
    ...rest,
  };
};

describe("failures of one cause", () => {
  it("are one group with its count, times, versions and newest run, whatever order they come in", () => {
    const runs = [
      failed({ failedAt: T0 + 60_000, version: "20261120.3" }),
      failed({ failedAt: T0 }),
      failed({ failedAt: T0 + 90_000, version: "20261120.4", id: "run_newest" }),
    ];
    const groups = groupFailures(runs);
    expect(groups).toEqual([
      {
        key: expect.stringMatching(/^[\da-f]{16}$/),
        kind: "thrown",
        title: "Error: order {n} has no card",
        message: runs[2]?.error && `Error: ${runs[2].error.message}`,
        sameMessage: false,
        count: 3,
        firstSeen: T0,
        lastSeen: T0 + 90_000,
        tasks: [{ name: "process-order", count: 3 }],
        versions: [
          { name: "20261120.3", count: 2 },
          { name: "20261120.4", count: 1 },
        ],
        statuses: [{ name: "FAILED", count: 3 }],
        example: "run_newest",
      },
    ]);
    expect(groupFailures([...runs].reverse())).toEqual(groups);
  });

  it("may be of several tasks when code threw them, but not when the platform ended them", () => {
    const error = { name: "Error", message: "connect ECONNREFUSED 10.0.0.7:5432" };
    expect(groupFailures([failed({ error }), failed({ error, task: "nightly-import" })])).toMatchObject([
      { kind: "thrown", count: 2, tasks: [{ name: "nightly-import" }, { name: "process-order" }] },
    ]);
    const oom = { message: "trigger.dev internal error (TASK_PROCESS_OOM_KILLED)" };
    const ended = groupFailures([failed({ error: oom }), failed({ error: oom, task: "nightly-import" })]);
    expect(ended).toMatchObject([
      { kind: "platform", title: "TASK_PROCESS_OOM_KILLED", count: 1 },
      { kind: "platform", title: "TASK_PROCESS_OOM_KILLED", count: 1 },
    ]);
    expect(ended[0]?.key).not.toBe(ended[1]?.key);
  });

  it("without an error are counted by task and status", () => {
    const { error: _, ...bare } = failed({ status: "CRASHED" });
    expect(
      groupFailures([bare, { ...bare, id: "run_b" }, { ...bare, id: "run_c", status: "SYSTEM_FAILURE" }]),
    ).toMatchObject([
      { kind: "unexplained", title: "CRASHED without an error", count: 2 },
      { kind: "unexplained", title: "SYSTEM_FAILURE without an error", count: 1 },
    ]);
  });

  it("come most frequent first, those that only pass a failure on last", () => {
    const passed = { name: "SubtaskUnwrapError", message: "Error in charge-card: declined" };
    const groups = groupFailures([
      ...[1, 2, 3].map(() => failed({ error: passed })),
      failed({ error: { message: "once" } }),
      failed(),
      failed(),
    ]);
    expect(groups.map(({ kind, count }) => `${kind} ${count}`)).toEqual([
      "thrown 2",
      "thrown 1",
      "passed_on 3",
    ]);
  });

  it("are all in a group, whatever they say", () => {
    const run = fc.record({
      id: fc.string(),
      task: fc.string(),
      status: fc.string(),
      failedAt: fc.integer(),
      error: fc.record({ name: fc.string(), message: fc.string(), stackTrace: fc.string() }),
    });
    fc.assert(
      fc.property(fc.array(run), (runs) => {
        const groups = groupFailures(runs);
        expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(runs.length);
        expect(new Set(groups.map(({ key }) => key)).size).toBe(groups.length);
        for (const group of groups) {
          expect(group.firstSeen).toBeLessThanOrEqual(group.lastSeen);
          expect(runs.some(({ id }) => id === group.example)).toBe(true);
        }
      }),
    );
  });
});

describe("a cause is", () => {
  const run = failed();
  const group = { key: causeOf(run).key, tasks: [{ name: "process-order", count: 1 }] };
  const earlier = (keys: string[], covered: boolean) => ({ keys: new Set(keys), covers: () => covered });

  it("new only when every earlier failure of its tasks was looked at", () => {
    expect(noveltyOf(group, earlier([], true))).toBe("new");
    expect(noveltyOf(group, earlier(["other"], false))).toBe("unknown");
  });

  it("not new as soon as one earlier failure matches", () => {
    expect(noveltyOf(group, earlier([group.key], false))).toBe("seen");
  });
});

it("a tally counts and puts the most frequent first", () => {
  expect(tally(["b", "a", "b", "c", "a", "b"])).toEqual([
    { name: "b", count: 3 },
    { name: "a", count: 2 },
    { name: "c", count: 1 },
  ]);
});
