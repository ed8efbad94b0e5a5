import { describe, expect, it, vi } from "vitest";
import type { Page, RunListQuery, RunSummary } from "../../src/domain/run.ts";
import listRuns from "../../src/tools/list-runs.ts";
import { tokens } from "../../src/views/tokens.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { ask } from "../support/reading.ts";

const DAY = 86_400_000;

const ended = (n: number, rest: Partial<RunSummary> = {}): RunSummary =>
  aRun({
    id: `run_cm9x2k4p3000${n}ab12cd34ef56`,
    status: "FAILED",
    createdAt: CREATED - n * 300_000,
    startedAt: CREATED - n * 300_000 + 200,
    finishedAt: CREATED - n * 300_000 + 4_410,
    version: "20261120.3",
    region: "us-east-1",
    tags: [`order:${n}`],
    ...rest,
  });

function listing(answer: (query: RunListQuery) => Page<RunSummary>) {
  const list = vi.fn(async (query: RunListQuery) => answer(query));
  return { api: apiWith({ runs: { list } }), list };
}

describe("list_runs", () => {
  it("shows rows with constants hoisted, the window and the call for the next page", async () => {
    const { api } = listing(() => ({
      items: [ended(1), ended(2, { status: "CRASHED" }), ended(3)],
      next: "eyJjIjox",
    }));
    const { text, structured } = await ask(listRuns, api, { status: ["FAILED", "CRASHED"] });
    expect(text).toMatchInlineSnapshot(`
      "runs in dev · last 7d · 3 shown (2 FAILED, 1 CRASHED), more exist · newest first · task process-order, version 20261120.3, region us-east-1 for all
      id                             status   age  queued  took   tags
      run_cm9x2k4p30001ab12cd34ef56  FAILED   9m   200ms   4.21s  order:1
      run_cm9x2k4p30002ab12cd34ef56  CRASHED  14m  200ms   4.21s  order:2
      run_cm9x2k4p30003ab12cd34ef56  FAILED   19m  200ms   4.21s  order:3
      next: list_runs {"status":["FAILED","CRASHED"],"cursor":"eyJjIjox"}
            get_run {"run_id":"run_cm9x2k4p30001ab12cd34ef56"}"
    `);
    expect(structured).toMatchObject({
      runs: [
        { id: ended(1).id, status: "FAILED" },
        { id: ended(2).id, status: "CRASHED" },
        { id: ended(3).id, status: "FAILED" },
      ],
      cursor: "eyJjIjox",
      window: { period: "7d" },
    });
  });

  it("counts only what it has seen to the end", async () => {
    const whole = listing(() => ({ items: [ended(1), ended(2)] }));
    expect((await ask(listRuns, whole.api, {})).text).toContain("2 runs (2 FAILED)");
    const last = listing(() => ({ items: [ended(1)] }));
    expect((await ask(listRuns, last.api, { cursor: "abc" })).text).toContain(
      "1 shown (1 FAILED), the last page",
    );
  });

  it("always asks for the window it names", async () => {
    const { api, list } = listing(() => ({ items: [ended(1)] }));
    await ask(listRuns, api, { batch: "batch_1" });
    expect(list).toHaveBeenCalledWith(
      expect.objectContaining({ period: "7d", batch: "batch_1" }),
      expect.anything(),
    );
    const { text } = await ask(listRuns, api, { from: "2026-08-01T00:00:00Z", to: CREATED });
    expect(list).toHaveBeenLastCalledWith(
      expect.objectContaining({ from: Date.UTC(2026, 7, 1), to: CREATED }),
      expect.anything(),
    );
    expect(list.mock.lastCall?.[0]).not.toHaveProperty("period");
    expect(text).toContain("2026-08-01 00:00:00Z to 2026-08-20 10:00:00Z");
  });

  it("selects every stored status that is shown as the one asked for", async () => {
    const { api, list } = listing(() => ({ items: [ended(1)] }));
    await ask(listRuns, api, { status: "EXECUTING" });
    expect(list.mock.lastCall?.[0].status).toEqual(["EXECUTING", "REATTEMPTING"]);
  });

  it("explains an empty answer by what is just outside it", async () => {
    const { api, list } = listing((query) => {
      if (!query.status)
        return { items: [ended(1, { status: "COMPLETED" }), ended(2, { status: "COMPLETED" })] };
      return query.period === "365d"
        ? { items: [ended(3, { createdAt: CREATED - 19 * DAY })], next: "x" }
        : { items: [] };
    });
    const { text, structured } = await ask(listRuns, api, { status: "FAILED", task: "process-order" });
    expect(text).toMatchInlineSnapshot(`
      "0 runs in dev · last 7d · filtered by status FAILED, task process-order
      In the same window, of any status: 2 runs (2 COMPLETED).
      The newest that matches outside the window: run_cm9x2k4p30003ab12cd34ef56, 19d old.
      next: list_runs {"status":"FAILED","task":"process-order","period":"21d"}"
    `);
    expect(list).toHaveBeenCalledTimes(3);
    expect(structured.runs).toEqual([]);
  });

  it("says so when nothing like it exists at all", async () => {
    const { api } = listing(() => ({ items: [] }));
    const { text } = await ask(listRuns, api, {});
    expect(text).toContain("0 runs in dev · last 7d · filtered by nothing but the window");
    expect(text).toContain("Nothing like it in the last 365d either.");
  });

  it("an empty page with a next one is not the end", async () => {
    const { api, list } = listing(() => ({ items: [], next: "further" }));
    const { text, structured } = await ask(listRuns, api, { status: "FAILED" });
    expect(text).toContain("older ones exist");
    expect(structured.cursor).toBe("further");
    expect(list).toHaveBeenCalledTimes(1);
  });

  it("rows that do not fit are counted, come with the call that shows them, and are not skipped by a cursor", async () => {
    const { api } = listing(() => ({
      items: Array.from({ length: 100 }, (_, n) => ended(n)),
      next: "further",
    }));
    const { text, structured } = await ask(listRuns, api, { limit: 100 }, 800);
    expect(tokens(text)).toBeLessThanOrEqual(800);
    const [, left, more] = /… (\d+) more rows of this page did not fit: list_runs (\{.*\})/.exec(text) ?? [];
    const shown = (structured.runs as unknown[]).length;
    expect(shown + Number(left)).toBe(100);
    expect(structured).not.toHaveProperty("cursor");
    const again = JSON.parse(more ?? "{}");
    const whole = await ask(listRuns, api, { limit: again.limit }, again.max_tokens);
    expect(whole.structured.runs).toHaveLength(100);
    expect(whole.structured.cursor).toBe("further");
  });

  it.each([
    [{ period: "soon" }, /"period" takes a number and a unit/],
    [{ from: "yesterday-ish" }, /"from" takes an ISO date/],
    [{ from: 2e12, to: 1e12 }, /"from" is later than "to"/],
  ])("refuses %j before asking", async (args, message) => {
    await expect(ask(listRuns, apiWith({}), args)).rejects.toThrow(message);
  });

  it("hostile text stays on its row and keeps no control over the terminal", async () => {
    const { api } = listing(() => ({
      items: [
        ended(1, {
          task: "a\u001b[2J\nb",
          tags: ["x\r\nid  status", "tr_dev_abcdefgh12345678", "\u202egnp"],
        }),
        ended(2),
      ],
    }));
    const { text } = await ask(listRuns, api, {});
    expect(text.split("\n")).toHaveLength(6 - 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be gone
    expect(text).not.toMatch(/[\u001b\u202e\r]|tr_dev_/);
  });
});
