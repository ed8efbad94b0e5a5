import { afterEach, describe, expect, it } from "vitest";
import { seedSession } from "../../src/embedded/tasks/support-agent.ts";
import { type SessionsApp, type SessionsAppOptions, startSessionsApp } from "../support/sessions-app.ts";
import { dataOf, openEvents } from "../support/sse.ts";

type Chunk = Record<string, unknown> & { type: string };
interface Turn {
  chunks: Chunk[];
  headers: Record<string, string>;
}

let app: SessionsApp;
const leaving: (() => void)[] = [];

afterEach(async () => {
  for (const leave of leaving.splice(0)) leave();
  await app.close();
});

const user = (text: string, id = `u-${text}`) => ({ id, role: "user", parts: [{ type: "text", text }] });

/** A conversation with the support agent, its `.out` followed from the start. */
async function chat(
  options: SessionsAppOptions = {},
  basePayload: Record<string, unknown> = {},
  config = {},
) {
  app = await startSessionsApp(options);
  const { body } = await app.create({
    externalId: "chat",
    taskIdentifier: "support-agent",
    triggerConfig: { basePayload: { chatId: "chat", ...basePayload }, ...config },
  });
  const events = await openEvents(`${app.url}/realtime/v1/sessions/chat/out`, {
    authorization: `Bearer ${app.secretKey}`,
  });
  leaving.push(events.leave);
  const records = (async function* () {
    for await (const event of events) if (event.startsWith("event: batch")) yield* dataOf(event).records;
  })();

  /** The next record as a chunk or as the headers of a control record. */
  async function read(): Promise<{ chunk: Chunk } | { headers: Record<string, string> }> {
    const { value, done } = await records.next();
    if (done) throw new Error("the stream has ended");
    if (value.headers?.[0]?.[0] === "") return read();
    return value.headers
      ? { headers: Object.fromEntries(value.headers) }
      : { chunk: JSON.parse(value.body ?? "").data };
  }
  async function turn(): Promise<Turn> {
    const chunks: Chunk[] = [];
    for (;;) {
      const next = await read();
      if ("headers" in next) return { chunks, headers: next.headers };
      chunks.push(next.chunk);
    }
  }
  async function put(input: unknown): Promise<number> {
    const body = typeof input === "string" ? input : JSON.stringify(input);
    return ((await (await app.append("chat", "in", body)).json()) as { seq: number }).seq;
  }
  const payload = (fields: object) => put({ kind: "message", payload: { chatId: "chat", ...fields } });
  return {
    firstRun: String(body.runId),
    read,
    turn,
    put,
    payload,
    say: (text: string, more = {}) => payload({ trigger: "submit-message", message: user(text), ...more }),
    /** Says it and answers the whole turn. */
    async ask(text: string) {
      await payload({ trigger: "submit-message", message: user(text) });
      return turn();
    },
    async transcript() {
      const response = await app.request("GET", "/api/v1/sessions/chat/transcript");
      return ((await response.json()) as { messages: { id: string; role: string; parts: Chunk[] }[] })
        .messages;
    },
    async currentRun() {
      const response = await app.request("GET", "/api/v1/sessions/chat");
      return ((await response.json()) as { currentRunId: string }).currentRunId;
    },
  };
}

const textOf = ({ chunks }: Turn): string =>
  chunks.flatMap((chunk) => (chunk.type === "text-delta" ? [chunk.delta] : [])).join("");
const typesOf = ({ chunks }: Turn): string[] =>
  chunks.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
const run = (id: string) => app.engine.runs.find(app.environment.id, id) ?? expect.fail(`no run ${id}`);
const spansOf = (id: string) => app.engine.runs.subtree(run(id), 1_000).spans;

