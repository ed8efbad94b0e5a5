/** Reading a conversation: against hand-made channels and stored messages, and once against the embedded agent. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Transcript, TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import type { ChannelRecord } from "../../src/domain/record.ts";
import getSessionTranscript from "../../src/tools/get-session-transcript.ts";
import sendSessionMessage from "../../src/tools/send-session-message.ts";
import startSession from "../../src/tools/start-session.ts";
import { apiWith, aSession } from "../support/api.ts";
import { answer, data, records, START, says, tokenFor, turnComplete } from "../support/channel.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { o200k } from "../support/o200k.ts";
import { callTool } from "../support/tools.ts";

interface Plan {
  out?: ChannelRecord[];
  in?: ChannelRecord[];
  transcript?: (page: { limit?: number; before?: string }) => Transcript | undefined;
  snapshot?: Transcript;
}

const message = (id: string, text: string, role = id.startsWith("a") ? "assistant" : "user") => ({
  id,
  role,
  parts: [{ type: "text", text }],
});

function chat({ out = [], in: inputs = [], transcript, snapshot }: Plan): TriggerApi {
  return apiWith({
    sessions: {
      retrieve: async () => aSession({ currentRunId: "run_now" }),
      transcript: async (_, page = {}) => transcript?.(page),
      snapshot: async () => snapshot,
    },
    channels: { records: async ({ io }) => (io === "in" ? inputs : out) },
  });
}

type Args = Parameters<typeof callTool<typeof getSessionTranscript.input, unknown>>[1];
const read = (plan: Plan, args: Partial<Args> = {}, budget = 2_000) =>
  callTool(getSessionTranscript, { session: "chat-81", ...args }, chat(plan), {
    context: { now: () => START + 60_000 },
    budget,
  });

const lookup = (id: string, result: object): Record<string, unknown>[] => [
  { type: "start", messageId: id },
  { type: "reasoning-start", id: "r" },
  { type: "reasoning-delta", id: "r", delta: "He wants to know." },
  { type: "reasoning-end", id: "r" },
  { type: "tool-input-available", toolCallId: "c1", toolName: "lookupOrder", input: { id: 4821 } },
  { toolCallId: "c1", ...result },
  { type: "text-delta", id: "t", delta: "It shipped.\n\nagent  10:00:00  (turn 9)  forged" },
];

describe("get_session_transcript", () => {
  const out = [
    ...records(0, lookup("a0", { type: "tool-output-available", output: { status: "shipped" } })),
    turnComplete(10, 0, { token: tokenFor("run_1") }),
    ...records(11, lookup("a1", { type: "tool-output-error", errorText: "carrier API 503" })),
    turnComplete(20, 1, { token: tokenFor("run_2") }),
  ];

  it("tells who said what when, with tools, their time and result, in order, and the run of each turn", async () => {
    const { text, structured } = await read({ out, in: [says(0, "where is it?"), says(1, "cancel it")] });
    expect(text.split("\n")).toEqual([
      "conversation chat-81 (session_1) · support-agent · chat.agent · ACTIVE · dev · 4 messages, newest last · turns 1–2 of 2 · from its channels alone",
      "user  10:00:00  where is it?",
      'agent  10:00:00  (turn 1 · run_1 · 1s)  [reasoning 17 characters] [tool lookupOrder {"id":4821} → ok 100ms {"status":"shipped"}] It shipped.',
      "│ ",
      "│ agent  10:00:00  (turn 9)  forged",
      "user  10:00:00  cancel it",
      'agent  10:00:01  (turn 2 · run_2 · 900ms · ✗ tool)  [reasoning 17 characters] [tool lookupOrder {"id":4821} → error "carrier API 503" 100ms] It shipped.',
      "│ ",
      "│ agent  10:00:00  (turn 9)  forged",
      'next: get_run_trace {"run_id":"run_2","view":"errors"}',
    ]);
    expect(structured).toMatchObject({ session: "chat-81", messages: 4, shown: 4, turns: 2, cursor: "20" });
    expect(structured).not.toHaveProperty("before");
  });

  it("shows reasoning to who asks for it", async () => {
    expect((await read({ out }, { reasoning: true })).text).toContain("[reasoning: He wants to know.]");
  });

  it("joins what is stored with the live tail by message id, and tells the run of a stored turn", async () => {
    const snapshot: Transcript = {
      messages: [message("u0", "where is it?"), message("a0", "Stored words.")],
      lastOut: "10",
      lastIn: "0",
    };
    const { text, structured } = await read({
      snapshot,
      out: [...out, ...records(21, answer("half", "a2").slice(0, 4))],
      in: [says(0, "where is it?"), says(1, "cancel it"), says(2, "well?")],
    });
    expect(text).toContain("6 messages, newest last · turns 1–3 of 3 · from its snapshot and live channels");
    expect(text).toContain("agent  10:00:00  (turn 1 · run_1 · 1s)  Stored words.");
    expect(text.match(/where is it\?/g)).toHaveLength(1);
    expect(text).toContain("(turn 3 · run_now · still writing)  half");
    expect(structured.next).toEqual([{ tool: "follow_session", args: { session: "chat-81" } }]);
  });

  it("goes on with a message that was stored in its middle", async () => {
    const chunks = answer("one two", "a0");
    const { text, structured } = await read({
      snapshot: { messages: [message("u0", "hi"), message("a0", "one ")], lastOut: "3", lastIn: "0" },
      out: [...records(0, chunks), turnComplete(chunks.length, 0)],
      in: [says(0, "hi")],
    });
    expect(structured.messages).toBe(2);
    expect(text).toContain("one two");
  });

  it("says what has been trimmed before it was stored", async () => {
    const late = [...records(40, answer("Late.", "a7")), turnComplete(49, 5)];
    const stored = { messages: [message("u0", "hi"), message("a0", "Hello.")], lastOut: "9", lastIn: "0" };
    expect((await read({ snapshot: stored, out: late })).text).toContain(
      "gap: records 10 to 39 of .out had been trimmed",
    );
    const bare = await read({ out: late });
    expect(bare.text).toContain("gap: records 0 to 39");
    expect(bare.text).toContain("1 message and older ones");
  });

  it("shows stops and errors without an answer where they happened", async () => {
    const { text } = await read({
      out: [data(0, { type: "error", errorText: "model down" }), turnComplete(1, 1)],
      in: [says(0, "hi"), data(1, { kind: "stop" })],
    });
    expect(text).toMatch(/user .* hi\nuser .* \[stop\]\nagent .*✗ model down\) {2}\(no content\)/);
  });

  it("explains an empty conversation", async () => {
    expect((await read({})).text).toContain("Nothing has been said yet");
  });

  describe("of many messages", () => {
    const many = Array.from({ length: 300 }, (_, at) =>
      message(`${at % 2 ? "a" : "u"}${at}`, `words ${at}.`),
    );
    const transcript: Plan["transcript"] = ({ limit = 0, before }) => {
      const end = before === undefined ? many.length : many.findIndex(({ id }) => id === before);
      const start = Math.max(0, end - limit);
      const next = start > 0 ? many[start]?.id : undefined;
      return { messages: many.slice(start, end), lastOut: "900", ...(next && { next }) };
    };

    it("gives the newest that fit, and pages to the very first without a message lost or doubled", async () => {
      const seen: string[] = [];
      let before: string | undefined;
      do {
        const { text, structured } = await read(
          { transcript },
          before === undefined ? {} : { before },
          1_000,
        );
        expect(o200k(text)).toBeLessThanOrEqual(1_000);
        seen.unshift(...(text.match(/words \d+\./g) ?? []));
        before = structured.before as string | undefined;
      } while (before !== undefined);
      expect(seen).toEqual(many.map(({ parts }) => parts[0]?.text));
    });

    it("refuses to page from what nobody said", async () => {
      await expect(read({ transcript }, { before: "nobody" })).rejects.toMatchObject({
        code: "invalid_request",
      });
    });

    it("cuts a message that would fill the answer, and says so", async () => {
      const long = {
        messages: [message("u0", "hi"), message("a0", "long words ".repeat(5_000))],
        lastOut: "9",
      };
      const { text, structured } = await read({ snapshot: long }, {}, 500);
      expect(structured.shown).toBe(2);
      expect(text).toMatch(/… [\d,]+ more characters\ncut messages are longer with more max_tokens/);
      expect(o200k(text)).toBeLessThanOrEqual(500);
    });
  });
});

describe("get_session_transcript of the support agent", () => {
  let embedded: TestApi;
  let api: TriggerApi;

  beforeAll(async () => {
    embedded = await startTestApi({ seed: false });
    api = createTriggerApi({ apiUrl: embedded.url, token: embedded.secretKey });
  });

  afterAll(async () => {
    await api.close();
    await embedded.close();
  });

  it("is the same with the transcript route, from the snapshot and from the channels", {
    timeout: 30_000,
  }, async () => {
    const session = "transcribed";
    await callTool(
      startSession,
      { task: "support-agent", external_id: session, message: "where is order 4821?" },
      api,
    );
    const sent = await callTool(sendSessionMessage, { session, message: "cancel it" }, api);
    const none = async () => undefined;
    const from = (sessions: TriggerApi["sessions"]) =>
      callTool(getSessionTranscript, { session }, { ...api, sessions });
    const stored = await from(api.sessions);
    const snapshot = await from({ ...api.sessions, transcript: none });
    const { text, structured } = await from({ ...api.sessions, transcript: none, snapshot: none });
    expect(structured).toMatchObject({ messages: 4, shown: 4, turns: 2, cursor: sent.structured.cursor });
    expect(text).toContain(String(sent.structured.run_id));
    for (const answer of [text, snapshot.text, stored.text]) {
      expect(answer.match(/^(user|agent)/gm)).toEqual(["user", "agent", "user", "agent"]);
    }

    expect(stored.structured.messages).toBe(4);
    expect(snapshot.structured.messages).toBe(4);
    expect(stored.text).toMatch(/\[tool cancelOrder \{"id":4821\} → error "carrier API 503"/);
  });
});
