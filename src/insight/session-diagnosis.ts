/** What a session's diagnosis is made from and what it says. Everything in it is raw: views clean and word it. */
import type { Call } from "../domain/calls.ts";
import type { ToolUse } from "../domain/message.ts";
import type { ChannelIo } from "../domain/record.ts";
import type { Run } from "../domain/run.ts";
import type { Session } from "../domain/session.ts";
import type { RunEvent } from "../domain/trace.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import type { Confidence } from "./diagnosis.ts";

export const SESSION_CLASSES = [
  /** Nothing is owed, nothing went wrong, and no run waits: the next input starts one. */
  "ok",
  /** The same with a run that waits for the next input, or after a turn the user stopped. */
  "waiting_for_user",
  "running",
  "unanswered",
  "run_dead",
  "run_waiting",
  "empty_turn",
  "tool_error",
  "agent_error",
  "awaiting_approval",
  "loop",
  "stuck_after_stop",
  "closed",
  "expired",
  "history_lost",
] as const;

export type SessionClass = (typeof SESSION_CLASSES)[number];

/** One record of `.in`. */
export interface SessionInput {
  seq?: number;
  /** Unix milliseconds; known only of the newest and of those that wait. */
  time?: number;
  kind: string;
  text: string;
}

/** Records of `.out`, inclusive, that are gone and that nothing stored holds. */
export interface LostHistory {
  from: number;
  to: number;
}

/** What was looked for and could not be read; `why` is an error code. */
export interface SessionUnread {
  what: "run" | "events" | "history" | "times";
  why: string;
}

export interface SessionCase {
  /** Unix milliseconds. */
  now: number;
  session: Session;
  /** The current run; absent when there is none or it could not be read. */
  run?: Run;
  /** What the run logged at WARN and above, its failed spans, and what is still open; oldest first. */
  events: readonly RunEvent[];
  /** Those that survive on `.out`, oldest first. */
  turns: readonly PlacedTurn[];
  /** The newest record of `.out` and when it was written, Unix milliseconds. */
  newest?: { seq: number; time?: number };
  /** When the turn before the one in question ended, Unix milliseconds. */
  since?: number;
  /** Everything on `.in`, oldest first. */
  inputs: readonly SessionInput[];
  /** Those that ask for a turn and that no completed turn has consumed. */
  unanswered: readonly SessionInput[];
  /** A turn is under way, or an input, the first message included, has had no answer. */
  owesAnswer: boolean;
  /** What the user and the agent said last, oldest first. */
  said: readonly { role: string; text: string }[];
  lost?: LostHistory;
  unread: readonly SessionUnread[];
}

/** What speaks for the verdict; each names the record or the id it is read from. */
export type SessionEvidence =
  | { kind: "input"; input: SessionInput }
  | { kind: "consumed"; input: SessionInput }
  /** The first message came with the session itself: no record of `.in` holds it. */
  | { kind: "first_message" }
  | { kind: "stop"; input: SessionInput }
  | { kind: "turn"; turn: PlacedTurn }
  | { kind: "error"; turn: PlacedTurn; text: string }
  | { kind: "tool"; turn: PlacedTurn; tool: ToolUse }
  | { kind: "repeated_tool"; turn: PlacedTurn; tool: ToolUse; times: number }
  | { kind: "repeated_answer"; turn: PlacedTurn; text: string; times: number }
  | { kind: "newest"; seq: number; quietMs?: number }
  | { kind: "run"; run: Run }
  | { kind: "no_run" }
  | { kind: "event"; event: RunEvent }
  | { kind: "lost"; lost: LostHistory };

/** Where it lies: a record of a channel, a run, a tool call. */
export interface SessionCulprit {
  io?: ChannelIo;
  seq?: number;
  runId?: string;
  toolCallId?: string;
}

export interface SessionFinding {
  class: SessionClass;
  confidence: Confidence;
  culprit: SessionCulprit;
  evidence: SessionEvidence[];
}

export interface SessionDiagnosis {
  session: Session;
  verdict: { class: SessionClass; confidence: Confidence };
  culprit: SessionCulprit;
  evidence: readonly SessionEvidence[];
  unread: readonly SessionUnread[];
  /** At most three, each as it stands. */
  next: readonly Call[];
}
