/** Whether the exhibits are what they claim to be: true to the contract, and readable by every tool that reads a run. */
import { describe, expect, it } from "vitest";
import { isTerminal } from "../../src/domain/status.ts";
import { exhibits } from "./index.ts";
import { openExhibit } from "./load.ts";
import { NOW } from "./rows.ts";

const all = exhibits.map((exhibit) => [exhibit.name, exhibit] as const);

describe("the bug zoo", () => {
  it("has an exhibit for every way a run goes wrong, each under a name of its own", () => {
    expect(exhibits.length).toBeGreaterThanOrEqual(27);
    expect(new Set(exhibits.map(({ name }) => name)).size).toBe(exhibits.length);
  });

  it.each(all)("%s keeps to one trace per family, and to the past", (_, { rows }) => {
    const spans = new Map(rows.spans.map((span) => [span.spanId, span]));
    expect(spans.size).toBe(rows.spans.length);
    const strays = rows.spans.filter(({ parentId, traceId, startTime, duration }) => {
      const parent = parentId === undefined ? undefined : spans.get(parentId);
      const isOfFamily = parentId === undefined || parent?.traceId === traceId;
      return !isOfFamily || duration < 0 || startTime + duration > NOW;
    });
    expect(strays).toEqual([]);
  });

  it.each(all)("%s says which run and which span it was", (_, { rows, run, expect: expected }) => {
    const runs = rows.runs.map(({ friendlyId }) => friendlyId);
    const culprits = [expected.culprit.run].flat();
    const ofCulprits = rows.spans.filter(({ runId }) => culprits.includes(runId)).map(({ spanId }) => spanId);
    expect(runs).toEqual(expect.arrayContaining([run, ...culprits]));
    expect(ofCulprits).toEqual(expect.arrayContaining([expected.culprit.span ?? []].flat()));
  });

  it.each(
    all,
  )("%s stays as it was written, and every tool that reads a run can read it", async (_, exhibit) => {
    const open = await openExhibit(exhibit);
    try {
      const { api, call } = open;
      for (const { friendlyId, status } of exhibit.rows.runs) {
        const { status: shown } = await api.runs.retrieve(friendlyId);
        expect(isTerminal(shown)).toBe(isTerminal(SHOWN[status] ?? status));
      }
      for (const tool of ["get_run", "get_run_trace", "search_run_events"]) {
        const { isError, text } = await call(tool, { run_id: exhibit.run });
        expect(isError, text).toBe(false);
        expect(text).toContain(exhibit.run);
      }
      const { text } = await call("list_runs", { period: "60d", limit: 100, max_tokens: 20_000 });
      expect(text).toContain(exhibit.run);
    } finally {
      await open.close();
    }
  });
});

/** Final statuses that are stored under another name than they are shown. */
const SHOWN: Record<string, string> = {
  COMPLETED_SUCCESSFULLY: "COMPLETED",
  COMPLETED_WITH_ERRORS: "FAILED",
};
