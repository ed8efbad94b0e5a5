/**
 * Turns that do not go as turns do, each through the tools a caller has and ending in the state that is true. Ends that need
 * no channel of their own are in turn.test.ts.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answer, tokenFor } from "../support/channel.ts";
import { type Calling, openPuppets, type Puppets } from "../support/puppet-agent.ts";

let puppets: Puppets;
let between: Parameters<typeof openPuppets>[0];

beforeEach(async () => {
  between = undefined;
  puppets = await openPuppets(async (request) => between?.(request));
});
afterEach(async () => {
  vi.useRealTimers();
  await puppets.close();
});

const isStream = (headers: Record<string, string>): boolean => headers.accept === "text/event-stream";

const said = (id: string, text: string) => ({
  id,
  role: id.startsWith("a") ? "assistant" : "user",
  parts: [{ type: "text", text }],
});

it("a turn that is complete before anybody follows is found whole", async () => {
  const session = await puppets.session("early");
  let complete = () => {};
  const completed = new Promise<void>((resolve) => {
    complete = resolve;
  });
  between = async ({ headers }) => (isStream(headers) ? completed : undefined);
  const sending = session.call("send_session_message", { message: "hi" });
  await session.hears(0);
  session.writes(...answer("All at once."));
  const end = session.completes(0);
  complete();
  const { text, structured } = await sending.answer;
  expect(structured).toMatchObject({ state: "done", turn: 1, seq: 0, cursor: String(end) });
  expect(text).toContain("All at once.");
  const later = await session.call("follow_session", { until_seq: 0 }).answer;
  expect(later.structured).toMatchObject({ state: "done", turn: 1, message_id: structured.message_id });
  expect(later.text).toContain("All at once.");
});

it("a run that takes over in the middle of a turn ends it there, as one turn", async () => {
  const session = await puppets.session("upgrade");
  const sending = session.call("send_session_message", { message: "hi" });
  await session.hears(0);
  const [start = {}, ...rest] = answer("From two runs.");
  session.writes(start);
  session.controls("upgrade-required");
  await sending.shows(/moving to a newer version/);
  const next = await session.handsOver();
  session.writes(...rest);
  session.completes(0);
  const { text, structured } = await sending.answer;
  expect(structured).toMatchObject({ state: "done", turn: 1, run_id: next, message_id: "a1" });
  expect(text).toContain("From two runs.");
});

it("a session that is closed in the middle of a turn ends it as closed, with what it had said", async () => {
  const session = await puppets.session("closing");
  const sending = session.call("send_session_message", { message: "hi" });
  await session.hears(0);
  session.writes(...answer("Half of it").slice(0, 5));
  await sending.shows(/Half/);
  await session.closes("we are done");
  const { text, structured } = await sending.answer;
  expect(structured).toMatchObject({ state: "closed", turn: 1, next: [] });
  expect(text).toContain("session closed (we are done)");
  expect(text).toContain("Half of");
});

it("a session followed until it closes tells how its last turn ended, and an earlier one what went wrong", async () => {
  const session = await puppets.session("watched");
  session.writes({ type: "error", errorText: "no such order" });
  session.completes();
  session.writes(
    { type: "tool-input-available", toolCallId: "c", toolName: "refund", input: {} },
    { type: "tool-approval-request", toolCallId: "c", approvalId: "yes?" },
  );
  session.completes();
  const watching = { after: "start", until: "closed" };
  const open = await session.call("follow_session", { ...watching, timeout_seconds: 1 }).answer;
  expect(open.text).toMatch(/^still open after \S+, its last turn awaiting approval · turn 2 of watched/);
  expect(open.text).toContain("turn 1 · failed: no such order");
  expect(open.structured).toMatchObject({
    state: "running",
    last_turn: "awaiting_approval",
    next: [{ tool: "follow_session" }, { tool: "send_session_message", args: { kind: "approval" } }],
  });

  session.writes({ type: "error", errorText: "out of money" });
  session.completes();
  await session.closes("done");
  const closed = await session.call("follow_session", watching).answer;
  expect(closed.text).toMatch(/^session closed \(done\), its last turn failed: out of money · turn 3/);
  expect(closed.structured).toMatchObject({ state: "closed", last_turn: "failed", turns: 3 });
});

describe("the rest of a turn", () => {
  const approval = [
    { type: "tool-input-available", toolCallId: "c", toolName: "refund", input: {} },
    { type: "tool-approval-request", toolCallId: "c", approvalId: "yes?" },
  ];
  it.each([
    ["that has said everything", answer("All of it."), "done"],
    ["that went wrong", [{ type: "error", errorText: "no such order" }], "failed"],
    ["that was broken off", [...answer("Some of it.").slice(0, 4), { type: "abort" }], "stopped"],
    ["that waits for approval", approval, "awaiting_approval"],
    ["that says nothing at all", [{ type: "start" }], "empty"],
  ])("%s ends as the whole of it does", async (_, chunks, state) => {
    const session = await puppets.session(`rest-${state}`);
    session.writes(...answer("The turn before."));
    session.completes();
    const last = session.writes(...chunks);
    const following = session.call("follow_session", { after: String(last) });
    await following.shows(/following/);
    session.completes();
    const { text, structured } = await following.answer;
    expect(structured).toMatchObject({ state, turn: 2, characters: 0 });
    if (state === "failed") expect(text).toContain("no such order");
    if (state === "awaiting_approval") expect(text).toContain('"kind":"approval"');
  });
});

describe("a turn that is trimmed in its middle", () => {
  /** A turn read up to some words of its own, then finished, and trimmed away by the turns of others. */
  async function trimmed(name: string, { others, stored = true }: { others: number; stored?: boolean }) {
    const session = await puppets.session(name);
    const chunks = answer("one two three", "a1");
    const seq = session.isAsked("u1", "count");
    session.writes(...chunks.slice(0, 4));
    const begun = await session.call("follow_session", { after: "start", until: "count", count: 4 }).answer;
    expect(begun.structured).toMatchObject({ state: "running", turn: 1 });
    session.writes(...chunks.slice(4));
    let end = session.completes(seq);
    const messages = [said("u1", "count"), said("a1", "one two three")];
    for (let other = 2; other < 2 + others; other += 1) {
      const asked = session.isAsked(`u${other}`, `other ${other}`);
      session.writes(...answer(`To other ${other}.`, `a${other}`));
      const next = session.completes(asked);
      session.trims(end);
      end = next;
      messages.push(said(`u${other}`, `other ${other}`), said(`a${other}`, `To other ${other}.`));
      if (stored) session.stores(messages, end, asked);
    }
    const { cursor } = begun.structured;
    const rest = session.call("follow_session", { after: cursor, until_seq: seq });
    return { cursor: Number(cursor), rest: await rest.answer };
  }

  it.each([
    1, 2,
  ])("is told with its gap and its own answer, though %i others have been answered since", async (others) => {
    const { rest, cursor } = await trimmed(`trimmed-${others}`, { others });
    expect(rest.structured).toMatchObject({
      state: "done",
      seq: 0,
      turn: 1,
      message_id: "a1",
      gaps: [{ from: cursor + 1 }],
    });
    expect(rest.text).toContain("had been trimmed; the answer is from the stored conversation");
    expect(rest.text).toContain("one two three");
    expect(rest.text).not.toContain("To other");
  });

  it.each([
    1, 2,
  ])("is told with its gap alone where nothing is stored (%i others answered since)", async (others) => {
    const { rest, cursor } = await trimmed(`lost-${others}`, { others, stored: false });
    expect(rest.structured).toMatchObject({ state: "done", turn: 1, gaps: [{ from: cursor + 1 }] });
    expect(rest.text).toMatch(/had been trimmed\./);
    expect(rest.text).not.toContain("To other");
  });

  it("awaits approval when the request for it lies in the gap", async () => {
    const session = await puppets.session("trimmed-approval");
    const seq = session.isAsked("u1", "refund it");
    session.writes({ type: "start", messageId: "a1" });
    const tool = { type: "tool-refund", toolCallId: "c1", state: "approval-requested", input: { id: 1 } };
    session.writes({ type: "tool-input-available", toolCallId: "c1", toolName: "refund", input: { id: 1 } });
    session.writes({ type: "tool-approval-request", toolCallId: "c1", approvalId: "ap1" });
    const end = session.completes(seq);
    const asking = { id: "a1", role: "assistant", parts: [{ ...tool, approval: { id: "ap1" } }] };
    session.stores([said("u1", "refund it"), asking], end, seq);
    session.trims(end);
    const { structured, text } = await session.call("follow_session", { after: 0, until_seq: seq }).answer;
    expect(structured).toMatchObject({ state: "awaiting_approval", gaps: [{ from: 1, to: end - 1 }] });
    expect(text).toContain('"kind":"approval","approval":{"approved":true}');
  });
});

