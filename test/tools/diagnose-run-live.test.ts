/** Diagnosing through the real client what the example tasks really do. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { type EmbeddedApi, startEmbedded } from "../../src/embedded/index.ts";
import diagnoseRun from "../../src/tools/diagnose-run.ts";
import followRun from "../../src/tools/follow-run.ts";
import { callTool } from "../support/tools.ts";

describe("diagnose_run on the embedded API", () => {
  let server: EmbeddedApi;
  let api: TriggerApi;
  beforeAll(async () => {
    server = await startEmbedded();
    api = createTriggerApi({ apiUrl: server.url, token: server.secretKey });
  });
  afterAll(async () => {
    await api.close();
    await server.close();
  });

  async function diagnosed(task: string, payload: unknown) {
    const { id } = await api.runs.trigger(task, { payload });
    await callTool(followRun, { run_id: id, timeout_seconds: 30 }, api);
    return { id, ...(await callTool(diagnoseRun, { run_id: id }, api)) };
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
