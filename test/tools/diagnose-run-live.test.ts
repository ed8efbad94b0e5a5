/** Diagnosing through the real client what the example tasks really do. */
import { describe, expect, it } from "vitest";
import diagnoseRun from "../../src/tools/diagnose-run.ts";
import { liveApi } from "../support/live.ts";
import { callTool } from "../support/tools.ts";

describe("diagnose_run on the embedded API", () => {
  const live = liveApi();

  async function diagnosed(task: string, payload: unknown) {
    const id = await live.ended(task, payload);
    return { id, ...(await callTool(diagnoseRun, { run_id: id }, live.api)) };
  }

  it("finds the mistake in the example task", async () => {
    const payload = { orderId: 991, amount: 20, customer: { id: "cus_81", cards: [] } };
    const { id, text, structured } = await diagnosed("process-order", payload);
    expect(structured).toMatchObject({
      verdict: { class: "user_code", confidence: "high" },
      culprit: { run_id: id },
    });
    expect(text).toContain("process-order › Attempt 3 › capture payment #");
    expect(text).toContain("3 of 3 failed the same way");
    expect(text).toContain("frame    tasks/process-order.ts:");
    expect(text).toContain('"no default card for customer cus_81"');
  });

  it("finds the child run of a report that failed", async () => {
    const { id, text, structured } = await diagnosed("generate-report", {});
    const { culprit } = structured as { culprit: { run_id: string } };
    expect(culprit.run_id).not.toBe(id);
    expect(text).toContain("ForecastError: Not enough history to forecast: 4 of 12 months");
    expect(text).toContain(`${culprit.run_id} render-section`);
  });

  it("knows what got through in the end", async () => {
    const { structured } = await diagnosed("flaky-webhook", {});
    expect(structured).toMatchObject({ verdict: { class: "recovered" } });
  });
});