it("an agent of the older kind ends its turn in a data record, and its other control records are not speech", async () => {
  const session = await puppets.session("legacy");
  const sending = session.call("send_session_message", { message: "hi" });
  await session.hears(0);
  const [start = {}, ...rest] = answer("In the old way.");
  session.writes({ type: "trigger:session-state", lastEventId: "7" }, start);
  session.writes({ type: "trigger:upgrade-required" }, { type: "trigger:of-tomorrow", text: "no speech" });
  await sending.shows(/moving to a newer version/);
  const token = tokenFor("run_old");
  const end = session.writes(...rest, { type: "trigger:turn-complete", publicAccessToken: token });
  const { text, structured } = await sending.answer;
  expect(structured).toMatchObject({ state: "done", turn: 1, run_id: "run_old", cursor: String(end) });
  expect(text).toContain("In the old way.");
  expect(text).not.toContain("no speech");
  expect(JSON.stringify([text, structured, sending.ticks])).not.toContain(token);
});

describe("a turn that stays silent", () => {
  const MINUTE = 60_000;
  const NEVER = new Promise<never>(() => {});

  /** Whether it has answered by now. */
  const hasAnswered = (calling: Calling): Promise<boolean> =>
    Promise.race([calling.answer.then(() => true), Promise.resolve().then(() => false)]);

  /** Lets time pass until it has answered; milliseconds. */
  async function timeOf(calling: Calling): Promise<number> {
    const began = Date.now();
    while (!(await hasAnswered(calling))) {
      if (Date.now() - began > 60 * MINUTE) throw new Error("no answer within an hour");
      await vi.advanceTimersByTimeAsync(100);
    }
    return Date.now() - began;
  }

  it("for half an hour keeps its caller awake, and is told whole by calls that follow each other's cursors", async () => {
    const session = await puppets.session("silent");
    vi.useFakeTimers();
    const chunks = answer("It took half an hour.");
    const began = Date.now();
    let call = session.call("send_session_message", { message: "think hard", timeout_seconds: 600 });
    await vi.advanceTimersByTimeAsync(1_000);
    session.writes(...chunks.slice(0, 5));
    setTimeout(() => {
      session.writes(...chunks.slice(5));
      session.completes(0);
    }, 30 * MINUTE);

    const calls = [call];
    let waited = await timeOf(call);
    let { text, structured } = await call.answer;
    while (structured.state === "running") {
      expect(waited).toBeGreaterThan(9 * MINUTE);
      expect(waited).toBeLessThanOrEqual(10 * MINUTE + 5_000);
      const [next] = structured.next as { tool: string; args: object }[];
      expect(next).toMatchObject({ tool: "follow_session", args: { until_seq: 0 } });
      call = session.call(next?.tool ?? "", { ...next?.args, timeout_seconds: 600 });
      calls.push(call);
      waited = await timeOf(call);
      ({ text, structured } = await call.answer);
    }
    expect(Date.now() - began).toBeGreaterThan(30 * MINUTE);
    expect(Date.now() - began).toBeLessThan(31 * MINUTE);
    expect(calls).toHaveLength(4);
    expect(structured).toMatchObject({ state: "done", turn: 1, seq: 0 });
    expect(text).toContain("half an hour.");

    // A heartbeat every five seconds, and every record once.
    for (const { ticks } of calls.slice(0, 3)) {
      expect(ticks.length).toBeGreaterThan(100);
      expect(ticks.at(-1)?.message).toMatch(/quiet for \d+s/);
    }
    const records = calls.flatMap((one) => one.records());
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: chunks.length + 1 }, (_, seq) => seq));
    const words = records.map(({ chunk }) => (chunk as { delta?: string }).delta ?? "");
    expect(words.join("")).toBe("It took half an hour.");
  });

  it.each([
    ["send_session_message", { message: "hello?" }],
    ["send_session_message", { message: "hello?", timeout_seconds: 600 }],
    ["follow_session", {}],
    ["follow_session", { until: "closed", timeout_seconds: 600 }],
  ])("lets %s %j of a caller without a progress token answer within 50 s", async (tool, args) => {
    const session = await puppets.session("quiet");
    vi.useFakeTimers();
    const calling = session.call(tool, args, { quiet: true });
    expect(await timeOf(calling)).toBeLessThanOrEqual(50_000);
    expect((await calling.answer).structured).toMatchObject({ state: "running", session: "quiet" });
  });

  it("is over soon after its session has expired without a word on the channel", async () => {
    const session = await puppets.session("expiring", {
      expiresAt: new Date(Date.now() + MINUTE).toISOString(),
    });
    vi.useFakeTimers();
    const calling = session.call("follow_session", { until: "closed", timeout_seconds: 600 });
    expect(await timeOf(calling)).toBeLessThanOrEqual(2 * MINUTE);
    expect((await calling.answer).structured).toMatchObject({ state: "closed" });
  });

  it("lets it answer within 50 s also when the API falls silent with it", async () => {
    const session = await puppets.session("deaf");
    vi.useFakeTimers();
    const calling = session.call("send_session_message", { message: "hello?" }, { quiet: true });
    await vi.advanceTimersByTimeAsync(10_000);
    between = () => NEVER;
    expect(10_000 + (await timeOf(calling))).toBeLessThanOrEqual(50_000);
    expect((await calling.answer).structured).toMatchObject({ state: "running", seq: 0 });
  });
});