describe("a turn", () => {
  it("answers the message a session starts with, word by word and step by step", async () => {
    const { turn, firstRun } = await chat(
      {},
      { trigger: "submit-message", message: user("where is order 4821?") },
    );
    const answer = await turn();
    expect(typesOf(answer)).toEqual([
      ...["start", "start-step", "reasoning-start", "reasoning-delta", "reasoning-end"],
      ...["tool-input-start", "tool-input-delta", "tool-input-available", "tool-output-available"],
      ...["finish-step", "start-step", "text-start", "text-delta", "text-end", "finish-step", "finish"],
    ]);
    expect(textOf(answer)).toBe("It shipped on 15 March and arrives on the 19th.");
    expect(answer.chunks[0]).toMatchObject({
      messageId: "msg_1",
      messageMetadata: { turn: 1, runId: firstRun },
    });
    // Nothing has been read from .in, so there is no position to report.
    expect(Object.keys(answer.headers)).toEqual(["trigger-control", "public-access-token"]);
  });

  it("ends with the position of the input it answers and a token for this run and session", async () => {
    const { say, turn, firstRun } = await chat();
    await say("hello");
    expect((await turn()).headers).toMatchObject({
      "session-in-event-id": "0",
      "session-in-consumed-id": "0",
    });
    await say("thanks");
    const { headers } = await turn();
    expect(headers).toMatchObject({ "trigger-control": "turn-complete", "session-in-event-id": "1" });
    const token = headers["public-access-token"] ?? "";
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.scopes).toEqual([
      `read:runs:${firstRun}`,
      "read:sessions:chat",
      `write:inputStreams:${firstRun}`,
      "write:sessions:chat",
    ]);
    expect((await app.request("GET", "/api/v1/sessions/chat", { token })).status).toBe(200);
  });

  it("trims what lies before the turn before", async () => {
    const { ask } = await chat({ trimDelayMs: 0 });
    for (const text of ["hello", "thanks", "hello again"]) await ask(text);
    const response = await app.request("GET", "/realtime/v1/sessions/chat/out/records");
    const { records } = (await response.json()) as { records: { seqNum: number; headers?: string[][] }[] };
    expect(records[0]?.seqNum).toBeGreaterThan(0);
    expect(records[0]?.headers?.[0]).toEqual(["trigger-control", "turn-complete"]);
    expect(records.filter(({ headers }) => headers !== undefined)).toHaveLength(2);
  });

  it("leaves spans of the turn and its tools in the run's trace", async () => {
    const { ask, firstRun } = await chat();
    const failed = await ask("cancel order 4821");
    expect(failed.chunks).toContainEqual({
      type: "tool-output-error",
      toolCallId: "call_1",
      errorText: "carrier API 503",
    });
    expect(textOf(failed)).toBe("I could not cancel it just now.");
    const spans = spansOf(firstRun);
    const named = (message: string) => spans.find((span) => span.message === message);
    expect(named("cancelOrder")).toMatchObject({ isError: true, parentId: named("turn 1")?.spanId });
    expect(named("turn 1")).toMatchObject({ isError: false, isPartial: false });
  });

  it("waits on the platform between turns", async () => {
    const { ask, firstRun } = await chat();
    await ask("hello");
    await expect.poll(() => run(firstRun).status).toBe("WAITING_TO_RESUME");
  });

  it("shows an error and goes on, without a token for that turn", async () => {
    const { ask, firstRun } = await chat();
    const crashed = await ask("please crash");
    expect(crashed.chunks.at(-1)).toEqual({
      type: "error",
      errorText: "The support desk crashed, as it was asked to.",
    });
    expect(crashed.headers).not.toHaveProperty("public-access-token");
    expect(spansOf(firstRun).find(({ message }) => message === "turn 1")).toMatchObject({ isError: true });
    expect(textOf(await ask("hello"))).toMatch(/^Hello/);
  });

  it("ends without content when it rejects the input", async () => {
    const { say, payload, put, turn } = await chat();
    const rejected = [
      () => say("hello", { metadata: "text" }),
      () => say("hello", { metadata: { userId: 7 } }),
      () => payload({ trigger: "action", action: { type: "explode" } }),
      () => payload({ trigger: "regenerate-message" }),
      () => payload({ trigger: "submit-message" }),
      () => payload({ trigger: "submit-message", message: { id: "msg_9", role: "assistant", parts: [] } }),
      () => put("not json"),
      () => put({ kind: "message" }),
      () => put("[1]"),
    ];
    for (const send of rejected) {
      const seq = await send();
      expect(await turn()).toMatchObject({ chunks: [], headers: { "session-in-event-id": String(seq) } });
    }
    await say("hello", { metadata: { userId: "u1", plan: "pro", anything: [1] } });
    expect(textOf(await turn())).toMatch(/^Hello/);
  });
});

