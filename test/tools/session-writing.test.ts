import { describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { ChannelItem, ChannelRecord } from "../../src/domain/record.ts";
import type { Session, SessionStart } from "../../src/domain/session.ts";
import appendSessionRecord from "../../src/tools/append-session-record.ts";
import closeSession from "../../src/tools/close-session.ts";
import followSession from "../../src/tools/follow-session.ts";
import sendSessionMessage from "../../src/tools/send-session-message.ts";
import startSession from "../../src/tools/start-session.ts";
import updateSession from "../../src/tools/update-session.ts";
import type { ApiPlan } from "../support/api.ts";
import { apiWith, aRun, aSession } from "../support/api.ts";
import { answer, data, records, START, stream, tokenFor, turnComplete } from "../support/channel.ts";
import { callTool } from "../support/tools.ts";

const session = aSession({
  triggerConfig: { basePayload: { chatId: "chat-81", trigger: "preload", metadata: { plan: "pro" } } },
});

interface Chat {
  out?: ChannelRecord[];
  in?: ChannelRecord[];
  /** What comes after the input was sent. */
  live?: ChannelItem[];
  seq?: number | undefined;
  plan?: ApiPlan;
}

/** A session whose append answers `seq` and whose stream then delivers `live`. */
function chatting({ out = [], in: inputs = [], live = [], seq, plan = {} }: Chat) {
  const appended: { body: unknown; partId: string }[] = [];
  const followed: (number | undefined)[] = [];
  const api = apiWith({
    ...plan,
    sessions: { retrieve: async () => session, ...plan.sessions },
    channels: {
      records: async ({ io }, after = -1) =>
        (io === "in" ? inputs : out).filter((record) => (record.seq ?? 0) > after),
      append: async (_, body, partId) => {
        appended.push({ body: JSON.parse(body), partId });
        return seq === undefined ? {} : { seq };
      },
      follow: (_, options) => {
        followed.push(options?.after);
        return stream(live);
      },
      ...plan.channels,
    },
  });
  return { api, appended, followed };
}

const message = (seq: number, key = `u${seq}`) =>
  data(
    seq,
    {
      kind: "message",
      payload: { trigger: "submit-message", message: { id: key, role: "user", parts: [] } },
    },
    key,
  );

const settled = { out: [...records(0, answer("one")), turnComplete(9, 0)], in: [message(0)] };
const reply = [
  ...records(10, [
    { type: "start", messageId: "a2" },
    { type: "tool-input-available", toolCallId: "c1", toolName: "lookupOrder", input: { id: 4821 } },
    { type: "tool-output-available", toolCallId: "c1", output: {} },
    ...answer("It shipped on 15 March.", "a2").slice(1),
  ]),
  turnComplete(30, 1, { token: tokenFor("run_2") }),
];

describe("send_session_message", () => {
  it("streams the turn that answers the message, and tells its tools", async () => {
    const { api, appended, followed } = chatting({ ...settled, seq: 1, live: reply });
    const { text, structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", message: "where?", key: "k1" },
      api,
    );
    expect(text).toMatch(
      /^done in \S+ · turn 2 of chat-81 · run_2\nIt shipped on 15 March\.\ntools: lookupOrder \{"id":4821\} → ok$/,
    );
    expect(structured).toMatchObject({
      state: "done",
      session: "chat-81",
      seq: 1,
      turn: 2,
      cursor: "30",
      run_id: "run_2",
      message_id: "a2",
      key: "k1",
      sent: true,
      next: [],
    });
    expect(followed).toEqual([9]);
    expect(appended).toEqual([
      {
        partId: "k1",
        body: {
          kind: "message",
          payload: {
            chatId: "chat-81",
            trigger: "submit-message",
            message: { id: "k1", role: "user", parts: [{ type: "text", text: "where?" }] },
            messageId: "k1",
            metadata: { plan: "pro" },
          },
        },
      },
    ]);
  });

  it("answers running with what came and the call that goes on", async () => {
    const { api } = chatting({ ...settled, seq: 1, live: reply.slice(0, 7) });
    const { text, structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", message: "where?" },
      api,
    );
    expect(text).toMatch(/^running after \S+ · \d+ characters so far · turn 2 of chat-81/);
    expect(text).toContain('follow_session {"session":"chat-81","after":"16","until_seq":1}');
    expect(structured).toMatchObject({ state: "running", cursor: "16", seq: 1 });
  });

  it("finds the turn of a key that was used before, without sending again", async () => {
    const { api, followed } = chatting({
      out: [...settled.out, ...(reply as ChannelRecord[])],
      in: [message(0), message(1, "k1")],
      live: reply,
    });
    const { text, structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", message: "where?", key: "k1" },
      api,
    );
    expect(text).toContain("nothing was sent again");
    expect(structured).toMatchObject({ state: "done", seq: 1, message_id: "a2", turn: 2 });
    expect(followed).toEqual([9]);
  });

  it("does not send a stop where nothing is under way", async () => {
    const { api, appended } = chatting(settled);
    const { text, structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", kind: "stop" },
      api,
    );
    expect(text).toContain("Nothing to stop");
    expect(structured).toMatchObject({ sent: false });
    expect(appended).toEqual([]);
  });

  it("stops the turn under way", async () => {
    const open = [
      data(10, { type: "start", messageId: "a2" }),
      data(11, { type: "text-delta", id: "t", delta: "long" }),
    ];
    const { api, appended } = chatting({
      out: [...settled.out, ...open],
      in: [message(0), message(1)],
      seq: 2,
      live: [...open, data(12, { type: "abort" }), turnComplete(13, 1)],
    });
    const { structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", kind: "stop", message: "enough" },
      api,
    );
    expect(structured).toMatchObject({ state: "stopped", seq: 1, turn: 2 });
    expect(appended[0]?.body).toEqual({ kind: "stop", message: "enough" });
  });

  it("asks for nothing more when a stop had been sent before", async () => {
    const begun = [data(10, { type: "start", messageId: "a2" })];
    const { api } = chatting({
      out: [...settled.out, ...begun],
      in: [message(0), message(1)],
      live: [turnComplete(11, 1)],
    });
    const asked: string[] = [];
    const { append, records } = api.channels;
    api.channels.append = (...args) => {
      asked.push("append");
      return append(...args);
    };
    api.channels.records = (...args) => {
      asked.push(`records ${args[0].io}`);
      return records(...args);
    };
    const stop = { session: "chat-81", kind: "stop", key: "k1" } as const;
    const { structured } = await callTool(sendSessionMessage, stop, api);
    expect(structured).toMatchObject({ seq: 1, sent: true });
    expect(asked).toEqual(["records out", "records in", "append"]);
  });

  it("answers the approval that waits, without being told which", async () => {
    const asking = records(10, [
      { type: "start", messageId: "a2" },
      { type: "tool-input-available", toolCallId: "c1", toolName: "refund", input: { id: 1 } },
      { type: "tool-approval-request", toolCallId: "c1", approvalId: "ap1" },
    ]);
    const { api, appended } = chatting({
      out: [...settled.out, ...asking, turnComplete(13, 1)],
      in: [message(0), message(1)],
      seq: 2,
      live: [
        ...records(14, [
          { type: "start", messageId: "a2" },
          { type: "tool-output-available", toolCallId: "c1", output: "ok" },
          { type: "text-delta", id: "t", delta: "Refunded." },
        ]),
        turnComplete(20, 2),
      ],
      plan: { sessions: { transcript: async () => undefined, snapshot: async () => undefined } },
    });
    const { text, structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", kind: "approval", approval: { approved: true } },
      api,
    );
    expect(text).toContain('Refunded.\ntools: refund {"id":1} → ok');
    expect(structured).toMatchObject({ state: "done", message_id: "a2", turn: 3 });
    expect(appended[0]?.body).toMatchObject({
      payload: {
        message: {
          id: "a2",
          role: "assistant",
          parts: [
            {
              type: "tool-refund",
              toolCallId: "c1",
              state: "approval-responded",
              approval: { id: "ap1", approved: true },
            },
          ],
        },
      },
    });
  });

  it("says so when nothing waits for approval", async () => {
    const { api } = chatting({
      ...settled,
      plan: { sessions: { transcript: async () => undefined, snapshot: async () => undefined } },
    });
    const call = callTool(
      sendSessionMessage,
      { session: "chat-81", kind: "approval", approval: { approved: true } },
      api,
    );
    await expect(call).rejects.toThrow("Nothing waits for approval in chat-81");
  });

  it.each([
    ["message", '"message"'],
    ["action", '"action"'],
    ["approval", '"approval"'],
  ] as const)("refuses kind %s without its part", async (kind, named) => {
    const call = callTool(sendSessionMessage, { session: "chat-81", kind }, apiWith({}));
    await expect(call).rejects.toThrow(named);
  });

  it("sends actions and regenerations as the agent reads them", async () => {
    const { api, appended } = chatting({ ...settled, seq: 1, live: [turnComplete(10, 1)] });
    const action = await callTool(
      sendSessionMessage,
      { session: "chat-81", kind: "action", action: { type: "undo" } },
      api,
    );
    await callTool(
      sendSessionMessage,
      { session: "chat-81", kind: "regenerate", metadata: { plan: "x" } },
      api,
    );
    expect(appended.map(({ body }) => body)).toMatchObject([
      { payload: { trigger: "action", action: { type: "undo" }, metadata: { plan: "pro" } } },
      { payload: { trigger: "regenerate-message", metadata: { plan: "x" } } },
    ]);
    expect(action.structured.state).toBe("empty");
    expect(action.text).toContain("the agent may have rejected the input");
  });

  it("hands out the key when nobody knows whether it was sent", async () => {
    const { api } = chatting({
      plan: {
        channels: {
          append: async () => {
            throw new TriggerError("unreachable", "socket closed");
          },
        },
      },
    });
    const call = callTool(sendSessionMessage, { session: "chat-81", message: "hi", key: "k1" }, api);
    await expect(call).rejects.toMatchObject({
      code: "outcome_unknown",
      hint: expect.stringContaining('"key":"k1"'),
    });
  });

  it("lets the agent's own end of the session be told", async () => {
    const last = turnComplete(30, 1, {
      headers: { "session-closed": "true", "session-closed-reason": "bye" },
    });
    const { api } = chatting({ ...settled, seq: 1, live: [...reply.slice(0, -1), last] });
    const { text, structured } = await callTool(
      sendSessionMessage,
      { session: "chat-81", message: "bye" },
      api,
    );
    expect(structured.state).toBe("closed");
    expect(text).toContain("It shipped on 15 March.");
  });

  it("fences a long answer and keeps to its budget", async () => {
    const long = "All about the order. ".repeat(400);
    const { api } = chatting({
      ...settled,
      seq: 1,
      live: [...records(10, answer(long, "a2")), turnComplete(9_999, 1)],
    });
    const { text } = await callTool(sendSessionMessage, { session: "chat-81", message: "tell" }, api, {
      budget: 500,
    });
    expect(text).toContain("<<<answer n0n");
    expect(text).toContain("answer n0n>>>");
    expect(text).toMatch(/more characters/);
  });
});

describe("follow_session", () => {
  it("starts with the turn under way, or waits for the next", async () => {
    const { api, followed } = chatting({ ...settled, live: reply });
    await callTool(followSession, { session: "chat-81" }, api);
    expect(followed).toEqual([9]);
  });

  it("goes on after a position until its turn is complete", async () => {
    const { api, followed } = chatting({ ...settled, live: reply.slice(7) });
    const { structured } = await callTool(
      followSession,
      { session: "session_1", after: "16", until_seq: "1" },
      api,
    );
    expect(followed).toEqual([16]);
    expect(structured).toMatchObject({ state: "done", session: "chat-81", cursor: "30" });
  });

  it("says that nobody owes an answer when nothing comes", async () => {
    const { api } = chatting(settled);
    const { text, structured } = await callTool(followSession, { session: "chat-81" }, api);
    expect(text).toMatch(/^nothing came in /);
    expect(structured).toMatchObject({ state: "running", idle: true, cursor: "9" });
  });

  it("ends after a count of records", async () => {
    const { api } = chatting({ ...settled, live: reply });
    const { structured } = await callTool(followSession, { session: "chat-81", count: 3 }, api);
    expect(structured).toMatchObject({ state: "running", records: 3, cursor: "12" });
  });

  it("refills what was trimmed from the stored conversation", async () => {
    const stored = { id: "a2", role: "assistant", parts: [{ type: "text", text: "The whole answer." }] };
    const { api } = chatting({
      ...settled,
      live: [{ kind: "gap", from: 10, to: 29 }, turnComplete(30, 1)],
      plan: { sessions: { transcript: async () => ({ messages: [stored], lastOut: "30", lastIn: "1" }) } },
    });
    const { text, structured } = await callTool(followSession, { session: "chat-81", until_seq: 1 }, api);
    expect(text).toContain("The whole answer.");
    expect(text).toContain("Records 10 to 29 had been trimmed; the answer is from the stored conversation.");
    expect(structured).toMatchObject({ state: "done", gaps: [{ from: 10, to: 29 }] });
  });

  it("ends at once on a session that is over and read to its end", async () => {
    const { api } = chatting({
      ...settled,
      live: [{ kind: "caught-up", seq: 10 }],
      plan: { sessions: { retrieve: async () => ({ ...session, closedAt: START }) } },
    });
    const { structured } = await callTool(followSession, { session: "chat-81" }, api);
    expect(structured.state).toBe("closed");
  });
});

describe("start_session", () => {
  const starting = (created: boolean, more: Chat = {}) => {
    const requests: SessionStart[] = [];
    const chat = chatting({
      seq: 0,
      live: [...records(0, answer("Welcome!")), turnComplete(9, 0, { token: tokenFor("run_1") })],
      ...more,
      plan: {
        ...more.plan,
        sessions: {
          retrieve: async () => {
            if (created && requests.length === 0) throw new TriggerError("not_found", "404", { status: 404 });
            return session;
          },
          create: async (request) => {
            requests.push(request);
            const { triggerConfig, externalId = "" } = request;
            return {
              ...session,
              triggerConfig,
              externalId,
              runId: "run_1",
              created,
              publicAccessToken: tokenFor("x"),
            };
          },
        },
      },
    });
    return { ...chat, requests };
  };

  const HELLO = { task: "support-agent", external_id: "chat-81", message: "hello" };

  it("creates, sends the first message and streams its answer", async () => {
    const { api, requests, appended } = starting(true);
    const { text, structured } = await callTool(
      startSession,
      { ...HELLO, client_data: { plan: "free" } },
      api,
    );
    expect(text).toMatch(/^started chat-81 \(session_1\)/);
    expect(text).toContain("Welcome!");
    expect(structured).toMatchObject({
      state: "done",
      session: "chat-81",
      created: true,
      delivered: true,
      turn: 1,
      seq: 0,
    });
    expect(requests[0]).toMatchObject({
      type: "chat.agent",
      externalId: "chat-81",
      triggerConfig: { basePayload: { chatId: "chat-81", trigger: "preload", metadata: { plan: "free" } } },
    });
    const payload = { chatId: "chat-81", trigger: "submit-message", metadata: { plan: "free" } };
    expect(appended).toMatchObject([
      { body: { kind: "message", payload: { ...payload, message: { parts: [{ text: "hello" }] } } } },
    ]);
    expect(JSON.stringify([text, structured])).not.toContain(tokenFor("x"));
  });

  it("sends the first message once, however often it is called", async () => {
    const first = starting(true);
    await callTool(startSession, HELLO, first.api);
    const [{ body, partId } = { body: {}, partId: "" }] = first.appended;
    const again = starting(false, { in: [data(0, body, partId)] });
    const { text, structured } = await callTool(startSession, HELLO, again.api);
    expect(again.appended).toEqual([]);
    expect(structured).toMatchObject({ created: false, delivered: true, state: "done", seq: 0 });
    expect(text).toContain("The message was sent before: nothing was sent again.");
    expect(text).toContain("Welcome!");
  });

  it("sends it where the session was made by a call that got no further", async () => {
    const { api, appended } = starting(false);
    const { structured } = await callTool(startSession, HELLO, api);
    expect(appended).toHaveLength(1);
    expect(structured).toMatchObject({ created: false, delivered: true, state: "done" });
  });

  it("says how to go on when nobody knows whether it was sent", async () => {
    const { api } = starting(true, {
      plan: {
        channels: {
          append: async () => {
            throw new TriggerError("unreachable", "the connection broke off");
          },
        },
      },
    });
    await expect(callTool(startSession, { task: "t", message: "hello" }, api)).rejects.toMatchObject({
      code: "outcome_unknown",
      hint: expect.stringMatching(
        /^Call again with "external_id":"chat-[^"]+": then it is sent once at most\.$/,
      ),
    });
  });

  it("only warms up without a message, under an id of its own", async () => {
    const { api, requests, followed } = starting(true);
    const { structured } = await callTool(startSession, { task: "support-agent" }, api);
    expect(structured).toMatchObject({
      created: true,
      delivered: false,
      session: expect.stringMatching(/^chat-/),
    });
    expect(requests[0]?.triggerConfig.basePayload).toMatchObject({ trigger: "preload" });
    expect(followed).toEqual([]);
  });

  it.each<[string, Chat]>([
    ["was asked something", { in: [data(0, { kind: "message", payload: {} })] }],
    ["had a turn", { out: [turnComplete(4)] }],
  ])("says that a session that %s did not get the message, and how it would", async (_, before) => {
    const { api, appended, followed } = starting(false, before);
    const { text, structured } = await callTool(startSession, HELLO, api);
    expect(text).toContain("NOT delivered");
    expect(text).toContain('send_session_message {"session":"chat-81","message":"hello"}');
    expect(structured).toMatchObject({ created: false, delivered: false });
    expect([appended, followed]).toEqual([[], []]);
  });

  it("refuses an external id that reads as a friendly one", async () => {
    const call = callTool(startSession, { task: "t", external_id: "session_x" }, apiWith({}));
    await expect(call).rejects.toThrow("must not begin");
  });
});

