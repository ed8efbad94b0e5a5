/** The doubtful cases of a session's diagnosis, from facts made by hand; the clear ones are in the zoo. */
import { describe, expect, it } from "vitest";
import type { PlacedTurn } from "../../src/domain/turn.ts";
import { diagnoseSession } from "../../src/insight/diagnose-session.ts";
import type { SessionCase, SessionInput } from "../../src/insight/session-diagnosis.ts";
import { aRun, CREATED } from "../support/api.ts";

const MINUTE = 60_000;
const NOW = CREATED + 60 * MINUTE;

const turn = (rest: Partial<PlacedTurn> = {}): PlacedTurn => ({
  state: "done",
  text: "It shipped.",
  tools: [],
  reasoning: 0,
  other: {},
  errors: [],
  first: 0,
  last: 9,
  toolAt: new Map(),
  ...rest,
});

const input = (seq: number, rest: Partial<SessionInput> = {}): SessionInput => ({
  seq,
  time: NOW - 10 * MINUTE,
  kind: "message",
  text: "hello",
  ...rest,
});

const facts = (rest: Partial<SessionCase> = {}): SessionCase => ({
  now: NOW,
  session: {
    id: "session_1",
    type: "chat.agent",
    task: "support-agent",
    currentRunId: "run_1",
    tags: [],
    createdAt: CREATED,
    updatedAt: CREATED,
  },
  run: aRun({ id: "run_1", status: "EXECUTING", startedAt: CREATED }),
  events: [],
  turns: [],
  inputs: [],
  unanswered: [],
  owesAnswer: false,
  said: [],
  unread: [],
  ...rest,
});

const verdict = (rest: Partial<SessionCase>) => diagnoseSession(facts(rest)).verdict;

describe("a stop", () => {
  const stop = input(1, { kind: "stop" });
  const open = turn({ state: "running", first: 10, last: 12 });

  it("has a little time to be obeyed", () => {
    const fresh = { ...stop, time: NOW - 1_000 };
    const newest = { seq: 12, time: NOW - 1_000 };
    expect(
      verdict({ turns: [open], inputs: [input(0), fresh], unanswered: [input(0)], owesAnswer: true, newest }),
    ).toEqual({ class: "running", confidence: "high" });
  });

  it("that came before the message in question has nothing to do with it", () => {
    const asked = input(2);
    const before = turn({ inputSeq: 0 });
    expect(
      verdict({
        turns: [before, open],
        inputs: [input(0), stop, asked],
        unanswered: [asked],
        owesAnswer: true,
      }),
    ).toMatchObject({ class: "running" });
  });

  it("of an earlier turn is over by its time, where agents do not tell what they consumed", () => {
    const told = { turns: [turn(), open], inputs: [input(0), stop], owesAnswer: true };
    expect(verdict({ ...told, since: NOW - 5 * MINUTE })).toMatchObject({ class: "running" });
    expect(verdict({ ...told, since: NOW - 15 * MINUTE })).toMatchObject({ class: "stuck_after_stop" });
  });

  it("behind which nothing is taken up has wedged the agent", () => {
    const asked = input(2);
    const stopped = turn({ state: "stopped", inputSeq: 1 });
    const { verdict: said, culprit } = diagnoseSession(
      facts({ turns: [stopped], inputs: [input(0), stop, asked], unanswered: [asked], owesAnswer: true }),
    );
    expect(said).toEqual({ class: "stuck_after_stop", confidence: "medium" });
    expect(culprit).toMatchObject({ io: "in", seq: 1 });
  });
});

describe("a run", () => {
  it("that died between turns is told of, though nothing is owed", () => {
    const run = aRun({ id: "run_1", status: "CRASHED", finishedAt: NOW });
    expect(verdict({ run, turns: [turn()] })).toEqual({ class: "run_dead", confidence: "medium" });
  });

  it("whose state cannot be read leaves a doubt", () => {
    const { run: _, ...hidden } = facts();
    const asked = input(0);
    const judge = (rest: Partial<SessionCase>) => diagnoseSession({ ...hidden, ...rest }).verdict;
    expect(judge({ turns: [turn()] })).toEqual({ class: "ok", confidence: "medium" });
    expect(judge({ inputs: [asked], unanswered: [asked], owesAnswer: true })).toEqual({
      class: "unanswered",
      confidence: "low",
    });
  });

  it("that is none at all leaves its input unanswered for certain", () => {
    const { run: _, session, ...rest } = facts({ unanswered: [input(0)], owesAnswer: true });
    const { currentRunId: __, ...without } = session;
    const { verdict: said, evidence } = diagnoseSession({ ...rest, session: without });
    expect(said).toEqual({ class: "unanswered", confidence: "high" });
    expect(evidence).toContainEqual({ kind: "no_run" });
  });
});

describe("a turn", () => {
  const used = (callId: string, state: string, output?: unknown) => ({
    name: "lookup",
    callId,
    state,
    input: { id: 1 },
    ...(output !== undefined && { output }),
  });

  it("that tried a failed tool again with success is fine", () => {
    const tools = [used("a", "output-error"), used("b", "output-available", "ok")];
    expect(verdict({ turns: [turn({ tools })] })).toMatchObject({ class: "waiting_for_user" });
  });

  it("that polls and hears something new each time is no loop", () => {
    const tools = ["a", "b", "c", "d"].map((id, at) => used(id, "output-available", at));
    expect(verdict({ turns: [turn({ tools })] })).toMatchObject({ class: "waiting_for_user" });
  });

  it("that hears the same five times is one without a doubt", () => {
    const tools = ["a", "b", "c", "d", "e"].map((id) => used(id, "output-available", "pending"));
    expect(verdict({ turns: [turn({ tools })] })).toEqual({ class: "loop", confidence: "high" });
  });

  it("is told with the log lines of its own time only", () => {
    const event = (startTime: number) => ({
      id: String(startTime),
      runId: "run_1",
      message: "input rejected",
      startTime,
      duration: 0,
      isError: false,
      isPartial: false,
      isCancelled: false,
      level: "WARN",
      events: [],
    });
    const [old, own] = [event(NOW - 9 * MINUTE), event(NOW - MINUTE)];
    const { evidence } = diagnoseSession(
      facts({ turns: [turn(), turn({ state: "empty" })], events: [old, own], since: NOW - 2 * MINUTE }),
    );
    expect(evidence.filter(({ kind }) => kind === "event")).toEqual([{ kind: "event", event: own }]);
  });
});

describe("lost history", () => {
  const lost = { from: 0, to: 99 };

  it("is told beside what is worse", () => {
    const { verdict: said, evidence } = diagnoseSession(
      facts({ lost, turns: [turn({ state: "failed", errors: ["boom"], errorAt: 5 })] }),
    );
    expect(said.class).toBe("agent_error");
    expect(evidence).toContainEqual({ kind: "lost", lost });
  });
});

it("says that same answers to the same question are no loop", () => {
  const said = [1, 2, 3].flatMap(() => [
    { role: "user", text: "status?" },
    { role: "assistant", text: "It shipped." },
  ]);
  expect(verdict({ turns: [turn()], said })).toMatchObject({ class: "waiting_for_user" });
});
