import { describe, expect, it } from "vitest";
import { loadConversation } from "../../src/bridge/conversation.ts";
import { assemble as assembleStored } from "../../src/bridge/timeline.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import { textOf, type UiMessage } from "../../src/domain/message.ts";
import { apiWith, aSession } from "../support/api.ts";
import { answer, data, records, START, says, tokenFor, turnComplete } from "../support/channel.ts";

const session = aSession();

const spoken = (entries: { message: UiMessage }[]) =>
  entries.map(({ message }) => `${message.role}: ${textOf(message.parts)}`);

const user = (id: string, text: string): UiMessage => ({ id, role: "user", parts: [{ type: "text", text }] });

const assemble = (
  messages: UiMessage[],
  ...rest: Parameters<typeof assembleStored> extends [unknown, ...infer Rest] ? Rest : never
) => assembleStored({ messages, ...(messages.length > 0 && { lastOut: 9, lastIn: 5 }) }, ...rest);

describe("a conversation from its channels", () => {
  it("puts each answer behind the messages it consumed", () => {
    const out = [
      ...records(0, answer("one", "a1")),
      turnComplete(9, 0, { token: tokenFor("run_1") }),
      ...records(10, answer("two", "a2")),
      turnComplete(19, 2),
    ];
    const entries = assemble([], out, [says(0, "first"), says(1, "second"), says(2, "third")], session);
    expect(spoken(entries)).toEqual([
      "user: first",
      "assistant: one",
      "user: second",
      "user: third",
      "assistant: two",
    ]);
    expect(entries[1]).toMatchObject({ runId: "run_1", time: START });
  });

  it("shows the open turn as open, and unanswered messages after it", () => {
    const entries = assemble(
      [],
      records(0, answer("half").slice(0, 4)),
      [says(0, "first"), says(1, "second")],
      session,
    );
    expect(spoken(entries)).toEqual(["user: first", "assistant: half", "user: second"]);
    expect(entries[1]?.open).toBe(true);
  });

  it("begins with the message the session was created with", () => {
    const config = { basePayload: { trigger: "submit-message", message: user("u0", "hello") } };
    const entries = assemble([], [...records(0, answer("hi")), turnComplete(9)], [], {
      triggerConfig: config,
    });
    expect(spoken(entries)).toEqual(["user: hello", "assistant: hi"]);
  });

  it("keeps an error that came without an answer", () => {
    const entries = assemble(
      [],
      [data(0, { type: "error", errorText: "down" }), turnComplete(1, 0)],
      [says(0, "hi")],
      session,
    );
    expect(entries.at(-1)).toMatchObject({ errors: ["down"] });
  });

  it("continues the stored answer after an approval instead of repeating it", () => {
    const asking: UiMessage = {
      id: "a1",
      role: "assistant",
      parts: [{ type: "tool-refund", toolCallId: "c1", state: "approval-requested" }],
    };
    const out = [
      ...records(10, [
        { type: "start", messageId: "a1" },
        { type: "tool-output-available", toolCallId: "c1", output: "ok" },
        { type: "text-delta", id: "t", delta: "Refunded." },
      ]),
      turnComplete(20, 5),
    ];
    const entries = assemble([user("u1", "refund"), asking], out, [], session);
    expect(spoken(entries)).toEqual(["user: refund", "assistant: Refunded."]);
    expect(entries[1]?.message.parts[0]).toMatchObject({ state: "output-available" });
  });
});

describe("loading a conversation", () => {
  const stored = [
    user("u1", "stored"),
    { id: "a1", role: "assistant", parts: [{ type: "text", text: "yes" }] },
  ];

  it("takes the transcript and what the channels hold after it", async () => {
    const asked: unknown[] = [];
    const api = apiWith({
      sessions: { transcript: async () => ({ messages: stored as never, lastOut: "41", lastIn: "3" }) },
      channels: {
        records: async ({ io }, after) => {
          asked.push([io, after]);
          return io === "in" ? [says(4, "new")] : [...records(42, answer("live", "a2")), turnComplete(50, 4)];
        },
      },
    });
    const conversation = await loadConversation(api, session, {});
    expect(conversation.source).toBe("transcript");
    expect(spoken(conversation.entries)).toEqual([
      "user: stored",
      "assistant: yes",
      "user: new",
      "assistant: live",
    ]);
    expect(asked).toEqual([
      ["out", undefined],
      ["in", undefined],
    ]);
  });

  it("falls back to the snapshot, and then to the channels", async () => {
    const refused = async () => {
      throw new TriggerError("forbidden", "no");
    };
    const snapshot = apiWith({
      sessions: { transcript: refused, snapshot: async () => ({ messages: stored as never, lastOut: "41" }) },
      channels: { records: async () => [] },
    });
    expect(await loadConversation(snapshot, session, {})).toMatchObject({
      source: "snapshot",
      earlier: false,
    });
    const channels = apiWith({
      sessions: { transcript: async () => undefined, snapshot: refused },
      channels: { records: async ({ io }) => (io === "out" ? [turnComplete(7, 3)] : []) },
    });
    expect(await loadConversation(channels, session, {})).toMatchObject({
      source: "channels",
      earlier: true,
    });
  });

  it("does not repeat from the stream what a snapshot without a position already holds", async () => {
    const api = apiWith({
      sessions: { transcript: async () => undefined, snapshot: async () => ({ messages: stored as never }) },
      channels: {
        records: async ({ io }) => (io === "in" ? [says(1, "stored")] : records(0, answer("yes"))),
      },
    });
    const { entries } = await loadConversation(api, session, {});
    expect(spoken(entries)).toEqual(["user: stored", "assistant: yes"]);
  });
});