describe("the other writes", () => {
  it("append answers the record's position, or that it was there", async () => {
    const appended = await callTool(
      appendSessionRecord,
      { session: "chat-81", record: { any: 1 }, key: "k" },
      chatting({ seq: 7 }).api,
    );
    expect(appended.text).toContain("appended to .in of chat-81 as record 7 · part id k");
    expect(appended.structured).toMatchObject({ seq: 7, appended: true });
    const repeated = await callTool(
      appendSessionRecord,
      { session: "chat-81", record: '{"any":1}', key: "k" },
      chatting({}).api,
    );
    expect(repeated.structured).toMatchObject({ appended: false, key: "k" });
  });

  it("update answers what the tags and metadata then are", async () => {
    const api = apiWith({
      sessions: {
        update: async (_, change) => ({ ...session, tags: change.tags ?? [], metadata: { a: 1 } }),
      },
    });
    const { text } = await callTool(updateSession, { session: "chat-81", tags: ["vip"] }, api);
    expect(text).toContain("tags vip");
    expect(text).toContain('metadata {"a":1}');
    await expect(callTool(updateSession, { session: "chat-81" }, api)).rejects.toThrow("Nothing to change");
  });

  it("close tells what it did not end, and what was closed before", async () => {
    const closing = (before: Partial<Session>, status: string) =>
      apiWith({
        sessions: {
          retrieve: async () => ({ ...session, ...before }),
          close: async () => ({ ...session, closedAt: START, ...before }),
        },
        runs: { retrieve: async (id) => aRun({ id, status }) },
      });
    const first = await callTool(closeSession, { session: "chat-81" }, closing({}, "WAITING"));
    expect(first.text).toContain("Its run run_1 is still WAITING");
    expect(first.structured).toMatchObject({
      status: "CLOSED",
      already_closed: false,
      run_status: "WAITING",
    });
    const again = await callTool(
      closeSession,
      { session: "chat-81" },
      closing({ closedAt: START }, "COMPLETED"),
    );
    expect(again.text).toMatch(/^was closed already/);
    expect(again.structured).toMatchObject({ already_closed: true, next: [] });
  });
});
