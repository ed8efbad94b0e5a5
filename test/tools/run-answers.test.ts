/** What run answers say beyond the plain case: limits that were hit, runs that wait, lists that do not fit. */
import { describe, expect, it } from "vitest";
import type { Run, RunListQuery, RunSummary } from "../../src/domain/run.ts";
import getRun from "../../src/tools/get-run.ts";
import getRunTrace from "../../src/tools/get-run-trace.ts";
import listRuns from "../../src/tools/list-runs.ts";
import listSessions from "../../src/tools/list-sessions.ts";
import searchRunEvents from "../../src/tools/search-run-events.ts";
import triggerTask from "../../src/tools/trigger-task.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { ask } from "../support/reading.ts";
import { anEvent, aSpan, failed, RUN_ID } from "../support/spans.ts";

const show = (run: Run) => ask(getRun, apiWith({ runs: { retrieve: async () => run } }), { run_id: run.id });

const started = { startedAt: CREATED + 20, attemptCount: 1 };

describe("get_run", () => {
  it("says in plain words that a run ran into its own time limit", async () => {
    const { text } = await show(
      aRun({
        ...started,
        status: "TIMED_OUT",
        finishedAt: CREATED + 3_020,
        durationMs: 3_000,
        error: { message: "trigger.dev internal error (MAX_DURATION_EXCEEDED)" },
      }),
    );
    expect(text).toContain(
      "(MAX_DURATION_EXCEEDED): it ran longer than its maxDuration allows, not a fault of the platform; it had executed for 3s",
    );
    expect(text).not.toContain("waiting");
  });

  it("does not claim that a run which is executing has executed for 0ms", async () => {
    const { text } = await show(aRun({ ...started, status: "EXECUTING" }));
    expect(text).toContain("queued 20ms");
    expect(text).not.toContain("executing 0ms");
  });

  it("offers an expired run to be replayed, and a recovered one's errors", async () => {
    const expired = await show(aRun({ status: "EXPIRED", attemptCount: 0, finishedAt: CREATED + 2_000 }));
    expect(expired.structured.next).toEqual([{ tool: "replay_run", args: { run_id: aRun().id } }]);
    const recovered = await show(
      aRun({ ...started, status: "COMPLETED", attemptCount: 2, finishedAt: CREATED + 400 }),
    );
    expect(recovered.text).toContain('"view":"errors"');
  });

  it("names the conversation a chat agent's run belongs to", async () => {
    const payload = { chatId: "chat-81", sessionId: "session_cm4z2plfh000abcd1efghij2" };
    const { text } = await show(aRun({ ...started, status: "WAITING", taskKind: "AGENT", payload }));
    expect(text).toContain(`get_session {"session":"${payload.sessionId}"}`);
  });
});

describe("list_runs", () => {
  const many: RunSummary[] = Array.from({ length: 25 }, (_, at) =>
    aRun({
      id: `run_cm9x2k4p3000${String(at).padStart(2, "0")}b12cd34ef56`,
      task: `task-${at}`,
      status: at === 0 ? "FAILED" : "COMPLETED",
      createdAt: CREATED - at * 1_000,
      tags: at === 0 ? ["a rather long tag, which makes this row dearer than the next"] : [],
    }),
  );
  const asked: RunListQuery[] = [];
  const api = apiWith({
    runs: {
      list: async (query) => {
        asked.push(query);
        return { items: many, next: "eyJjIjoxNzk1MzA2MTI3OTQ0LCJyIjoiY213cjJ3eTE0MDAwMnhhOXBhNjBxNjN2dyJ9" };
      },
    },
  });

  it("at the smallest budget shows the newest runs and the call for the rest, and no cursor that would skip them", async () => {
    const { text, structured } = await ask(listRuns, api, {}, 200);
    expect(text).toContain(many[0]?.id);
    expect(text).toMatch(/more rows of this page did not fit: list_runs \{"max_tokens":\d+\}$/);
    expect(text).not.toContain('"cursor"');
    expect(text).toContain("a page of 25 (24 COMPLETED, 1 FAILED), more exist");
    expect(structured).not.toHaveProperty("cursor");
  });

  it("lists in the structured part the runs that the text shows", async () => {
    const { text, structured } = await ask(listRuns, api, {}, 400);
    const listed = (structured.runs as { id: string }[]).map(({ id }) => id);
    expect(listed.length).toBeGreaterThan(0);
    expect([...text.matchAll(/^run_\w+/gm)].map(String)).toEqual(listed);
  });

  it("takes the default window back from an end that is given alone", async () => {
    await ask(listRuns, api, { to: "2026-08-10T00:00:00Z" });
    const to = Date.UTC(2026, 7, 10);
    expect(asked.at(-1)).toMatchObject({ from: to - 7 * 86_400_000, to });
    expect(asked.at(-1)).not.toHaveProperty("period");
  });
});

