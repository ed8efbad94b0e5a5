/** Every method of the client against the embedded API, with each kind of credential. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import type { ChannelItem } from "../../src/domain/record.ts";
import { type EmbeddedApi, startEmbedded } from "../../src/embedded/index.ts";
import { thrown } from "./support.ts";

let server: EmbeddedApi;
let secret: TriggerApi;
let personal: TriggerApi;
const opened: TriggerApi[] = [];

function client(token: string, more: { projectRef?: string; environment?: string } = {}): TriggerApi {
  const api = createTriggerApi({ apiUrl: server.url, token, ...more });
  opened.push(api);
  return api;
}

beforeAll(async () => {
  server = await startEmbedded();
  secret = client(server.secretKey);
  personal = client(server.personalToken, { projectRef: server.projectRef, environment: "dev" });
});

afterAll(async () => {
  await Promise.all(opened.map((api) => api.close()));
  await server.close();
});

const message = (id: string, words: string) =>
  JSON.stringify({
    kind: "message",
    payload: {
      chatId: "chat",
      trigger: "submit-message",
      message: { id, role: "user", parts: [{ type: "text", text: words }] },
    },
  });

/** Records of `.out` up to the end of the turn that answers the input at `seq`. */
async function turn(api: TriggerApi, session: string, seq: number, after?: number): Promise<ChannelItem[]> {
  const items: ChannelItem[] = [];
  const options = after === undefined ? {} : { after };
  for await (const item of api.channels.follow({ session, io: "out" }, options)) {
    items.push(item);
    const ends = item.kind === "control" && item.control === "turn-complete";
    if (ends && (item.inputSeq ?? seq) >= seq) break;
  }
  return items;
}

test("all kinds of credential probe as working, a wrong one does not", async () => {
  expect(await secret.probe()).toEqual({ environment: "dev" });
  expect(await personal.probe()).toEqual({ environment: "dev" });
  await client(await secret.tokens.mint(["read:sessions:x"])).probe();
  expect((await thrown(client("tr_dev_wrong").probe())).code).toBe("unauthorized");
});

test("a run is triggered, found, read and changed", async () => {
  const { id } = await secret.runs.trigger("send-welcome-email", {
    payload: { userId: "u1", email: "a@b.c" },
    tags: ["one"],
    metadata: { step: 1 },
  });
  await server.settled(id);
  const run = await secret.runs.retrieve(id);
  expect(run).toMatchObject({ id, task: "send-welcome-email", status: "COMPLETED" });
  expect(run.createdAt).toBeGreaterThan(Date.now() - 60_000);

  const page = await secret.runs.list({ task: ["send-welcome-email"], period: "1h", limit: 5 });
  expect(page.items.map((item) => item.id)).toContain(id);

  const trace = await secret.runs.trace(id);
  const [root] = trace.spans;
  expect(root).toMatchObject({ runId: id, isPartial: false });
  expect(root?.duration).toBeGreaterThan(0);
  expect((await secret.runs.events(id)).length).toBeGreaterThan(1);
  const span = await secret.runs.span(id, root?.id ?? "");
  expect(span).toMatchObject({ id: root?.id, message: root?.message, startTime: root?.startTime });
  expect(span.duration).toBeCloseTo(root?.duration ?? 0, 3);

  expect(await secret.runs.addTags(id, ["one", "two"])).toEqual({ added: 1 });
  expect(await secret.runs.addTags(id, ["one", "two"])).toEqual({ added: 0 });
  expect(await secret.runs.updateMetadata(id, { metadata: { step: 2 } })).toEqual({ step: 2 });
  const operations = [{ type: "increment" as const, key: "step", value: 3 }];
  expect(await secret.runs.updateMetadata(id, { operations })).toEqual({ step: 5 });
  expect(await secret.runs.metadata(id)).toEqual({ step: 5 });
  expect(await secret.runs.result(id)).toMatchObject({ ok: true, id, task: "send-welcome-email" });

  const copy = await secret.runs.replay(id, { tags: ["copy"] });
  await server.settled(copy.id);
  expect((await secret.runs.retrieve(copy.id)).tags).toContain("copy");
});

test("a failed run tells its error in detail and in its result", async () => {
  const { id } = await secret.runs.trigger("process-order", { payload: { orderId: 1 } });
  await server.settled(id);
  const run = await secret.runs.retrieve(id);
  expect(run).toMatchObject({ status: "FAILED", attemptCount: 3, error: { name: "TypeError" } });
  expect(await secret.runs.result(id)).toMatchObject({ ok: false, error: { type: "BUILT_IN_ERROR" } });
  const errors = (await secret.runs.trace(id)).spans.filter((span) => span.isError);
  expect(errors.flatMap((span) => span.events.map((event) => event.name))).toContain("exception");
});

test("a delayed run is moved and cancelled, and a key triggers once", async () => {
  const options = { payload: {}, delay: "1h", idempotencyKey: "once" };
  const { id } = await secret.runs.trigger("send-welcome-email", options);
  expect(await secret.runs.trigger("send-welcome-email", options)).toEqual({ id, isCached: true });
  const before = (await secret.runs.retrieve(id)).delayedUntil;
  const moved = await secret.runs.reschedule(id, "2h");
  expect(moved.delayedUntil ?? 0).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
  await secret.runs.cancel(id);
  await server.settled(id);
  expect((await secret.runs.retrieve(id)).status).toBe("CANCELED");
});

