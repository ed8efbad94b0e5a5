/** A real conversation with the support agent: our tools, our client, the embedded API, over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProgressRecord } from "../../src/bridge/progress.ts";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { resources } from "../../src/resources/index.ts";
import closeSession from "../../src/tools/close-session.ts";
import type { ToolContext } from "../../src/tools/define.ts";
import followSession from "../../src/tools/follow-session.ts";
import getSession from "../../src/tools/get-session.ts";
import getSessionTranscript from "../../src/tools/get-session-transcript.ts";
import listSessions from "../../src/tools/list-sessions.ts";
import readSessionChannel from "../../src/tools/read-session-channel.ts";
import sendSessionMessage from "../../src/tools/send-session-message.ts";
import startSession from "../../src/tools/start-session.ts";
import updateSession from "../../src/tools/update-session.ts";
import { createCleaner } from "../../src/views/clean.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { callTool } from "../support/tools.ts";

const LONG = "hello there";
const LONG_ANSWER =
  "Hello, this is the support desk. Tell me your order number and I will look it up, cancel it or refund it.";

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

/** Shows what is reported, and lets a test wait for a line. */
function onlooker() {
  const lines: string[] = [];
  const records: ProgressRecord[] = [];
  let seen = () => {};
  const progress: ToolContext["progress"] = {
    wanted: true,
    report(line, carried = []) {
      lines.push(typeof line === "string" ? line : line());
      records.push(...carried);
      seen();
    },
  };
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      seen = () => lines.some((one) => pattern.test(one)) && resolve();
      seen();
    });
  return { lines, records, progress, line };
}

const start = (external_id: string) =>
  callTool(startSession, { task: "support-agent", external_id, message: "where is order 4821?" }, api);

const send = (session: string, message: string, context: Partial<ToolContext> = {}) =>
  callTool(sendSessionMessage, { session, message }, api, { context });

const read = (name: string, variables: Record<string, string>) => {
  const resource = resources.find((one) => one.name === name);
  if (!resource) throw new Error(`no resource ${name}`);
  const view = {
    budget: 10_000,
    now: Date.now(),
    target: "dev",
    clean: createCleaner({ redact: true }),
    nonce: "n0n",
  };
  return resource.read(variables, { api, signal: new AbortController().signal, view });
};