describe("what a user can do", () => {
  it("approves or denies a refund in a later turn of the same message", async () => {
    const { ask, payload, turn, transcript } = await chat();
    for (const approved of [true, false]) {
      const asked = await ask("refund order 4790");
      expect(asked.chunks.at(-1)).toMatchObject({ type: "finish", finishReason: "tool-calls" });
      const request = asked.chunks.find(({ type }) => type === "tool-approval-request");
      const id = asked.chunks[0]?.messageId;
      const part = {
        type: "tool-refundOrder",
        toolCallId: request?.toolCallId,
        state: "approval-responded",
        approval: { id: request?.approvalId, approved },
      };
      await payload({ trigger: "submit-message", message: { id, role: "assistant", parts: [part] } });
      const decided = await turn();
      expect(decided.chunks[0]).toMatchObject({ type: "start", messageId: id });
      expect(typesOf(decided)).toContain(approved ? "tool-output-available" : "tool-output-denied");
      expect(textOf(decided)).toMatch(approved ? /is refunded. Your reference is R-4790/ : /is not refunded/);
      const stored = (await transcript()).find((message) => message.id === id);
      const tool = stored?.parts.find(({ type }) => type === "tool-refundOrder");
      expect(tool).toMatchObject({
        state: approved ? "output-available" : "output-denied",
        approval: { approved },
      });
      await payload({ trigger: "submit-message", message: { id, role: "assistant", parts: [part] } });
      expect((await turn()).chunks).toEqual([]);
    }
  });

  it("stops a turn", async () => {
    const { say, read, turn, put, firstRun } = await chat({ pace: 4 });
    await say("where is order 4821?");
    for (let first = await read(); !("chunk" in first && first.chunk.type === "reasoning-delta"); )
      first = await read();
    const stop = await put({ kind: "stop" });
    const rest = await turn();
    expect(rest.chunks.at(-1)).toEqual({ type: "abort", reason: "stopped by the user" });
    expect(typesOf(rest)).not.toContain("finish");
    expect(rest.headers).toMatchObject({ "session-in-event-id": String(stop) });
    expect(spansOf(firstRun).find(({ message }) => message === "turn 1")).toMatchObject({ isError: false });
  });

  it("stops the running turn ahead of a message that waits, which is then answered", async () => {
    const { say, read, turn, put } = await chat({ pace: 4 });
    await say("where is order 4821?");
    await read();
    await say("thanks");
    await put({ kind: "stop" });
    // The stop is used up, yet a resume must not pass over the message before it.
    expect((await turn()).headers).toMatchObject({
      "session-in-event-id": "0",
      "session-in-consumed-id": "2",
    });
    const next = await turn();
    expect(textOf(next)).toMatch(/^You are welcome/);
    expect(next.headers).toMatchObject({ "session-in-event-id": "2", "session-in-consumed-id": "2" });
  });

  it("takes a stop between turns as nothing", async () => {
    const { put, ask } = await chat();
    await put({ kind: "stop" });
    const answer = await ask("hello");
    expect(textOf(answer)).toMatch(/^Hello/);
    expect(answer.headers).toMatchObject({ "session-in-event-id": "1" });
  });

  it("acts and regenerates", async () => {
    const { ask, payload, turn, transcript } = await chat();
    await ask("order 4822");
    await payload({ trigger: "regenerate-message" });
    expect(textOf(await turn())).toBe("Order 4822 is being packed and leaves within a day.");
    expect((await transcript()).map(({ role }) => role)).toEqual(["user", "assistant"]);
    await payload({ trigger: "action", action: { type: "escalate", to: "Ada" } });
    expect(textOf(await turn())).toMatch(/passed this on to Ada/);
    await payload({ trigger: "action", action: { type: "clear-history" } });
    await turn();
    expect((await transcript()).map(({ role }) => role)).toEqual(["assistant"]);
  });
});

