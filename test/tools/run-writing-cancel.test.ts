import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Run } from "../../src/domain/run.ts";
import cancelRun from "../../src/tools/cancel-run.ts";
import { apiWith, aRun, CREATED } from "../support/api.ts";
import { callTool } from "../support/tools.ts";

const ID = "run_cm9x2k4p30001ab12cd34ef56";
const finished = (status: string): Run => aRun({ status, finishedAt: CREATED });

/** A run that shows these states, one a look, and then stays as it is. */
const showing = (...runs: Run[]) => {
  let look = 0;
  return vi.fn(async () => runs[Math.min(look++, runs.length - 1)] as Run);
};

describe("cancel_run", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: CREATED });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const cancelling = async (retrieve: ReturnType<typeof showing>, cancel = async () => {}) => {
    const answer = callTool(cancelRun, { run_id: ID }, apiWith({ runs: { retrieve, cancel } }));
    await vi.runAllTimersAsync();
    return answer;
  };

  it("looks until the run has really been cancelled", async () => {
    const answer = await cancelling(showing(aRun(), aRun(), finished("CANCELED")));
    expect(answer.text).toMatch(
      `cancelled ${ID} · process-order · CANCELED 0s ago · dev\nit was EXECUTING\nnext`,
    );
    expect(answer.structured).toMatchObject({ status: "CANCELED", before: "EXECUTING", cancelled: true });
  });

  it("says that a finished run was finished, and asks for nothing", async () => {
    const cancel = vi.fn(async () => {});
    const answer = await cancelling(showing(finished("COMPLETED")), cancel);
    expect(cancel).not.toHaveBeenCalled();
    expect(answer.text).toMatch(/^already finished, nothing was cancelled: run_.* · COMPLETED/);
    expect(answer.structured).toMatchObject({ status: "COMPLETED", cancelled: false });
  });

  it("does not claim a cancellation when the run was quicker", async () => {
    const answer = await cancelling(showing(aRun(), finished("FAILED")));
    expect(answer.text).toMatch(/^ended by itself before it could be cancelled: run_.* · FAILED/);
    expect(answer.structured.cancelled).toBe(false);
  });

  it("gives up looking after a few seconds and says what the state is then", async () => {
    const answer = await cancelling(showing(aRun()));
    expect(answer.text).toMatch(
      /^asked to cancel, not ended after [45](\.\d)?\d?s: run_.* · EXECUTING · dev\nnext: get_run/,
    );
    expect(answer.structured).toMatchObject({ status: "EXECUTING", cancelled: false });
  });

  it("cancels with a token that may not read, and says that nobody looked", async () => {
    const cancel = vi.fn(async () => {});
    const retrieve = vi.fn(async (): Promise<Run> => {
      throw new TriggerError("forbidden", "no", { status: 403 });
    });
    const answer = await cancelling(retrieve, cancel);
    expect(cancel).toHaveBeenCalledOnce();
    expect(answer.text).toMatch(/^asked to cancel, outcome not seen: run_.* · state not read \(forbidden\)/);
    expect(answer.structured).not.toHaveProperty("cancelled");
  });

  it("stops looking when the caller goes away", async () => {
    const gone = new AbortController();
    const retrieve = vi.fn(async (): Promise<Run> => {
      if (gone.signal.aborted) throw new TriggerError("cancelled", "the caller went away");
      return aRun();
    });
    const api = apiWith({ runs: { retrieve, cancel: async () => {} } });
    const answer = callTool(cancelRun, { run_id: ID }, api, { context: { signal: gone.signal } });
    const ending = expect(answer).rejects.toMatchObject({ code: "cancelled" });
    await vi.advanceTimersByTimeAsync(100);
    gone.abort();
    await ending;
    expect(retrieve).toHaveBeenCalledTimes(3);
  });
});