describe.concurrent("a conversation with the support agent", { timeout: 30_000 }, () => {
  it("begins with the answer to the first message", async () => {
    const { text, structured } = await start("talk-1");
    expect(text).toContain("It shipped on 15 March and arrives on the 19th.");
    expect(text).toContain('tools: lookupOrder {"id":4821} → ok');
    expect(structured).toMatchObject({ state: "done", session: "talk-1", turn: 1, created: true });
    expect(structured.run_id).toMatch(/^run_/);
    const { message_id } = structured;
    expect((await start("talk-1")).structured).toMatchObject({ created: false, delivered: true, message_id });
  });

  it("shows the turn while it streams, and carries all of its records", async () => {
    await start("talk-2");
    const watching = onlooker();
    const { structured } = await send("talk-2", LONG, { progress: watching.progress });
    expect(watching.lines).toContain("turn 2 · thinking…");
    expect(watching.lines.at(-1)).toMatch(/^turn 2 · ".*refund it\."$/);
    const deltas = watching.records
      .map(({ chunk }) => chunk as { type?: string; delta?: string })
      .filter((chunk) => chunk.type === "text-delta");
    expect(deltas.map(({ delta }) => delta).join("")).toBe(LONG_ANSWER);
    expect(watching.records.at(-1)).toMatchObject({ kind: "turn-complete" });
    expect(JSON.stringify([watching.records, structured])).not.toMatch(/eyJ[\w-]+\./);
  });

  it("gives each of two questions asked at once its own answer", async () => {
    await start("talk-3");
    const [order, thanks] = await Promise.all([
      send("talk-3", "what about order 4790?"),
      send("talk-3", "thanks"),
    ]);
    expect(order.text).toContain("Order 4790 was delivered on 11 March.");
    expect(thanks.text).toContain("You are welcome.");
  });

  it("gives a question asked during the very first turn its own answer", async () => {
    const watching = onlooker();
    const first = callTool(
      startSession,
      { task: "support-agent", external_id: "talk-4", message: "where is order 4821?" },
      api,
      { context: { progress: watching.progress } },
    );
    await watching.line(/turn 1/);
    const second = await send("talk-4", "and order 4822?");
    expect(second.text).toContain("Order 4822 is being packed");
    expect(second.structured).toMatchObject({ turn: 2, seq: 1 });
    expect((await first).text).toContain("It shipped on 15 March");
  });

  it("gives a question asked during the turn of a message in the payload its own answer", async () => {
    const externalId = "talk-payload";
    const message = { id: "u0", role: "user", parts: [{ type: "text", text: "where is order 4821?" }] };
    const basePayload = { chatId: externalId, trigger: "submit-message", message };
    const task = "support-agent";
    await api.sessions.create({ type: "chat.agent", task, externalId, triggerConfig: { basePayload } });
    const second = await send(externalId, "and order 4822?");
    expect(second.text).toContain("Order 4822 is being packed");
    expect(second.structured).toMatchObject({ turn: 2, seq: 0 });
    const transcript = await callTool(getSessionTranscript, { session: externalId }, api);
    expect(transcript.text).toContain("It shipped on 15 March");
  });

  it("tells a tool's error and an agent's apart", async () => {
    await start("talk-5");
    const tool = await send("talk-5", "cancel it");
    expect(tool.text).toContain('tools: cancelOrder {"id":4821} → error "carrier API 503"');
    expect(tool.structured).toMatchObject({ state: "done" });
    const agent = await send("talk-5", "crash please");
    expect(agent.text).toMatch(/^failed after .*: The support desk crashed/);
    expect(agent.structured).toMatchObject({ state: "failed" });
  });

  it("asks for approval and goes on with yes or no", async () => {
    await start("talk-6");
    const asked = await send("talk-6", "refund it");
    expect(asked.structured).toMatchObject({
      state: "awaiting_approval",
      next: [{ tool: "send_session_message", args: { kind: "approval" } }],
    });
    const yes = await callTool(
      sendSessionMessage,
      { session: "talk-6", kind: "approval", approval: { approved: true } },
      api,
    );
    expect(yes.text).toContain("Order 4821 is refunded.");
    expect(yes.text).toContain('refundOrder {"id":4821} → ok');
    await send("talk-6", "refund order 4790");
    const no = await callTool(
      sendSessionMessage,
      { session: "talk-6", kind: "approval", approval: { approved: false } },
      api,
    );
    expect(no.text).toContain("order 4790 is not refunded");
    expect(no.text).toContain("→ denied");
  });

  it("stops the turn under way", async () => {
    await start("talk-7");
    const watching = onlooker();
    const talking = send("talk-7", LONG, { progress: watching.progress });
    await watching.line(/"Hello/);
    const stop = await callTool(sendSessionMessage, { session: "talk-7", kind: "stop" }, api);
    expect(stop.structured).toMatchObject({ state: "stopped", turn: 2, sent: true });
    expect((await talking).structured).toMatchObject({ state: "stopped", turn: 2 });
    const idle = await callTool(sendSessionMessage, { session: "talk-7", kind: "stop" }, api);
    expect(idle.structured).toMatchObject({ sent: false });
    expect((await send("talk-7", "thanks")).structured).toMatchObject({ state: "done", turn: 3 });
  });

  it("is empty when the agent rejects what comes with the message", async () => {
    await start("talk-8");
    const rejected = await callTool(
      sendSessionMessage,
      { session: "talk-8", message: "hi", metadata: "not an object" },
      api,
    );
    expect(rejected.structured).toMatchObject({ state: "empty", turn: 2 });
  });

  it("goes on from the deadline's cursor without losing or repeating a word", async () => {
    await start("talk-9");
    const watching = onlooker();
    const said: string[] = [];
    // The deadline falls when the first words have come, so that the turn is cut in its middle.
    const cut = new AbortController();
    const cutting: TriggerApi = {
      ...api,
      channels: {
        ...api.channels,
        follow: (channel, options) =>
          api.channels.follow(channel, {
            ...options,
            signal: AbortSignal.any([cut.signal, options?.signal ?? cut.signal]),
          }),
      },
    };
    const first = callTool(sendSessionMessage, { session: "talk-9", message: LONG }, cutting, {
      context: { progress: watching.progress },
    });
    await watching.line(/"Hello/);
    cut.abort();
    const { structured, text } = await first;
    expect(structured.state).toBe("running");
    said.push(text.split("\n")[1] ?? "");
    const [next] = structured.next ?? [];
    expect(next?.tool).toBe("follow_session");
    const rest = await callTool(followSession, next?.args as { session: string }, api);
    expect(rest.structured).toMatchObject({ state: "done", turn: 2 });
    said.push(rest.text.split("\n")[1] ?? "");
    expect(said.join(" ").replace(/\s+/g, " ")).toBe(LONG_ANSWER);
  });

  it("sends nothing twice for a key, and answers with the same turn", async () => {
    await start("talk-10");
    const once = await callTool(
      sendSessionMessage,
      { session: "talk-10", message: "thanks", key: "k1" },
      api,
    );
    const twice = await callTool(
      sendSessionMessage,
      { session: "talk-10", message: "thanks", key: "k1" },
      api,
    );
    expect(twice.structured).toMatchObject({
      state: "done",
      seq: once.structured.seq,
      turn: once.structured.turn,
      message_id: once.structured.message_id,
    });
    const { structured } = await callTool(readSessionChannel, { session: "talk-10", io: "in" }, api);
    expect(structured.shown).toBe(2);
  });

  it("ends a follow at once when the caller goes away", async () => {
    await start("talk-11");
    const leaving = new AbortController();
    const watching = onlooker();
    const following = callTool(followSession, { session: "talk-11", after: 0, until: "closed" }, api, {
      context: {
        signal: leaving.signal,
        progress: watching.progress,
        deadline: () => Date.now() + 3_600_000,
      },
    });
    await watching.line(/shipped/);
    leaving.abort();
    expect((await following).structured).toMatchObject({ state: "running", session: "talk-11" });
  });

  it("takes either id everywhere", async () => {
    await start("talk-12");
    const { structured } = await callTool(getSession, { session: "talk-12" }, api);
    const friendly = String(structured.id);
    expect(friendly).toMatch(/^session_/);
    expect((await send(friendly, "thanks")).structured).toMatchObject({ session: "talk-12", state: "done" });
    const found = await callTool(listSessions, { external_id: "talk-12" }, api);
    expect(found.structured.sessions).toMatchObject([{ id: friendly, external_id: "talk-12" }]);
    const updated = await callTool(updateSession, { session: friendly, tags: ["vip"] }, api);
    expect(updated.structured).toMatchObject({ tags: ["vip"] });
  });

  it("closes for good, and says so to whoever follows or sends", async () => {
    await start("talk-13");
    const following = callTool(followSession, { session: "talk-13", until: "closed" }, api);
    const closed = await callTool(closeSession, { session: "talk-13", reason: "done here" }, api);
    expect(closed.text).toContain("done here");
    expect(await following).toMatchObject({ structured: { state: "closed" } });
    await expect(send("talk-13", "hello?")).rejects.toMatchObject({ code: "session_closed" });
    const again = await callTool(followSession, { session: "talk-13" }, api);
    expect(again.structured.state).toBe("closed");
    const state = await callTool(getSession, { session: "talk-13" }, api);
    expect(state.structured.status).toBe("CLOSED");
  });

  it("reads as resources", async () => {
    await start("talk-14");
    await send("talk-14", "cancel it");
    const transcript = await read("session_transcript", { session: "talk-14" });
    expect(transcript.match(/^(user|agent)/gm)).toEqual(["user", "agent", "user", "agent"]);
    expect(transcript).toContain("where is order 4821?");
    expect(transcript).toContain('[tool cancelOrder {"id":4821} → error "carrier API 503"');
    expect(await read("session", { session: "talk-14" })).toContain("everything answered");
    expect(await read("sessions", {})).toContain("talk-14");
    expect(await read("session_channel", { session: "talk-14", io: "in" })).toContain("cancel it");
    expect(await read("session_named_channel", { session: "talk-14", name: "notes", io: "in" })).toContain(
      "0 records",
    );
    await expect(read("session_channel", { session: "talk-14", io: "sideways" })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
