import { describe, expect, it } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import type { ChannelRecord } from "../../src/domain/record.ts";
import diagnoseSession from "../../src/tools/diagnose-session.ts";
import { tokens } from "../../src/views/tokens.ts";
import { apiWith, aRun, aSession, CREATED } from "../support/api.ts";
import { answer, data, records, stream, turnComplete } from "../support/channel.ts";
import { callTool } from "../support/tools.ts";

const session = aSession();

const withoutTimes = (list: readonly ChannelRecord[]) =>
  list.map(({ timestamp: _, ...record }) => record as ChannelRecord);

/** As the server lists them: records without times, which only streams have. */
const api = (out: ChannelRecord[], inputs: ChannelRecord[], runs: Partial<TriggerApi["runs"]> = {}) =>
  apiWith({
    sessions: {
      retrieve: async () => session,
      transcript: async () => undefined,
      snapshot: async () => undefined,
    },
    channels: {
      records: async ({ io }) => withoutTimes(io === "out" ? out : inputs),
      follow: ({ io }, options) =>
        stream((io === "out" ? out : inputs).filter(({ seq = 0 }) => seq > (options?.after ?? -1))),
    },
    runs: {
      retrieve: async () => aRun({ id: "run_1", status: "EXECUTING", startedAt: CREATED }),
      events: async () => [],
      ...runs,
    },
  });

const message = (seq: number) =>
  data(seq, {
    kind: "message",
    payload: { message: { id: `u${seq}`, role: "user", parts: [{ type: "text", text: "where is it?" }] } },
  });

const look = (from: TriggerApi, budget = 2_000) =>
  callTool(diagnoseSession, { session: "chat-81" }, from, {
    budget,
    context: { now: () => CREATED + 600_000 },
  });

const chunks = answer("It shipped.");

describe("diagnose_session", () => {
  it("tells from the stream's times how long an input has waited", async () => {
    const { text, structured } = await look(api([], [message(0)]));
    expect(structured.verdict).toEqual({ class: "unanswered", confidence: "high" });
    expect(text).toContain('.in 0 message "where is it?" 10m ago');
  });

  it("judges without a run that it may not read, and says so", async () => {
    const refused = async () => {
      throw new TriggerError("forbidden", "no");
    };
    const out = [...records(0, chunks), turnComplete(chunks.length, 0)];
    const { text, structured } = await look(api(out, [message(0)], { retrieve: refused }));
    expect(structured.verdict).toEqual({ class: "ok", confidence: "medium" });
    expect(structured.culprit).toMatchObject({ session: "chat-81", io: "out", run_id: "run_1" });
    expect(text).toContain("unread   the state of its run (forbidden)");
  });

  it("does not take what other tasks write for a turn that never ends", async () => {
    const out = [data(0, { step: 1 }), data(1, { step: 2 })];
    const { structured } = await look(
      api(out, [], { retrieve: async () => aRun({ id: "run_1", status: "COMPLETED" }) }),
    );
    expect(structured.verdict).toEqual({ class: "ok", confidence: "low" });
  });

  it("blames the tool call of the turn in question, by record", async () => {
    const out = [
      ...records(0, chunks),
      turnComplete(8, 0),
      data(9, { type: "tool-input-available", toolCallId: "c1", toolName: "refund", input: { id: 1 } }),
      data(10, { type: "tool-output-error", toolCallId: "c1", errorText: "no money" }),
      turnComplete(11, 1),
    ];
    const { text, structured } = await look(api(out, [message(0), message(1)]));
    expect(structured.verdict).toEqual({ class: "tool_error", confidence: "high" });
    expect(structured.culprit).toMatchObject({ io: "out", seq: 10, tool_call_id: "c1", run_id: "run_1" });
    expect(text).toContain('.out 10 refund {"id":1} → error "no money" (c1)');
  });

  it.each([200, 300, 2_000])("keeps to %i tokens", async (budget) => {
    const long = "x".repeat(3_000);
    const out = [...records(0, [{ type: "error", errorText: long }]), turnComplete(1, 0)];
    expect(tokens((await look(api(out, [message(0)]), budget)).text)).toBeLessThanOrEqual(budget);
  });
});
