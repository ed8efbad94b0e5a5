import { beforeEach, describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run, RunListQuery } from "../../src/domain/run.ts";
import triageFailures from "../../src/tools/triage-failures.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { ask, aToolContext } from "../support/reading.ts";
import { aView } from "../support/view.ts";

const HOUR = 3_600_000;
const NOW = CREATED + 4 * 60_000;
const STACK = "TypeError: x\n    at capturePayment (file:///app/src/trigger/charge.ts:42:17)";

let made = 0;
beforeEach(() => {
  made = 0;
});
const failure = (hoursAgo: number, rest: Partial<Run> = {}): Run => {
  made += 1;
  const createdAt = NOW - hoursAgo * HOUR;
  return aRun({
    id: `run_${String(made).padStart(4, "0")}`,
    status: "FAILED",
    version: "20261120.3",
    createdAt,
    finishedAt: createdAt + 1_000,
    error: {
      name: "TypeError",
      message: "Cannot read properties of undefined (reading 'id')",
      stackTrace: STACK,
    },
    ...rest,
  });
};
const good = (hoursAgo: number): Run => {
  const { error: _, ...run } = failure(hoursAgo, { status: "COMPLETED" });
  return run;
};
const down = { name: "Error", message: "connect ECONNREFUSED 10.0.0.7:5432" };

/** A server of these runs: windows, status, task and pages as the contract has them. */
function server(runs: Run[], { page = 100, fail = {} as Record<string, TriggerError> } = {}) {
  const asked: RunListQuery[] = [];
  const retrieved: string[] = [];
  let under = 0;
  let most = 0;
  const sorted = [...runs].sort((a, b) => b.createdAt - a.createdAt);
  const api = apiWith({
    runs: {
      async list(query) {
        asked.push(query);
        const from = query.from ?? (query.period === "365d" ? NOW - 365 * 24 * HOUR : Number.NaN);
        const found = sorted.filter(
          ({ createdAt, status, task, version }) =>
            createdAt >= from &&
            createdAt <= (query.to ?? NOW) &&
            (query.status?.includes(status) ?? true) &&
            (query.task?.includes(task) ?? true) &&
            (query.version?.includes(version ?? "") ?? true),
        );
        const start = Number(query.after ?? 0);
        const end = start + Math.min(page, query.limit ?? 25);
        return { items: found.slice(start, end), ...(end < found.length && { next: String(end) }) };
      },
      async retrieve(id) {
        retrieved.push(id);
        under += 1;
        most = Math.max(most, under);
        await Promise.resolve();
        under -= 1;
        if (fail[id]) throw fail[id];
        return runs.find((run) => run.id === id) ?? aRun();
      },
    },
  });
  return { api, asked, retrieved, most: () => most };
}

