/** One session: its status, the run behind it, where both channels stand, and what nobody has answered. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { ToolUse } from "../domain/message.ts";
import type { Run } from "../domain/run.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import { sessionStatus } from "../domain/status.ts";
import type { TurnState } from "../domain/turn.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { type Block, render } from "./document.ts";
import { age, clockSeconds, counted, dateTime, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { viewParts } from "./parts.ts";
import { approve, viewToolCall } from "./tool-use.ts";

/** An input on `.in` that no turn has consumed. */
export interface WaitingInput {
  seq?: number;
  /** Unix milliseconds. */
  time?: number;
  kind: string;
  text: string;
}

export interface SessionFacts {
  session: Session;
  /** The current run, or the code of the error that hid it; absent when there is none. */
  run?: Pick<Run, "id" | "status" | "updatedAt" | "finishedAt"> | { id: string; hidden: string };
  out: { first?: number; last?: number; lastTurn?: { seq?: number; time?: number }; open: boolean };
  in: { last?: number };
  unanswered: WaitingInput[];
  /** Turns completed. */
  turns?: number;
  /** What the last of them came to. */
  last?: { state: TurnState; errors: string[]; approvals: ToolUse[] };
  /** A turn is under way, or an input, the first message included, has had no answer. */
  owesAnswer: boolean;
}

const INPUT_CHARACTERS = 120;
const METADATA_TOKENS = 200;

export function viewSession(facts: SessionFacts, context: ViewContext): Answer {
  const { session, unanswered } = facts;
  const status = sessionStatus(session, context.now);
  const next = nextCalls(facts, status);
  const blocks: Block[] = [
    sessionLine(session, context),
    ending(session, context),
    runLine(facts, status, context),
    outLine(facts, context),
    inLine(facts),
    {
      rows: unanswered.map((input) => ({ text: inputLine(input, context) })),
      omitted: (shown, total) =>
        `shown ${shown} of ${total} unanswered inputs: ${formatCall(call("read_session_channel", { session: sessionKey(session), io: "in" }))}`,
    },
    details(session, context),
    session.metadata && metadataOf(session, session.metadata, context),
    nextLines(next, context),
  ];
  return {
    text: render(blocks, context.budget).text,
    structured: {
      session: sessionKey(session),
      id: session.id,
      ...(session.externalId !== undefined && { external_id: session.externalId }),
      status,
      ...(facts.run && {
        run_id: facts.run.id,
        ...("status" in facts.run && { run_status: facts.run.status }),
      }),
      ...(facts.out.last !== undefined && { out_cursor: String(facts.out.last) }),
      ...(facts.in.last !== undefined && { in_cursor: String(facts.in.last) }),
      turn_open: facts.out.open,
      ...(facts.last && { last_turn: facts.last.state }),
      ...(facts.turns !== undefined && { turns: facts.turns }),
      unanswered: unanswered.map(({ seq, kind }) => ({ ...(seq !== undefined && { seq }), kind })),
      next,
    },
  };
}

/** Whole or not at all: cut anywhere else its fence would stay open. */
function metadataOf(session: Session, value: Record<string, unknown>, context: ViewContext): Block {
  const again = call("get_session", {
    session: sessionKey(session),
    max_tokens: Math.min(20_000, context.budget * 4),
  });
  return {
    rows: viewParts([{ label: "metadata", value }], METADATA_TOKENS, context).map((text) => ({
      text,
      rank: 1,
    })),
    omitted: () => `metadata left out for room: ${formatCall(again)}`,
  };
}

/** `chat-81 (session_…) · support-agent · chat.agent · ACTIVE · dev`. */
export function sessionLine(session: Session, context: ViewContext): string {
  const word = (text: string) => oneLine(context.clean(text), 100);
  const ids =
    session.externalId === undefined ? word(session.id) : `${word(session.externalId)} (${word(session.id)})`;
  return [
    ids,
    word(session.task),
    word(session.type),
    sessionStatus(session, context.now),
    context.target,
  ].join(" · ");
}

function ending(session: Session, context: ViewContext): string | undefined {
  if (session.closedAt !== undefined) {
    const reason =
      session.closedReason === undefined ? "" : `: ${oneLine(context.clean(session.closedReason), 256)}`;
    return `closed ${age(session.closedAt, context.now)} ago${reason}`;
  }
  if (session.expiresAt === undefined) return undefined;
  const past = session.expiresAt < context.now;
  return past
    ? `expired ${age(session.expiresAt, context.now)} ago`
    : `expires ${dateTime(session.expiresAt)} (${age(session.expiresAt, context.now)})`;
}

