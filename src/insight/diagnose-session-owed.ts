/** Verdicts on conversations in which the agent owes something: a turn under way, or input without an answer. */
import { isTerminal } from "../domain/status.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import type {
  SessionCase,
  SessionCulprit,
  SessionEvidence,
  SessionFinding,
  SessionInput,
} from "./session-diagnosis.ts";
import { findLoop } from "./session-loops.ts";

/** Milliseconds an input may wait for its turn before that means anything. */
const PATIENCE_MS = 30_000;
/** Milliseconds a stop may take to be obeyed. */
const STOP_MS = 15_000;
/** Silence in the middle of a turn that is long for any agent: milliseconds. */
const LONG_SILENCE_MS = 5 * 60_000;

const NOT_BEGUN: ReadonlySet<string> = new Set(["PENDING_VERSION", "DELAYED", "QUEUED", "DEQUEUED"]);

export const hasNotBegun = ({ run }: SessionCase): boolean => run !== undefined && NOT_BEGUN.has(run.status);

export function diagnoseOwed(facts: SessionCase): SessionFinding {
  const { run } = facts;
  if (!run) return withoutRun(facts);
  if (isTerminal(run.status)) {
    return run.status === "COMPLETED" && !openTurn(facts)
      ? unanswered(facts, "high")
      : runDead(facts, "high");
  }
  if (hasNotBegun(facts)) return runWaiting(facts);
  return stuckAfterStop(facts) ?? inTurn(facts) ?? notTakenUp(facts);
}

export function runDead(facts: SessionCase, confidence: SessionFinding["confidence"]): SessionFinding {
  return {
    class: "run_dead",
    confidence,
    culprit: { ...atOpenTurn(facts), ...ofRun(facts) },
    evidence: [...runEvidence(facts), ...waitingInputs(facts), ...turnEvidence(facts), ...serious(facts)],
  };
}

export function runWaiting(facts: SessionCase): SessionFinding {
  const isCertain = facts.run?.status === "PENDING_VERSION" || facts.run?.status === "DELAYED";
  return {
    class: "run_waiting",
    confidence: isCertain || (waitedMs(facts) ?? 0) > PATIENCE_MS ? "high" : "medium",
    culprit: ofRun(facts),
    evidence: [...runEvidence(facts), ...waitingInputs(facts)],
  };
}

/** Milliseconds by which the clocks of a run and of the channels may differ. */
const DRIFT_MS = 1_000;
const MOST_EVENTS = 2;

/** The newest things the run logged as serious, and its failed spans, since the turn before. */
export const serious = ({ events, since = 0 }: SessionCase): SessionEvidence[] =>
  events
    .filter(({ isPartial, startTime }) => !isPartial && startTime >= since - DRIFT_MS)
    .slice(-MOST_EVENTS)
    .map((event) => ({ kind: "event", event }));

export const openTurn = ({ turns }: SessionCase): PlacedTurn | undefined =>
  turns.at(-1)?.state === "running" ? turns.at(-1) : undefined;

export const runEvidence = ({ run }: SessionCase): SessionEvidence[] => (run ? [{ kind: "run", run }] : []);

export const ofRun = ({ run, session }: SessionCase): SessionCulprit => {
  const runId = run?.id ?? session.currentRunId;
  return runId === undefined ? {} : { runId };
};

/** No run, or one whose state cannot be read: then only time tells. */
function withoutRun(facts: SessionCase): SessionFinding {
  if (facts.session.currentRunId === undefined) {
    const found = unanswered(facts, "high");
    return { ...found, evidence: [...found.evidence, { kind: "no_run" }] };
  }
  const open = openTurn(facts);
  if (open) return { ...running(facts, open), confidence: "low" };
  return isFresh(facts) ? takingUp(facts, "low") : unanswered(facts, "low");
}

/** A stop that came into this turn and did not end it, or behind which nothing is taken up any more. */
function stuckAfterStop(facts: SessionCase): SessionFinding | undefined {
  const open = openTurn(facts);
  const [oldest] = facts.unanswered;
  const stop = facts.inputs.findLast(({ kind }) => kind === "stop");
  const ended = facts.turns.findLast(({ state }) => state !== "running");
  if (!stop) return undefined;
  if (isOver(stop, ended, facts.since)) {
    return !open && ended?.state === "stopped" && !isFresh(facts) ? wedged(facts, stop, "medium") : undefined;
  }
  if (open) {
    const isMeant = !oldest || (stop.seq ?? 0) > (oldest.seq ?? 0);
    const isLate = stop.time === undefined || facts.now - stop.time > STOP_MS;
    return isMeant && isLate ? wedged(facts, stop, stop.time === undefined ? "medium" : "high") : undefined;
  }
  const isBehind = oldest !== undefined && (oldest.seq ?? 0) > (stop.seq ?? 0);
  return isBehind && !isFresh(facts) ? wedged(facts, stop, "medium") : undefined;
}

/** Whether the turn it was meant for has ended. Where agents do not tell what they consumed, time has to. */
function isOver(stop: SessionInput, ended: PlacedTurn | undefined, since: number | undefined): boolean {
  if (!ended) return false;
  if (ended.inputSeq !== undefined) return ended.inputSeq >= (stop.seq ?? 0);
  return stop.time === undefined || since === undefined || stop.time <= since;
}

