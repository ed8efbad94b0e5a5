/** Comparing, slicing and replaying through the real client against the embedded API. */
import { describe, expect, it } from "vitest";
import compareRuns from "../../src/tools/compare-runs.ts";
import getRun from "../../src/tools/get-run.ts";
import replayRun from "../../src/tools/replay-run.ts";
import { liveApi } from "../support/live.ts";
import { callTool } from "../support/tools.ts";

describe("on the embedded API", () => {
  const live = liveApi();

  const order = (cards: unknown[]) => ({ orderId: 7, amount: 10, customer: { id: "cus_1", cards } });

  it("a failed run is compared with the good one before it, replayed with a patch, and passes", async () => {
    const good = await live.ended("process-order", order([{ id: "card_1" }]));
    const bad = await live.ended("process-order", order([]));
    const compared = await callTool(compareRuns, { run_id: bad }, live.api);
    expect(compared.structured).toMatchObject({ run_id: bad, other_run_id: good });
    expect(compared.text).toMatch(/first difference: Attempt 1 › capture payment fails in the first/);
    expect(compared.text).toMatch(/before that: WARN no default card for customer cus_1/);
    expect(compared.text).toContain('customer.cards  [] → [{"id":"card_1"}]');

    const patch = { customer: { cards: [{ id: "card_2" }] } };
    const replayed = await callTool(
      replayRun,
      { run_id: bad, payload_patch: patch, compare: true, timeout_seconds: 30 },
      live.api,
    );
    expect(replayed.text).toContain("passes now");
    expect(replayed.structured).toMatchObject({ status: "COMPLETED", state: "done", original_run_id: bad });

    const slice = await callTool(
      getRun,
      { run_id: String(replayed.structured.run_id), path: ["payload.customer.cards[0].id", "output"] },
      live.api,
    );
    expect(slice.text).toContain('payload.customer.cards[0].id "card_2"');
  });

  it("an offloaded payload is fetched, sliced and patched, and its link is never shown", async () => {
    const payload = { skus: 3, note: "n".repeat(600 * 1024), rows: [{ id: 1 }, { id: 2 }] };
    const id = await live.ended("sync-inventory", payload);
    const slice = await callTool(getRun, { run_id: id, path: "payload.rows[1]" }, live.api);
    expect(slice.text).toContain('payload.rows[1] {"id":2}');
    expect(slice.text).not.toContain("http");
    const replayed = await callTool(
      replayRun,
      { run_id: id, payload_patch: { note: "short" }, follow: true, timeout_seconds: 30 },
      live.api,
    );
    const copy = await live.api.runs.retrieve(String(replayed.structured.run_id));
    expect(copy.payload).toEqual({ ...payload, note: "short" });
  });
});
