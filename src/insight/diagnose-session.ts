/**
 * What is the matter with a conversation: pure, the same words for the same records. A session that has ended explains
 * itself; then it matters whether the agent owes anything; then how the last turn went.
 */

import type { ToolUse } from "../domain/message.ts";
import { isBadEnd, isTerminal, sessionStatus } from "../domain/status.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import {
  diagnoseOwed,
  hasNotBegun,
  ofRun,
  runDead,
  runEvidence,
  runWaiting,
  serious,
} from "./diagnose-session-owed.ts";
import type { Confidence } from "./diagnosis.ts";
import type {
  SessionCase,
  SessionClass,
  SessionCulprit,
  SessionDiagnosis,
  SessionEvidence,
  SessionFinding,
} from "./session-diagnosis.ts";
import { findLoop } from "./session-loops.ts";
import { sessionCalls } from "./session-suggestions.ts";

export function diagnoseSession(facts: SessionCase): SessionDiagnosis {
  const finding = verdictOn(facts);
  const { lost } = facts;
  const told = finding.class === "history_lost" || !lost;
  return {
    session: facts.session,
    verdict: { class: finding.class, confidence: finding.confidence },
    culprit: finding.culprit,
    evidence: told ? finding.evidence : [...finding.evidence, { kind: "lost", lost }],
    unread: facts.unread,
    next: sessionCalls(facts, finding),
  };
}

function verdictOn(facts: SessionCase): SessionFinding {
  const status = sessionStatus(facts.session, facts.now);
  if (status !== "ACTIVE") return ended(facts, status === "CLOSED" ? "closed" : "expired");
  if (facts.owesAnswer) return diagnoseOwed(facts);
  const last = facts.turns.at(-1);
  return last ? afterTurn(facts, last) : beforeTurns(facts);
}

function ended(facts: SessionCase, verdict: SessionClass): SessionFinding {
  const turn = facts.turns.at(-1);
  return {
    class: verdict,
    confidence: "high",
    culprit: {
      ...(verdict === "closed" && facts.newest && { io: "out" as const, seq: facts.newest.seq }),
      ...ofRun(facts),
    },
    evidence: [
      ...facts.unanswered.slice(0, 2).map((input): SessionEvidence => ({ kind: "input", input })),
      ...(turn ? [{ kind: "turn", turn } as const] : []),
      ...runEvidence(facts),
    ],
  };
}

/** Nobody has asked for anything, or nothing on the channels is chat: then only the run can be judged. */
function beforeTurns(facts: SessionCase): SessionFinding {
  if (hasNotBegun(facts)) return runWaiting(facts);
  if (facts.run && isBadEnd(facts.run.status)) return runDead(facts, "medium");
  if (facts.lost) return historyLost(facts);
  const isSilent = facts.inputs.length === 0 && !facts.newest;
  return atRest(facts, isSilent ? "high" : "low");
}

function afterTurn(facts: SessionCase, turn: PlacedTurn): SessionFinding {
  switch (turn.state) {
    case "failed":
      return agentError(facts, turn);
    case "empty":
      return emptyTurn(facts, turn);
    case "awaiting_approval": {
      const tool = turn.tools.find(({ state }) => state === "approval-requested");
      if (tool) return atTool("awaiting_approval", facts, turn, tool);
    }
  }
  const loop = findLoop(facts, turn);
  if (loop) return loop;
  const failed = failedTool(turn);
  if (failed) return atTool("tool_error", facts, turn, failed);
  if (facts.run && isBadEnd(facts.run.status)) return runDead(facts, "medium");
  return facts.lost ? historyLost(facts) : atRest(facts, "high");
}

function agentError(facts: SessionCase, turn: PlacedTurn): SessionFinding {
  const seq = turn.errorAt ?? turn.last;
  return {
    class: "agent_error",
    confidence: "high",
    culprit: { io: "out", ...(seq !== undefined && { seq }), ...ofTurn(facts, turn) },
    evidence: [
      { kind: "error", turn, text: turn.errors.join("; ") },
      { kind: "turn", turn },
      ...serious(facts),
      ...runEvidence(facts),
    ],
  };
}

/** Mostly input that the agent refused: what it logged then says why. */
function emptyTurn(facts: SessionCase, turn: PlacedTurn): SessionFinding {
  const input = facts.inputs.findLast(({ seq }) => seq !== undefined && seq <= (turn.inputSeq ?? seq));
  return {
    class: "empty_turn",
    confidence: "high",
    culprit: { io: "out", ...(turn.last !== undefined && { seq: turn.last }), ...ofTurn(facts, turn) },
    evidence: [
      { kind: "turn", turn },
      ...(input ? [{ kind: "consumed", input } as const] : []),
      ...serious(facts),
      ...runEvidence(facts),
    ],
  };
}

function atTool(
  verdict: "tool_error" | "awaiting_approval",
  facts: SessionCase,
  turn: PlacedTurn,
  tool: ToolUse,
): SessionFinding {
  const seq = turn.toolAt.get(tool.callId);
  return {
    class: verdict,
    confidence: "high",
    culprit: {
      io: "out",
      ...(seq !== undefined && { seq }),
      ...ofTurn(facts, turn),
      toolCallId: tool.callId,
    },
    evidence: [
      { kind: "tool", turn, tool },
      { kind: "turn", turn },
      ...(verdict === "tool_error" ? serious(facts) : []),
      ...runEvidence(facts),
    ],
  };
}

/** One that was not called again with success. */
const failedTool = ({ tools }: PlacedTurn): ToolUse | undefined =>
  tools.findLast(
    ({ name, state }, at) =>
      state === "output-error" &&
      !tools.slice(at + 1).some((later) => later.name === name && later.state === "output-available"),
  );

function historyLost(facts: SessionCase): SessionFinding {
  const { lost, turns } = facts;
  const turn = turns.at(-1);
  const unsure = facts.unread.some(({ what }) => what === "history");
  return {
    class: "history_lost",
    confidence: unsure ? "low" : "medium",
    culprit: { io: "out", ...(lost && { seq: lost.to }), ...ofRun(facts) },
    evidence: [
      ...(lost ? [{ kind: "lost", lost } as const] : []),
      ...(turn ? [{ kind: "turn", turn } as const] : []),
      ...runEvidence(facts),
    ],
  };
}

function atRest(facts: SessionCase, confidence: Confidence): SessionFinding {
  const { run, turns } = facts;
  const turn = turns.at(-1);
  const isHidden = !run && facts.session.currentRunId !== undefined;
  const waits = (run && !isTerminal(run.status)) || turn?.state === "stopped";
  return {
    class: waits ? "waiting_for_user" : "ok",
    confidence: isHidden && confidence === "high" ? "medium" : confidence,
    culprit: {
      ...(turn?.last !== undefined && { io: "out" as const, seq: turn.last }),
      ...ofRun(facts),
    },
    evidence: [
      ...(turn ? [{ kind: "turn", turn } as const] : []),
      ...(!turn && facts.newest ? [{ kind: "newest", seq: facts.newest.seq } as const] : []),
      ...runEvidence(facts),
    ],
  };
}

const ofTurn = (facts: SessionCase, { runId }: PlacedTurn): SessionCulprit =>
  runId === undefined ? ofRun(facts) : { runId };