describe("list_sessions", () => {
  it("shows no cursor that would skip rows there was no room for", async () => {
    const items = Array.from({ length: 25 }, (_, at) => ({
      id: `session_cm4z2plfh000abcd1efghi${at}`,
      type: "chat.agent",
      task: `agent-${at}`,
      tags: [`user:${at}`],
      createdAt: CREATED,
      updatedAt: CREATED,
    }));
    const api = apiWith({ sessions: { list: async () => ({ items, next: "c2" }) } });
    const { text, structured } = await ask(listSessions, api, {}, 300);
    expect(text).toContain("rows did not fit");
    expect(text).not.toContain("c2");
    expect(structured).not.toHaveProperty("cursor");
  });
});

describe("search_run_events", () => {
  const search = (args: object) =>
    ask(
      searchRunEvents,
      apiWith({
        runs: {
          retrieve: async () => aRun({ status: "FAILED", attemptCount: 3 }),
          events: async () => [anEvent(1, undefined, "process-order", 0), anEvent(2, 1, "Attempt 1", 900)],
        },
      }),
      { run_id: RUN_ID, ...args },
    );

  it("says of a filter that nothing can pass what there is instead", async () => {
    expect((await search({ attempt: 9 })).text).toContain("No event matches. The run has made 3 attempts.");
    expect((await search({ from: "2030-01-01" })).text).toContain(
      "Its events began between 2026-08-20 10:00:00Z and 2026-08-20 10:00:00Z.",
    );
  });
});

describe("get_run_trace, view errors", () => {
  it("counts one wrapper in the singular", async () => {
    const spans = [
      aSpan(1, undefined, "process-order", 0, 100, failed()),
      aSpan(2, 1, "Attempt 1", 0, 90, failed()),
    ];
    const api = apiWith({
      runs: { retrieve: async () => aRun(), trace: async () => ({ spans, truncated: false }) },
    });
    const { text } = await ask(getRunTrace, api, { run_id: RUN_ID, view: "errors" });
    expect(text).toContain("1 span failed by itself, 1 only passes it on");
  });
});

describe("trigger_task", () => {
  const waiting = (args: object, run: Partial<Run>) =>
    ask(
      triggerTask,
      apiWith({
        runs: { trigger: async () => ({ id: "run_1", isCached: false }), retrieve: async () => aRun(run) },
      }),
      { task: "send-email", ...args },
    );

  it("names the version that a pinned run waits for", async () => {
    const { text } = await waiting({ version: "20200101.1" }, { status: "PENDING_VERSION" });
    expect(text).toContain('It waits for version 20200101.1 to be deployed with the task "send-email"');
    const unpinned = await waiting({}, { status: "PENDING_VERSION" });
    expect(unpinned.text).toContain("check the spelling");
  });

  it("offers to move a run that is delayed", async () => {
    const { structured } = await waiting(
      { delay: "1h" },
      { status: "DELAYED", delayedUntil: CREATED + 3_600_000 },
    );
    expect(structured.next).toMatchObject([{ tool: "reschedule_run" }, { tool: "cancel_run" }]);
  });
});
