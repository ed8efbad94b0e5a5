/** What session answers say when things are not as they should be, against hand-made channels. */
import { describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { ChannelItem, ChannelRecord } from "../../src/domain/record.ts";
import type { Run } from "../../src/domain/run.ts";
import type { Session } from "../../src/domain/session.ts";
import appendSessionRecord from "../../src/tools/append-session-record.ts";
import followSession from "../../src/tools/follow-session.ts";
import getSession from "../../src/tools/get-session.ts";
import readSessionChannel from "../../src/tools/read-session-channel.ts";
import startSession from "../../src/tools/start-session.ts";
import { apiWith, aRun, aSession } from "../support/api.ts";
import { answer, data, records, START, says, stream, turnComplete } from "../support/channel.ts";
import { callTool } from "../support/tools.ts";

const NOW = START + 60_000;
const setting = { context: { now: () => NOW } };

interface Plan {
  out?: ChannelRecord[];
  in?: ChannelRecord[];
  live?: ChannelItem[];
  session?: Partial<Session>;
  run?: Partial<Run>;
}

function chat(plan: Plan) {
  const followedAfter: (number | undefined)[] = [];
  const api = apiWith({
    sessions: { retrieve: async () => aSession(plan.session) },
    runs: { retrieve: async (id) => aRun({ id, status: "WAITING", ...plan.run }) },
    channels: {
      records: async ({ io }) => (io === "in" ? plan.in : plan.out) ?? [],
      follow: (_, options) => {
        followedAfter.push(options?.after);
        return stream(plan.live ?? []);
      },
    },
  });
  return { api, followedAfter };
}

const look = (plan: Plan) => callTool(getSession, { session: "chat-81" }, chat(plan).api, setting);

const follow = (plan: Plan, args: object = {}) =>
  callTool(followSession, { session: "chat-81", ...args }, chat(plan).api, setting);

const refund = [
  { type: "start", messageId: "a1" },
  { type: "tool-input-available", toolCallId: "c1", toolName: "refundOrder", input: { id: 4821 } },
  { type: "tool-approval-request", approvalId: "ok1", toolCallId: "c1" },
  { type: "finish", finishReason: "tool-calls" },
];

describe("get_session", () => {
  it("says that a tool waits for approval, and gives the call that approves", async () => {
    const out = [...records(0, refund), turnComplete(4, 0)];
    const { text, structured } = await look({ out, in: [says(0, "refund 4821")] });
    expect(text).toContain('turn 1 AWAITS APPROVAL of refundOrder {"id":4821}, asked 59s ago (record 4)');
    expect(text).toContain('"kind":"approval","approval":{"approved":true}');
    expect(structured).toMatchObject({ last_turn: "awaiting_approval", turn_open: false });
  });

  it("says that the last turn failed, and of what", async () => {
    const out = [
      ...records(0, [{ type: "start" }, { type: "error", errorText: "boom" }]),
      turnComplete(2, 0),
    ];
    const { text, structured } = await look({ out, in: [says(0, "hi")] });
    expect(text).toContain("turn 1 failed: boom 59s ago (record 2)");
    expect(text).toContain('get_run_trace {"run_id":"run_1","view":"errors"}');
    expect(structured).toMatchObject({ last_turn: "failed" });
  });

  it("says that the last turn brought nothing, and where the agent may have logged why", async () => {
    const { text } = await look({ out: [turnComplete(0, 0)], in: [says(0, "hi")] });
    expect(text).toContain("ended EMPTY");
    expect(text).toContain('search_run_events {"run_id":"run_1","level":"WARN"}');
  });

  it("says that the first message was never answered, and what its run waits for", async () => {
    const basePayload = { message: { id: "u1", role: "user", parts: [{ type: "text", text: "hi" }] } };
    const { text } = await look({
      session: { triggerConfig: { basePayload } },
      run: { status: "PENDING_VERSION" },
    });
    expect(text).toContain("the first message has NOT been answered");
    expect(text).toContain('PENDING_VERSION: it waits for a version that has the task "support-agent"');
    expect(text).toContain('follow_session {"session":"chat-81","after":"start"}');
  });

  it("suggests following from the last turn's end, so that a turn that ends meanwhile is found", async () => {
    const out = [...records(0, answer("There.")), turnComplete(9, 0), data(11, { type: "start" })];
    const { text } = await look({ out, in: [says(0, "a"), says(1, "b")] });
    expect(text).toContain('follow_session {"session":"chat-81","after":"9"}');
  });

  it("suggests calls by id for a session whose external id nobody could type", async () => {
    const { text, structured } = await look({ session: { externalId: "chat\u202e\u001b[31m81" } });
    expect(text).toContain('read_session_channel {"session":"session_1","io":"out"}');
    expect(structured).toMatchObject({ session: "session_1" });
  });

  it("promises no fresh run to a session that is closed", async () => {
    const { text } = await look({
      session: { closedAt: START + 1 },
      run: { status: "COMPLETED", finishedAt: START + 2 },
    });
    expect(text).toContain("run    run_1 COMPLETED 59s ago\n");
  });
});

describe("follow_session", () => {
  const basePayload = { message: { id: "u1", role: "user", parts: [{ type: "text", text: "hi" }] } };

  it("follows from the start when told to, also when that turn is long over", async () => {
    const whole = [...records(0, answer("There.")), turnComplete(9)];
    const { api, followedAfter } = chat({ out: whole, live: whole });
    const { text } = await callTool(followSession, { session: "chat-81", after: "start" }, api, setting);
    expect(followedAfter).toEqual([undefined]);
    expect(text).toMatch(/^done in \d+ms · turn 1 .*\nThere\.$/);
  });

  it("says what state the run is in that has not said anything", async () => {
    const plan = { session: { triggerConfig: { basePayload } }, run: { status: "PENDING_VERSION" } };
    const { text } = await follow(plan);
    expect(text).toContain(
      "Nothing has come from the agent yet: its run is PENDING_VERSION, waiting for a version that has its task.",
    );
    expect(text).toContain('next follow_session {"session":"chat-81","after":"start"}');
  });

  it("says that what it tells is the rest of a turn", async () => {
    const whole = [...records(0, answer("It has shipped.")), turnComplete(10)];
    const { text } = await follow({ out: whole, live: whole.slice(4) }, { after: "3" });
    expect(text).toContain("its rest, after record 3");
    const { text: fromTurnEnd } = await follow({ out: whole, live: [] }, { after: "10" });
    expect(fromTurnEnd).not.toContain("rest");
  });

  it("says that a position lies beyond the end, and goes on from the end", async () => {
    const { text } = await follow({ out: [turnComplete(9, 0)] }, { after: "5000" });
    expect(text).toContain('"after" lies beyond the end: 9 was the last record of .out.');
    expect(text).toContain('next follow_session {"session":"chat-81","after":"9"}');
  });

  it("says that nobody has sent the input it was to wait for", async () => {
    const plan = { out: [turnComplete(9, 0)], in: [says(0, "hi")] };
    const { text } = await follow(plan, { until_seq: 99 });
    expect(text).toContain("When this began nothing had been sent as record 99: 0 was the last of .in.");
  });

  it("keeps its condition in the call that goes on", async () => {
    const { text } = await follow({ out: [turnComplete(9, 0)] }, { until: "closed" });
    expect(text).toContain('next follow_session {"session":"chat-81","after":"9","until":"closed"}');
  });

  it("points from an empty turn to what the agent logged", async () => {
    const plan = { out: [turnComplete(9, 0)], live: [turnComplete(12, 1)] };
    const { text, structured } = await follow(plan);
    expect(structured).toMatchObject({ state: "empty" });
    expect(text).toContain('next search_run_events {"run_id":"run_1","level":"WARN"}');
  });
});

describe("read_session_channel", () => {
  it("does not call a session that does not exist empty", async () => {
    const api = apiWith({
      channels: { records: async () => [] },
      sessions: {
        retrieve: async () => {
          throw new TriggerError("not_found", "Session not found", { status: 404 });
        },
      },
    });
    await expect(callTool(readSessionChannel, { session: "nope" }, api)).rejects.toThrow("Session not found");
  });
});

describe("append_session_record", () => {
  it("points from a record that was there already to where the session stands", async () => {
    const api = apiWith({ channels: { append: async () => ({}) } });
    const { text } = await callTool(appendSessionRecord, { session: "chat-81", record: 1, key: "k" }, api);
    expect(text).toContain('next get_session {"session":"chat-81"}');
  });
});

describe("start_session", () => {
  it.each([
    "a\u0007",
    ".",
    "..",
    "session_x",
  ])("creates nothing that could not be named again: %j", async (external_id) => {
    await expect(callTool(startSession, { task: "t", external_id }, apiWith({}))).rejects.toThrow(
      /"external_id" must/,
    );
  });

  it("says of a closed session that its external id is used up", async () => {
    const api = apiWith({
      sessions: {
        retrieve: async () => aSession({ closedAt: START }),
        create: async () => {
          throw new TriggerError("session_closed", "closed", { status: 409 });
        },
      },
    });
    await expect(callTool(startSession, { task: "t", external_id: "chat-81" }, api)).rejects.toMatchObject({
      code: "session_closed",
      status: 409,
      hint: 'Take another "external_id", or none.',
    });
  });
});
