/**
 * Two real peers in one conversation at the same time: a web application on the vendor's own chat client, and an MCP client
 * with our tools. They ask turn about and at the same moment, and agree on all that was said.
 */
import type { IncomingMessage } from "node:http";
import { configure } from "@trigger.dev/sdk";
import type { UIMessage } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Composition, compose } from "../../src/compose.ts";
import type { Fault } from "../../src/embedded/faults.ts";
import { type HttpServer, serveOverHttp } from "../../src/server/transports/http.ts";
import { CLIENTS, type McpClient, overHttp, type Result, type Tick } from "../support/clients.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { openWebApp, question } from "../support/web-app.ts";

let api: TestApi;
let proxy: FaultyProxy;
let composition: Composition;
let server: HttpServer;

beforeAll(async () => {
  // Trimmed while nobody looks, `.out` would tell neither side everything: that is tested elsewhere.
  api = await startTestApi({ seed: false, trimDelayMs: 3_600_000 });
  configure({ baseURL: api.url, accessToken: api.secretKey });
  const http = {
    host: "127.0.0.1",
    port: 0,
    auth: "none" as const,
    keyDigests: [],
    allowedHosts: [],
    allowedOrigins: [],
  };
  proxy = await startFaultyProxy(api.url, atTheDoor);
  composition = await compose({
    targets: [{ name: "dev", apiUrl: proxy.url, token: api.secretKey, embedded: false }],
    http,
    readOnly: false,
    toolsets: ["runs", "sessions", "insight"],
    logLevel: "warn",
    redact: true,
    redactEmails: false,
  });
  server = await serveOverHttp(composition.service, http);
});

afterAll(async () => {
  await server.close();
  await composition.close();
  await proxy.close();
  await api.close();
});

/** How an append of ours meets one of the other side: it is told of when it comes, and may have to wait a little. */
const meetings = new Map<string, { come: () => void; waitMs: number }>();

function atTheDoor({ method, url = "" }: Pick<IncomingMessage, "method" | "url">): Fault | undefined {
  const session = method === "POST" ? /sessions\/([^/]+)\/in\/append$/.exec(url)?.[1] : undefined;
  const meeting = meetings.get(session ?? "");
  meetings.delete(session ?? "");
  meeting?.come();
  return meeting && meeting.waitMs > 0 ? { kind: "delay", ms: meeting.waitMs } : undefined;
}

/** Resolves when the assistant's next append has reached the API, which takes it only after `waitMs`. */
const meeting = (session: string, waitMs: number): Promise<void> =>
  new Promise((come) => void meetings.set(session, { come, waitMs }));

const questionAbout = (order: number): string => `where is order ${order}?`;
const answerAbout = (order: number): string =>
  `I cannot find order ${order}. Could you check the number on your receipt?`;

const textsOf = ({ parts }: UIMessage): string[] =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : []));

const wordsOf = (message: UIMessage): string => textsOf(message).join("");

const brief = (message: UIMessage) => ({ id: message.id, role: message.role, words: wordsOf(message) });

/** An MCP client that talks in one session, and fails on every answer that is an error. */
function assistantOf(client: McpClient, session: string) {
  const call = async (
    tool: string,
    args: object = {},
    onprogress?: (tick: Tick) => void,
  ): Promise<Result> => {
    const result = await client.call(tool, { session, ...args }, onprogress ? { onprogress } : {});
    expect(result.isError, `${tool}: ${result.text}`).toBe(false);
    return result;
  };
  return {
    call,
    send: (key: string, message: string, onprogress?: (tick: Tick) => void) =>
      call("send_session_message", { key, message }, onprogress),
  };
}

/** Ids of the messages on `.in`, in the order in which they were asked. */
async function asked(session: string): Promise<string[]> {
  const { body } = await api.ask(`/realtime/v1/sessions/${session}/in/records`);
  return body.records.map(({ data }: { data: string }) => JSON.parse(data).payload.message.id);
}

