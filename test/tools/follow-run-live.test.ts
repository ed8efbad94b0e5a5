/** follow_run through the real client against the embedded API. */
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { ProgressRecord } from "../../src/bridge/progress.ts";
import { isObject } from "../../src/domain/message.ts";
import followRun from "../../src/tools/follow-run.ts";
import { liveApi } from "../support/live.ts";
import { callTool } from "../support/tools.ts";

describe("follow_run on the embedded API", () => {
  const live = liveApi();

  /** The answer, and the ids of the spans and logs that progress told. */
  async function follow(args: z.input<typeof followRun.input>) {
    const told: unknown[] = [];
    const report = (_: string, records: ProgressRecord[] = []) => {
      for (const { kind, chunk } of records)
        if (kind !== "status" && isObject(chunk)) told.push(chunk.span_id);
    };
    const answer = await callTool(followRun, args, live.api, {
      context: { progress: { wanted: true, report } },
    });
    return { ...answer, told };
  }

  it("follows a run from its trigger to its failure, and goes on from a condition it met", async () => {
    const payload = { orderId: 1, amount: 3, customer: { id: "cus_1", cards: [] } };
    const { id: run_id } = await live.api.runs.trigger("process-order", { payload });
    const first = await follow({ run_id, until: { log: "no default card" } });
    expect(first.structured.met).toContain("no default card");
    const rest = await follow({ run_id, cursor: String(first.structured.cursor) });
    expect(rest.structured).toMatchObject({ state: "failed", status: "FAILED" });

    // 3 attempts of 4 spans and a log each, 2 waits between them, the run itself: each told once, in one of the two.
    expect(rest.structured.earlier).toBe(Number(first.structured.earlier) + first.told.length);
    expect(Number(rest.structured.earlier) + rest.told.length).toBe(18);
    expect(rest.told.filter((id) => first.told.includes(id))).toEqual([]);
  });
});