describe("across runs", () => {
  it("ends when idle and goes on in a fresh run that remembers", async () => {
    const { ask, firstRun, currentRun } = await chat({}, {}, { idleTimeoutInSeconds: 1 });
    await ask("where is order 4821?");
    expect((await app.engine.settled(firstRun)).status).toBe("COMPLETED_SUCCESSFULLY");
    const answer = await ask("cancel it");
    expect(textOf(answer)).toBe("I could not cancel it just now.");
    expect(answer.chunks[0]).toMatchObject({ messageMetadata: { turn: 2, runId: await currentRun() } });
    expect(await currentRun()).not.toBe(firstRun);
  });

  it("answers in a fresh run what a dead one left unanswered", async () => {
    const { say, read, turn, firstRun, ask } = await chat({ pace: 2 });
    await say("where is order 4821?");
    await read();
    app.engine.cancel(run(firstRun));
    expect((await app.engine.settled(firstRun)).status).toBe("CANCELED");
    await say("thanks");
    const first = await turn();
    expect(textOf(first)).toMatch(/It shipped on 15 March/);
    expect(first.headers).toMatchObject({ "session-in-event-id": "0" });
    expect(textOf(await turn())).toMatch(/^You are welcome/);
    expect(textOf(await ask("thanks"))).toMatch(/^You are welcome/);
  });

  it("leaves the conversation to the run it was handed over to", async () => {
    const { ask, firstRun } = await chat();
    await ask("where is order 4821?");
    const handOver = await app.request("POST", "/api/v1/sessions/chat/end-and-continue", {
      body: JSON.stringify({ callingRunId: firstRun, reason: "upgrade" }),
    });
    const { runId } = (await handOver.json()) as { runId: string };
    expect((await app.engine.settled(firstRun)).status).toBe("COMPLETED_SUCCESSFULLY");
    const answer = await ask("thanks");
    expect(answer.chunks[0]).toMatchObject({ messageMetadata: { turn: 2, runId } });
  });

  it("only warms up for a preload", async () => {
    const { ask } = await chat({}, { trigger: "preload" });
    const answer = await ask("hello");
    expect(answer.headers).toMatchObject({ "session-in-event-id": "0" });
    expect(answer.chunks[0]).toMatchObject({ messageMetadata: { turn: 1 } });
  });

  it("ends its run when the session closes, and says so on a turn that was running", async () => {
    const { ask, firstRun, read } = await chat();
    await ask("hello");
    await app.request("POST", "/api/v1/sessions/chat/close", { body: '{"reason":"solved"}' });
    expect((await app.engine.settled(firstRun)).status).toBe("COMPLETED_SUCCESSFULLY");
    expect(await read()).toEqual({
      headers: { "trigger-control": "session-closed", "session-closed-reason": "solved" },
    });
  });

  it("tells on the turn it is in that the session was closed meanwhile", async () => {
    const { say, read, firstRun } = await chat({ pace: 2 });
    await say("hello");
    await read();
    await app.request("POST", "/api/v1/sessions/chat/close", { body: "{}" });
    const ends: Record<string, string>[] = [];
    while (ends.length < 2) {
      const next = await read();
      if ("headers" in next) ends.push(next.headers);
    }
    expect(ends).toMatchObject([
      { "trigger-control": "session-closed" },
      { "trigger-control": "turn-complete", "session-closed": "true" },
    ]);
    expect((await app.engine.settled(firstRun)).status).toBe("COMPLETED_SUCCESSFULLY");
  });

  it("ends its run on a close message without closing the session", async () => {
    const { payload, turn, firstRun, ask } = await chat();
    await payload({ trigger: "close" });
    expect((await turn()).chunks).toEqual([]);
    expect((await app.engine.settled(firstRun)).status).toBe("COMPLETED_SUCCESSFULLY");
    expect(textOf(await ask("hello"))).toMatch(/^Hello/);
  });
});

describe("the seeded conversation", () => {
  it("holds three real turns and is made once", async () => {
    app = await startSessionsApp();
    seedSession(app, app.environment);
    seedSession(app, app.environment);
    const read = async (path: string) => (await app.request("GET", `/api/v1/sessions${path}`)).json();
    const transcript = () => read("/chat-81/transcript") as Promise<{ messages: { role: string }[] }>;
    await expect.poll(async () => (await transcript()).messages.length, { timeout: 20_000 }).toBe(6);
    expect(((await read("")) as { data: unknown[] }).data).toHaveLength(1);
  });
});