function runLine({ run, session }: SessionFacts, status: string, context: ViewContext): string {
  if (!run) return "run    none yet";
  const id = oneLine(context.clean(run.id), 64);
  if ("hidden" in run) return `run    ${id} · state not read (${run.hidden})`;
  const fresh = status === "ACTIVE" ? "; new input starts a fresh run" : "";
  const ended = run.finishedAt === undefined ? "" : ` ${age(run.finishedAt, context.now)} ago${fresh}`;
  return `run    ${id} ${oneLine(context.clean(run.status), 40)}${ended}${whyWaiting(run.status, session, context)}`;
}

const whyWaiting = (status: string, session: Session, context: ViewContext): string =>
  status === "PENDING_VERSION"
    ? `: it waits for a version that has the task "${oneLine(context.clean(session.task), 100)}"`
    : "";

function outLine({ out, turns, last }: SessionFacts, context: ViewContext): string {
  if (out.last === undefined) return ".out   nothing there";
  const kept = `.out   records ${out.first ?? 0} to ${out.last}`;
  const number = turns === undefined ? "last turn" : `turn ${turns}`;
  const when = out.lastTurn?.time === undefined ? "" : ` ${age(out.lastTurn.time, context.now)} ago`;
  const done = out.lastTurn
    ? ` · ${number} ${endOf(last, context)}${when} (record ${out.lastTurn.seq})`
    : " · no turn completed yet";
  return `${kept}${done}${out.open ? " · a turn is under way" : ""}`;
}

/** How the last turn ended, in the past tense. */
function endOf(last: SessionFacts["last"], context: ViewContext): string {
  switch (last?.state) {
    case "failed": {
      const why = oneLine(context.clean(last.errors.join("; ")), INPUT_CHARACTERS);
      return why === "" ? "failed" : `failed: ${why}`;
    }
    case "empty":
      return "ended EMPTY: the agent may have rejected the input";
    case "stopped":
      return "was stopped";
    case "awaiting_approval":
      return `AWAITS APPROVAL of ${last.approvals.map((tool) => viewToolCall(tool, context)).join(", ")}, asked`;
    default:
      return "completed";
  }
}

function inLine({ in: channel, unanswered, owesAnswer, out }: SessionFacts): string {
  if (channel.last === undefined) {
    return `.in    nothing there${owesAnswer && !out.open ? "; the first message has NOT been answered" : ""}`;
  }
  const open =
    unanswered.length === 0 ? "everything answered" : `${counted(unanswered.length, "input")} NOT answered:`;
  return `.in    last record ${channel.last} · ${open}`;
}

function inputLine({ seq, time, kind, text }: WaitingInput, context: ViewContext): string {
  const words = text === "" ? "" : ` ${JSON.stringify(oneLine(context.clean(text), INPUT_CHARACTERS))}`;
  return `  ${seq ?? "-"}  ${time === undefined ? "" : `${clockSeconds(time)}  `}${oneLine(context.clean(kind), 40)}${words}`;
}

function details(session: Session, context: ViewContext): string {
  const tags =
    session.tags.length === 0 ? "" : ` · tags ${oneLine(context.clean(session.tags.join(", ")), 300)}`;
  return `created ${dateTime(session.createdAt)} (${age(session.createdAt, context.now)} ago), changed ${age(session.updatedAt, context.now)} ago${tags}`;
}

function nextCalls({ session, run, out, owesAnswer, last }: SessionFacts, status: string): Call[] {
  const key = sessionKey(session);
  const read = call("read_session_channel", { session: key, io: "out" });
  const trace = run ? [call("get_run_trace", { run_id: run.id, view: "errors" })] : [];
  if (status !== "ACTIVE") return [read, ...(owesAnswer ? trace : [])];
  if (owesAnswer) {
    // From the last turn's end: the awaited one is found there, also when it has ended by the time of the call.
    const after = out.lastTurn?.seq === undefined ? "start" : String(out.lastTurn.seq);
    return [call("follow_session", { session: key, after }), ...trace];
  }
  const warnings = run ? [call("search_run_events", { run_id: run.id, level: "WARN" })] : [];
  const [approval] = last?.approvals ?? [];
  if (last?.state === "awaiting_approval" && approval) return [approve(key, approval, last.approvals.length)];
  return [
    ...(last?.state === "failed" ? trace : last?.state === "empty" ? warnings : [read]),
    call("send_session_message", { session: key, message: "…" }),
  ];
}