describe.concurrent.each(CLIENTS)("a web application and an assistant over MCP (%s)", (kind) => {
  const session = `peers-${CLIENTS.indexOf(kind)}`;

  it("talk in one session and agree on every message, its id, its words and its place", {
    timeout: 60_000,
  }, async () => {
    const client = await overHttp(kind, server.url);
    const { call, send } = assistantOf(client, session);
    const app = openWebApp(api.url, session);
    /** What the assistant was told, by the id of its question. */
    const told = new Map<string, Result>();
    const orders = new Map<string, number>();
    let order = 500_000;

    const assistantAsks = async () => {
      const [id, about] = [`mcp-${++order}`, order];
      orders.set(id, about);
      told.set(id, await send(id, questionAbout(about)));
    };

    const started = await client.call("start_session", {
      task: "support-agent",
      external_id: session,
      message: questionAbout(order),
    });
    expect(started.text).toContain(answerAbout(order));
    const [opening = ""] = await asked(session);
    orders.set(opening, order);
    told.set(opening, started);

    const watching = app.watch();
    const tab = await app.tab();
    const appAsks = async () => {
      const [id, about] = [`web-${++order}`, order];
      orders.set(id, about);
      expect(wordsOf(await tab.ask(question(id, questionAbout(about))))).toBe(answerAbout(about));
    };

    await appAsks();
    await assistantAsks();
    await appAsks();
    // At the same moment: as it comes, with ours on `.in` first, and with the other between our look and our append.
    await Promise.all([appAsks(), assistantAsks()]);
    for (const waitMs of [0, 50]) {
      const met = meeting(session, waitMs);
      await Promise.all([assistantAsks(), met.then(appAsks)]);
    }
    const followed = call("follow_session", { until: "turn" });
    await appAsks();
    expect((await followed).text).toContain(answerAbout(order));
    await assistantAsks();

    const everything = await app.transcript();
    const questions = await asked(session);
    expect(new Set(questions)).toEqual(new Set(orders.keys()));
    const said = everything.map(brief);
    expect(said).toEqual(
      questions.flatMap((id) => [
        { id, role: "user", words: questionAbout(orders.get(id) ?? 0) },
        { id: expect.any(String), role: "assistant", words: answerAbout(orders.get(id) ?? 0) },
      ]),
    );

    const idAfter = (id: string) => said[said.findIndex((message) => message.id === id) + 1]?.id;
    for (const [id, { text, structured }] of told) {
      expect(structured).toMatchObject({
        state: "done",
        message_id: idAfter(id),
        seq: questions.indexOf(id),
        turn: questions.indexOf(id) + 1,
      });
      const mentioned = [...new Set(text.match(/\b5\d{5}\b/g))];
      expect(mentioned, text).toEqual([String(orders.get(id))]);
    }

    // From the transcript it loaded to the end of its last stream the tab was told of each answer once, whoever had asked.
    const answers = everything.filter(({ role }) => role === "assistant");
    expect(tab.heard.map(brief)).toEqual(answers.slice(1, -1).map(brief));

    const transcript = await call("get_session_transcript", { max_tokens: 20_000 });
    expect(transcript.structured).toMatchObject({ messages: everything.length, shown: everything.length });
    const lines = transcript.text.split("\n").filter((line) => /^(user|agent) /.test(line));
    expect(lines).toHaveLength(everything.length);
    for (const [at, message] of everything.entries()) {
      expect(lines[at]).toMatch(message.role === "user" ? /^user / : /^agent /);
      expect(lines[at]).toContain(wordsOf(message));
      const before = await call("get_session_transcript", { before: message.id });
      expect(before.structured.messages).toBe(at);
    }

    await call("close_session", { reason: "all is said" });
    expect((await watching.messages).map(brief)).toEqual(answers.map(brief));
    expect(await watching.status()).toBe("closed");
    tab.leave();
    await client.close();
  });

  it("go on with each other's turns: approvals, stops and a page that is loaded again", {
    timeout: 60_000,
  }, async () => {
    const chat = `${session}-turns`;
    const client = await overHttp(kind, server.url);
    const { call, send } = assistantOf(client, chat);
    const app = openWebApp(api.url, chat);
    const tab = await app.tab();

    const asking = await tab.ask(question("web-refund", "refund order 4821"));
    const yes = await call("send_session_message", { kind: "approval", approval: { approved: true } });
    expect(yes.structured).toMatchObject({ state: "done", message_id: asking.id, turn: 2 });
    expect(yes.text).toContain("Order 4821 is refunded. Your reference is R-4821.");

    const waiting = await send("mcp-refund", "refund order 4790");
    expect(waiting.structured).toMatchObject({ state: "awaiting_approval", turn: 3 });
    const second = await app.tab();
    const no = await second.approve(false);
    expect(no.id).toBe(waiting.structured.message_id);
    expect(wordsOf(no)).toContain("order 4790 is not refunded");

    const stopped = talking(send, "mcp-long");
    await stopped.words;
    expect(await second.stop()).toBe(true);
    expect((await stopped.answer).structured).toMatchObject({ state: "stopped", turn: 5 });

    const broken = await second.begin(question("web-long", "hello there"));
    await broken.firstChunk;
    const stop = await call("send_session_message", { kind: "stop" });
    expect(stop.structured).toMatchObject({ state: "stopped", turn: 6, sent: true });
    expect((await broken.answer).id).toBe(stop.structured.message_id);

    const left = await second.begin(question("web-left", "hello there"));
    await left.firstChunk;
    const saved = second.saved();
    second.leave();
    const third = await app.tab(saved);
    const [resumed, followed] = await Promise.all([
      third.resume(),
      call("follow_session", { after: saved.lastEventId }),
    ]);
    expect(resumed && wordsOf(resumed)).toBe(GREETING);
    expect(followed.text).toContain(GREETING);
    expect(followed.structured).toMatchObject({ state: "done", turn: 7, message_id: resumed?.id });

    const ours = talking(send, "mcp-watched");
    const before = third.saved();
    await ours.words;
    const fourth = await app.tab({ ...before, isStreaming: true });
    const overheard = await fourth.resume();
    expect(overheard && wordsOf(overheard)).toBe(GREETING);
    expect((await ours.answer).structured).toMatchObject({ state: "done", message_id: overheard?.id });

    const everything = await app.transcript();
    const transcript = await call("get_session_transcript", { max_tokens: 20_000 });
    const lines = transcript.text.split("\n").filter((line) => /^(user|agent) /.test(line));
    expect(lines.map((line) => line.split(" ", 1)[0])).toEqual(
      everything.map(({ role }) => (role === "user" ? "user" : "agent")),
    );
    for (const [at, message] of everything.entries()) {
      for (const text of textsOf(message)) expect(lines[at]).toContain(text.trim());
    }
    expect(transcript.text).toContain('[tool refundOrder {"id":4821} → ok');
    expect(transcript.text).toContain('[tool refundOrder {"id":4790} → denied');
    for (const one of [third, fourth, tab]) one.leave();
    await client.close();
  });
});