describe("triage_failures", () => {
  it("groups the failures of the last day by cause, and says which are new", async () => {
    const { api } = server([
      ...[1, 2, 3].map((ago) => failure(ago)),
      failure(5, { task: "nightly-import", error: down, version: "20261119.8" }),
      failure(6, { task: "sync", error: { ...down, message: "connect ECONNREFUSED 10.0.0.9:5432" } }),
      failure(7, {
        status: "CRASHED",
        error: { message: "trigger.dev internal error (TASK_PROCESS_OOM_KILLED)" },
      }),
      ...[2, 4, 8, 9].map(good),
      failure(30, { task: "sync", error: down }),
    ]);
    const { text, structured } = await ask(triageFailures, api, {});
    expect(text).toMatchInlineSnapshot(`
      "failures in dev · created in the last 24h · 6 runs (5 FAILED, 1 CRASHED) · all looked at · 3 causes, 2 new
      1 ×3 NEW  TypeError: Cannot read properties of undefined (reading 'id')
         process-order · FAILED · src/trigger/charge.ts:42 capturePayment
         first 2h ago, last 59m ago · version 20261120.3 · 3 of 8 runs of the task (38%) · e.g. run_0001
      2 ×2  Error: connect ECONNREFUSED {ip}:5432
         nightly-import ×1, sync ×1 · FAILED
         first 5h ago, last 4h ago · version 20261119.8 ×1, 20261120.3 ×1 · 2 of 2 runs of these tasks (100%) · e.g. run_0004
      3 ×1 NEW  TASK_PROCESS_OOM_KILLED
         process-order · CRASHED
         seen 6h ago · version 20261120.3 · 1 of 8 runs of the task (13%) · run_0006
      compared with the 24h before: 1 failure of these tasks, 1 looked at; causes already there: 1 of 3
      next: diagnose_run {"run_id":"run_0001"}
            list_runs {"task":["process-order"],"status":["FAILED"],"period":"24h"}"
    `);
    expect(structured).toMatchObject({
      window: { from: NOW - 24 * HOUR, to: NOW },
      failures: 6,
      looked_at: 6,
      groups: [
        { count: 3, new: true, tasks: ["process-order"], example_run_id: "run_0001" },
        { count: 2, new: false, tasks: ["nightly-import", "sync"] },
        { count: 1, new: true, tasks: ["process-order"] },
      ],
      next: [{ tool: "diagnose_run", args: { run_id: "run_0001" } }, { tool: "list_runs" }],
    });
  });

  it("follows the list to its end and reads details a few at a time", async () => {
    const { api, asked, retrieved, most } = server(
      Array.from({ length: 250 }, (_, n) => failure(n / 20)),
      { page: 40 },
    );
    const { text, structured } = await ask(triageFailures, api, { limit: 250 });
    expect(text).toContain("250 runs (250 FAILED) · all looked at · 1 cause");
    expect(structured).toMatchObject({ failures: 250, looked_at: 250 });
    expect(asked.filter(({ after }) => after !== undefined).length).toBeGreaterThanOrEqual(6);
    expect(retrieved).toHaveLength(250);
    expect(most()).toBeLessThanOrEqual(6);
  });

  it("tells how many it did not look at, of which tasks, and the call that does", async () => {
    const { api } = server([
      ...[1, 2, 3].map((ago) => failure(ago)),
      ...[4, 5].map((ago) => failure(ago, { task: "sync", error: down })),
    ]);
    const { text, structured } = await ask(triageFailures, api, { limit: 2, period: "12h" });
    expect(text).toContain("5 runs (5 FAILED) · 2 looked at · 1 cause");
    expect(text).toContain("not looked at: 3 older failures (limit 2): sync ×2, process-order ×1");
    expect(text).not.toMatch(/2 of \d+ run/);
    expect(structured.next).toContainEqual({ tool: "triage_failures", args: { period: "12h", limit: 100 } });
    expect(structured.next).not.toContainEqual(expect.objectContaining({ tool: "list_runs" }));
  });

  it("offers the runs of a cause only where filters select exactly those", async () => {
    const mixed = server([failure(1), failure(2), failure(3, { error: down })]);
    expect((await ask(triageFailures, mixed.api, {})).structured.next).toEqual([
      { tool: "diagnose_run", args: { run_id: expect.any(String) } },
    ]);
    const alone = server([failure(1), failure(2), failure(3, { error: down, task: "sync" })]);
    expect((await ask(triageFailures, alone.api, { version: "20261120.3" })).structured.next).toContainEqual({
      tool: "list_runs",
      args: { version: "20261120.3", task: ["process-order"], status: ["FAILED"], period: "24h" },
    });
  });

  it("does not call a cause new that earlier failures nobody looked at may have had", async () => {
    const before = Array.from({ length: 5 }, (_, n) => failure(30 + n, { error: { message: `other ${n}` } }));
    const { api, retrieved } = server([failure(1), ...before]);
    const { text, structured } = await ask(triageFailures, api, { limit: 3 });
    expect(text).not.toContain("NEW");
    expect(text).toContain("5 failures of these tasks, 3 looked at");
    expect(text).toContain("whether 1 is new is unknown");
    expect((structured.groups as object[])[0]).not.toHaveProperty("new");
    expect(retrieved).toHaveLength(4);
  });

  it("looks at no more earlier failures than it takes to know", async () => {
    const { api, retrieved } = server([
      failure(1),
      ...Array.from({ length: 60 }, (_, n) => failure(25 + n / 10)),
    ]);
    const { structured } = await ask(triageFailures, api, {});
    expect((structured.groups as object[])[0]).toMatchObject({ new: false });
    expect(retrieved.length).toBeLessThanOrEqual(7);
  });

  it("compares with any version, so that an old cause is not new in a new version", async () => {
    const { api } = server([failure(1, { version: "2" }), failure(30, { version: "1" })]);
    const { structured } = await ask(triageFailures, api, { version: "2" });
    expect((structured.groups as object[])[0]).toMatchObject({ count: 1, new: false });
  });

  it("says so when nothing ran in the window before", async () => {
    const { api } = server([failure(1)]);
    expect((await ask(triageFailures, api, {})).text).toContain(
      "compared with the 24h before: no failure of these tasks, none of which ran then",
    );
    const ran = server([failure(1), good(30)]);
    expect((await ask(triageFailures, ran.api, {})).text).not.toContain("none of which ran");
  });

  it("counts failures it may not read, and goes on", async () => {
    const lost = failure(1);
    const { api } = server([lost, failure(2)], {
      fail: { [lost.id]: new TriggerError("not_found", "gone") },
    });
    const { text, structured } = await ask(triageFailures, api, {});
    expect(text).toContain("2 runs (2 FAILED) · 1 looked at");
    expect(text).toContain("failures whose details could not be read: not_found ×1");
    expect(structured).toMatchObject({ failures: 2, looked_at: 1 });
  });

  it("answers when no failure can be read", async () => {
    const lost = failure(1);
    const { api, asked } = server([lost], { fail: { [lost.id]: new TriggerError("forbidden", "no") } });
    const { text, structured } = await ask(triageFailures, api, {});
    expect(text).toContain("1 run (1 FAILED) · 0 looked at · 0 causes");
    expect(text).toContain("could not be read: forbidden ×1");
    expect(structured).toMatchObject({ failures: 1, looked_at: 0, groups: [], next: [] });
    expect(asked).toHaveLength(1);
  });

  it("stops where the API's patience ends, and says where to go on", async () => {
    const runs = Array.from({ length: 20 }, (_, n) => failure(n + 1));
    const limited = new TriggerError("rate_limited", "slow down", { status: 429, retryable: true });
    const { api, asked, retrieved } = server(runs, { fail: { [runs[8]?.id ?? ""]: limited } });
    const { text, structured } = await ask(triageFailures, api, {});
    expect(retrieved.length).toBeLessThanOrEqual(15);
    expect(asked).toHaveLength(1);
    expect(text).toContain("new or not: unknown, the 24h before was not looked at");
    expect(text).toMatch(/not looked at: \d+ older failures \(rate limited\): process-order ×\d+/);
    const [onward] = (structured.next ?? []).filter(({ tool }) => tool === "triage_failures");
    expect(onward?.args).toMatchObject({ from: new Date(NOW - 24 * HOUR).toISOString() });
    expect(Date.parse(String(onward?.args.to))).toBeLessThan(NOW - HOUR);
  });

  it("answers at its deadline with what is there", async () => {
    const runs = Array.from({ length: 50 }, (_, n) => failure(n / 10));
    const { api, retrieved } = server(runs);
    let time = NOW;
    const context = { ...aToolContext(api), now: () => (time += 1_000), deadline: () => NOW + 20_000 };
    const input = triageFailures.input.parse({});
    const answer = triageFailures.view(await triageFailures.run(input, context), aView(), input);
    expect(retrieved.length).toBeLessThan(25);
    expect(answer.structured).toMatchObject({ failures: 50, looked_at: retrieved.length });
    expect(answer.text).toMatch(/not looked at: \d+ older failures \(out of time\)/);
  });

  it("fails when nothing can be read at all", async () => {
    const run = failure(1);
    const refused = new TriggerError("unauthorized", "bad key", { status: 401 });
    const { api } = server([run], { fail: { [run.id]: refused } });
    await expect(ask(triageFailures, api, {})).rejects.toBe(refused);
  });

  it("does not lose its answer when the window before cannot be read", async () => {
    const old = failure(30);
    const limited = new TriggerError("rate_limited", "slow down", { status: 429, retryable: true });
    const { api } = server([failure(1), old], { fail: { [old.id]: limited } });
    const { text } = await ask(triageFailures, api, {});
    expect(text).toContain("1 failure of these tasks, 0 looked at");
    expect(text).toContain("whether 1 is new is unknown");
  });

  it("ends at once when its caller goes away", async () => {
    const gone = new TriggerError("cancelled", "the caller went away");
    const run = failure(1);
    const { api } = server([run], { fail: { [run.id]: gone } });
    await expect(ask(triageFailures, api, {})).rejects.toBe(gone);
  });

  it("explains a window without failures by what is outside it", async () => {
    const { api } = server([good(1), good(2), failure(24 * 5)]);
    const { text, structured } = await ask(triageFailures, api, { task: "process-order" });
    expect(text).toMatchInlineSnapshot(`
      "0 failures in dev · created in the last 24h
      It has 2 runs: 2 COMPLETED.
      The newest failure: run_0003, process-order FAILED 5d ago.
      next: triage_failures {"task":"process-order","period":"6d"}"
    `);
    expect(structured).toMatchObject({ failures: 0, looked_at: 0, groups: [] });
  });

  it("takes the window it is given, a period counted back from its end", async () => {
    const { api, asked } = server([failure(50)]);
    await ask(triageFailures, api, { to: NOW - 48 * HOUR, period: "6h" });
    expect(asked[0]).toMatchObject({ from: NOW - 54 * HOUR, to: NOW - 48 * HOUR });
    expect(asked[0]?.status).toEqual(["FAILED", "INTERRUPTED", "CRASHED", "SYSTEM_FAILURE", "TIMED_OUT"]);
    expect(asked[1]).toMatchObject({
      from: NOW - 60 * HOUR,
      to: NOW - 54 * HOUR - 1,
      task: ["process-order"],
    });
    await expect(ask(triageFailures, api, { period: "soon" })).rejects.toThrow("period");
  });

  it.each([
    200, 400, 1_000,
  ])("keeps to %i tokens with the worst first, and counts what is left out", async (budget) => {
    const causes = "abcdefghijklmnopqrstuvwxyz".split("");
    const runs = causes.map((letter, n) =>
      failure(n / 10, { task: `task-${letter}`, error: { message: `${letter.repeat(150)} failed` } }),
    );
    const { api } = server([...runs, ...[3, 4, 5].map((ago) => failure(ago))]);
    const { text, structured } = await ask(triageFailures, api, {}, budget);
    expect(text).toContain("1 ×3 NEW  TypeError");
    expect(text).toMatch(/\d+ more causes did not fit/);
    expect(structured.groups).toHaveLength(27);
  });

  it("hides secrets and control characters of what failures say", async () => {
    const message = "rejected key sk-abcdefghijklmnopqrstuvwxyz\u001b[2J for pay";
    const { api } = server([
      failure(1, { error: { message } }),
      failure(2, { task: "x\u202ey", error: { message } }),
    ]);
    const { text } = await ask(triageFailures, api, {});
    for (const hidden of ["sk-abc", "\u001b", "\u202e"]) expect(text).not.toContain(hidden);
    expect(text).toContain("[secret 1]");
  });
});
