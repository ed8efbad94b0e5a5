/** An agent that goes round in circles: the same call with the same outcome, or the same words to everything. */
import type { ToolUse } from "../domain/message.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import type { SessionCase, SessionEvidence, SessionFinding } from "./session-diagnosis.ts";

/** Fewer are a retry or a coincidence. */
const CIRCLES = 3;
/** So many leave no doubt. */
const CERTAIN = 5;

export function findLoop(facts: SessionCase, turn: PlacedTurn): SessionFinding | undefined {
  return repeatedTool(facts, turn) ?? repeatedAnswer(facts, turn);
}

function repeatedTool(facts: SessionCase, turn: PlacedTurn): SessionFinding | undefined {
  const alike = new Map<string, ToolUse[]>();
  for (const tool of turn.tools) {
    const key = JSON.stringify([tool.name, tool.input, tool.output, tool.error]);
    alike.set(key, [...(alike.get(key) ?? []), tool]);
  }
  const most = [...alike.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  const tool = most.at(-1);
  if (!tool || most.length < CIRCLES) return undefined;
  const seq = turn.toolAt.get(tool.callId);
  return {
    class: "loop",
    confidence: most.length >= CERTAIN ? "high" : "medium",
    culprit: { io: "out", ...(seq !== undefined && { seq }), ...runOf(facts, turn), toolCallId: tool.callId },
    evidence: [{ kind: "repeated_tool", turn, tool, times: most.length }, ...around(facts, turn)],
  };
}

/** To questions that differ: who asks the same thing again may well hear the same again. */
function repeatedAnswer(facts: SessionCase, turn: PlacedTurn): SessionFinding | undefined {
  const { said } = facts;
  const text = turn.text.trim();
  const answers = said.filter(({ role }) => role === "assistant");
  const other = answers.findLastIndex((answer) => answer.text.trim() !== text);
  const times = answers.length - other - 1;
  const questions = said.filter(({ role }) => role === "user").slice(-times);
  const differ = new Set(questions.map((question) => question.text.trim())).size;
  if (text === "" || times < CIRCLES || differ < times) return undefined;
  return {
    class: "loop",
    confidence: times >= CERTAIN ? "high" : "medium",
    culprit: { io: "out", ...(turn.last !== undefined && { seq: turn.last }), ...runOf(facts, turn) },
    evidence: [{ kind: "repeated_answer", turn, text, times }, ...around(facts, turn)],
  };
}

const around = ({ run }: SessionCase, turn: PlacedTurn): SessionEvidence[] => [
  { kind: "turn", turn },
  ...(run ? [{ kind: "run", run } as const] : []),
];

/** Where the turn does not tell its run, the one behind the session now. */
function runOf({ session }: SessionCase, turn: PlacedTurn) {
  const runId = turn.runId ?? session.currentRunId;
  return runId === undefined ? {} : { runId };
}