it("a session that a page has opened takes the assistant's first message once, and a page that opens it again loses nothing", async () => {
  const session = "peers-again";
  const client = await overHttp("v1", server.url);
  const { call, send } = assistantOf(client, session);
  const tab = await openWebApp(api.url, session).tab();
  const stored = async () => (await api.ask(`/api/v1/sessions/${session}`)).body.triggerConfig;
  const opened = await stored();
  const start = (message: string) =>
    client.call("start_session", { task: "support-agent", external_id: session, message });
  const started = await start(questionAbout(500_000));
  expect(started.structured).toMatchObject({
    created: false,
    delivered: true,
    state: "done",
    turn: 1,
    seq: 0,
  });
  expect(started.text).toContain(answerAbout(500_000));
  expect(await stored()).toEqual(opened);

  const later = await openWebApp(api.url, session).tab();
  const again = await start(questionAbout(500_000));
  expect(again.structured).toMatchObject({ delivered: true, message_id: started.structured.message_id });
  const other = await start(questionAbout(500_001));
  expect(other.structured).toMatchObject({ created: false, delivered: false });
  expect(await asked(session)).toHaveLength(1);
  expect((await send("mcp-1", questionAbout(500_002))).structured).toMatchObject({ state: "done", turn: 2 });
  expect((await call("get_session_transcript")).structured).toMatchObject({ messages: 4 });
  for (const one of [tab, later]) one.leave();
  await client.close();
});

const GREETING =
  "Hello, this is the support desk. Tell me your order number and I will look it up, cancel it or refund it.";

/** A call whose answer takes a while, and the moment its words begin. */
function talking(
  send: (key: string, message: string, onprogress: (tick: Tick) => void) => Promise<Result>,
  key: string,
) {
  let begun = () => {};
  const words = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const answer = send(key, "hello there", ({ message }) => {
    if (message?.includes('"Hello')) begun();
  });
  return { words, answer };
}