const wedged = (
  facts: SessionCase,
  stop: SessionInput,
  confidence: SessionFinding["confidence"],
): SessionFinding => ({
  class: "stuck_after_stop",
  confidence,
  culprit: { ...ofInput(stop), ...ofRun(facts) },
  evidence: [
    { kind: "stop", input: stop },
    ...turnEvidence(facts),
    ...newest(facts),
    ...waitingInputs(facts),
    ...runEvidence(facts),
  ],
});

function inTurn(facts: SessionCase): SessionFinding | undefined {
  const turn = openTurn(facts);
  if (!turn) return undefined;
  const asks = turn.tools.find(({ state }) => state === "approval-requested");
  if (asks && (quietMs(facts) ?? 0) > PATIENCE_MS) {
    const seq = turn.toolAt.get(asks.callId);
    return {
      class: "awaiting_approval",
      confidence: "medium",
      culprit: {
        io: "out",
        ...(seq !== undefined && { seq }),
        ...ofRun(facts),
        toolCallId: asks.callId,
      },
      evidence: [{ kind: "tool", turn, tool: asks }, ...turnEvidence(facts), ...runEvidence(facts)],
    };
  }
  return findLoop(facts, turn) ?? running(facts, turn);
}

function running(facts: SessionCase, turn: PlacedTurn): SessionFinding {
  const quiet = quietMs(facts);
  const busy = turn.tools.findLast(({ state }) => state === "input-available");
  const doing = facts.events.filter(({ isPartial }) => isPartial).at(-1);
  const isSilent = quiet !== undefined && quiet > LONG_SILENCE_MS;
  return {
    class: "running",
    confidence: isSilent ? "low" : quiet === undefined ? "medium" : "high",
    culprit: { ...atOpenTurn(facts), ...ofRun(facts), ...(busy && { toolCallId: busy.callId }) },
    evidence: [
      ...turnEvidence(facts),
      ...newest(facts),
      ...(busy ? [{ kind: "tool", turn, tool: busy } as const] : []),
      ...(doing ? [{ kind: "event", event: doing } as const] : []),
      ...runEvidence(facts),
    ],
  };
}

const notTakenUp = (facts: SessionCase): SessionFinding =>
  isFresh(facts)
    ? takingUp(facts, "medium")
    : unanswered(facts, waitedMs(facts) === undefined ? "medium" : "high");

const takingUp = (facts: SessionCase, confidence: SessionFinding["confidence"]): SessionFinding => ({
  class: "running",
  confidence,
  culprit: { ...ofInput(facts.unanswered[0]), ...ofRun(facts) },
  evidence: [...waitingInputs(facts), ...runEvidence(facts)],
});

function unanswered(facts: SessionCase, confidence: SessionFinding["confidence"]): SessionFinding {
  return {
    class: "unanswered",
    confidence,
    culprit: { ...ofInput(facts.unanswered[0]), ...ofRun(facts) },
    evidence: [...waitingInputs(facts), ...newest(facts), ...runEvidence(facts), ...serious(facts)],
  };
}

const MOST_INPUTS = 3;

function waitingInputs(facts: SessionCase): SessionEvidence[] {
  const inputs = facts.unanswered
    .slice(0, MOST_INPUTS)
    .map((input): SessionEvidence => ({ kind: "input", input }));
  const none = inputs.length === 0 && facts.owesAnswer && !openTurn(facts);
  return none ? [{ kind: "first_message" }] : inputs;
}

/** The turn under way, or the last one that ended. */
const turnEvidence = ({ turns }: SessionCase): SessionEvidence[] => {
  const turn = turns.at(-1);
  return turn ? [{ kind: "turn", turn }] : [];
};

function newest(facts: SessionCase): SessionEvidence[] {
  if (!facts.newest) return [];
  const quiet = quietMs(facts);
  return [{ kind: "newest", seq: facts.newest.seq, ...(quiet !== undefined && { quietMs: quiet }) }];
}

function quietMs({ newest: record, now }: SessionCase): number | undefined {
  return record?.time === undefined ? undefined : Math.max(0, now - record.time);
}

/** How long the oldest input has waited; of a first message, since the session was made. */
function waitedMs({ unanswered: inputs, session, turns, now }: SessionCase): number | undefined {
  const since = inputs[0] ? inputs[0].time : turns.length === 0 ? session.createdAt : undefined;
  return since === undefined ? undefined : Math.max(0, now - since);
}

const isFresh = (facts: SessionCase): boolean => (waitedMs(facts) ?? PATIENCE_MS) < PATIENCE_MS;

const atOpenTurn = (facts: SessionCase): SessionCulprit => {
  const last = openTurn(facts)?.last;
  return last === undefined ? ofInput(facts.unanswered[0]) : { io: "out", seq: last };
};

const ofInput = (input: SessionInput | undefined): SessionCulprit =>
  input?.seq === undefined ? {} : { io: "in", seq: input.seq };