test("a conversation is held, resumed, listed and closed", async () => {
  const started = await secret.sessions.create({
    type: "chat.agent",
    task: "support-agent",
    externalId: "chat",
    triggerConfig: { basePayload: { chatId: "chat", trigger: "preload" } },
    tags: ["vip"],
  });
  expect(started).toMatchObject({ created: true, externalId: "chat" });

  const input = { session: "chat", io: "in" as const };
  const { seq } = await secret.channels.append(input, message("u1", "where is order 4821?"), "part-1");
  expect(seq).toBe(0);
  expect(await secret.channels.append(input, message("u1", "where is order 4821?"), "part-1")).toEqual({});

  const first = await turn(secret, "chat", 0);
  const kinds = first.map((item) => item.kind);
  expect(kinds).toContain("data");
  expect(kinds.at(-1)).toBe("control");
  expect(kinds).not.toContain("gap");
  const end = first.at(-1);
  const cursor = end && "seq" in end ? end.seq : undefined;

  const next = await secret.channels.append(input, message("u2", "cancel it"), "part-2");
  const second = await turn(secret, started.id, next.seq ?? 0, cursor);
  expect(second.at(-1)).toMatchObject({ control: "turn-complete", inputSeq: next.seq });

  expect(await secret.channels.records(input)).toMatchObject([
    { kind: "data", seq: 0, partId: "part-1", data: { kind: "message" } },
    { kind: "data", seq: 1, partId: "part-2" },
  ]);
  expect(await secret.channels.records(input, 0)).toHaveLength(1);

  const settled: ChannelItem[] = [];
  const peek = { peekSettled: true, ...(cursor !== undefined && { after: cursor }) };
  for await (const item of secret.channels.follow({ session: "chat", io: "out" }, peek)) settled.push(item);
  const delivered = (items: ChannelItem[]) => items.filter((item) => item.kind === "data");
  expect(delivered(settled)).toEqual(delivered(second));

  expect((await secret.sessions.retrieve("chat")).id).toBe(started.id);
  expect((await secret.sessions.list({ tag: "vip" })).items.map((item) => item.id)).toEqual([started.id]);
  expect((await secret.sessions.snapshot("chat"))?.messages.length).toBeGreaterThan(1);
  await secret.sessions.transcript("chat");
  expect(await secret.sessions.update("chat", { tags: ["x"], metadata: { a: 1 } })).toMatchObject({
    tags: ["x"],
    metadata: { a: 1 },
  });
  const runId = (await secret.sessions.retrieve("chat")).currentRunId ?? "";
  const swap = await secret.sessions.endAndContinue("chat", { callingRunId: runId, reason: "upgrade" });
  expect(swap.swapped).toBe(true);

  const closed = await secret.sessions.close("chat", "done");
  expect(closed.closedReason).toBe("done");
  const refused = await thrown(secret.channels.append(input, "{}", "part-3"));
  expect(refused).toMatchObject({ code: "session_closed", retryable: false });
});

test("a personal token does all of it through exchanged tokens", async () => {
  const { id } = await personal.runs.trigger("send-welcome-email", {
    payload: { userId: "u", email: "a@b.c" },
  });
  await server.settled(id);
  expect((await personal.runs.retrieve(id)).id).toBe(id);
  expect((await personal.runs.list({ period: "1h" })).items.map((run) => run.id)).toContain(id);
  expect(await personal.runs.addTags(id, ["by-pat"])).toEqual({ added: 1 });
  expect((await personal.runs.replay(id)).id).toMatch(/^run_/);
  const started = await personal.sessions.create({
    type: "chat.agent",
    task: "support-agent",
    externalId: "pat",
    triggerConfig: { basePayload: { chatId: "pat", trigger: "preload" } },
  });
  expect(started.created).toBe(true);
  const { seq } = await personal.channels.append({ session: "pat", io: "in" }, message("u1", "hello"), "p");
  expect((await turn(personal, "pat", seq ?? 0)).at(-1)).toMatchObject({ control: "turn-complete" });
  await personal.sessions.close("pat");
});

test("a public token may do what its scopes say and nothing else", async () => {
  const { id } = await secret.runs.trigger("send-welcome-email", {
    payload: { userId: "u", email: "a@b.c" },
  });
  await server.settled(id);
  const api = client(await secret.tokens.mint([`read:runs:${id}`]));
  expect((await api.runs.retrieve(id)).id).toBe(id);
  expect((await thrown(api.runs.cancel(id))).code).toBe("forbidden");
  expect((await thrown(api.runs.addTags(id, ["x"]))).code).toBe("unauthorized");
});

test("what is not there is not found", async () => {
  expect((await thrown(secret.sessions.retrieve("session_nowhere"))).code).toBe("not_found");
  expect((await thrown(secret.runs.addTags("run_nowhere", ["a"]))).code).toBe("not_found");
  expect(await secret.runs.result("run_nowhere")).toBeUndefined();
});
