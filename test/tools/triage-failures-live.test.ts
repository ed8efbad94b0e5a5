/** triage_failures through the real client against the embedded API. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import triageFailures from "../../src/tools/triage-failures.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { callTool } from "../support/tools.ts";

let server: TestApi;
let api: TriggerApi;

beforeAll(async () => {
  server = await startTestApi();
  api = createTriggerApi({ apiUrl: server.url, token: server.secretKey });
});
afterAll(async () => {
  await api.close();
  await server.close();
});

const order = (orderId: number, cards: { id: string }[]) =>
  server.trigger("process-order", { orderId, amount: 120, customer: { id: `cus_${orderId}`, cards } });

it("tells the causes of real failures apart, and its calls lead to their runs", async () => {
  const broken = [await order(991, []), await order(992, [])];
  const others = [
    await order(990, [{ id: "card_9" }]),
    await server.trigger("generate-report", { month: "2026-10" }),
  ];
  await Promise.all([...broken, ...others].map((id) => server.settled(id)));

  const { text, structured } = await callTool(triageFailures, { period: "1h" }, api);
  expect(structured).toMatchObject({ failures: 4, looked_at: 4 });
  expect(text).toMatch(/^1 ×2 NEW {2}TypeError: Cannot read properties of undefined/m);
  expect(text).toMatch(/process-order · FAILED · \S*process-order\.ts:\d+ capturePayment/);
  expect(text).toContain("2 of 3 runs of the task (67%)");
  expect(text).toContain("only passes on its child's failure");

  const runs = structured.next?.find(({ tool }) => tool === "list_runs");
  expect(runs?.args).toEqual({ task: ["process-order"], status: ["FAILED"], period: "1h" });
  expect(broken).toContain(structured.next?.[0]?.args.run_id);
});

it("makes nothing up where nothing failed", async () => {
  const { structured } = await callTool(triageFailures, { task: "send-welcome-email" }, api);
  expect(structured).toMatchObject({ failures: 0, groups: [], next: [] });
});
