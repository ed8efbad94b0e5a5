/** What speaks for a verdict on a session: a line each with what it is read from, and the same as ids for programs. */
import { failureTitle } from "../domain/exception.ts";
import type { ToolUse } from "../domain/message.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import type { SessionEvidence, SessionInput } from "../insight/session-diagnosis.ts";
import type { ViewContext } from "./answer.ts";
import { labelled, short } from "./diagnosis-evidence.ts";
import { age, clock, duration } from "./format.ts";
import { viewToolCall, viewToolUse } from "./tool-use.ts";

const WORDS = 200;

export function evidenceLine(evidence: SessionEvidence, context: ViewContext): string {
  switch (evidence.kind) {
    case "input":
      return labelled("input", `${inputText(evidence.input, context)} · no turn has consumed it`);
    case "consumed":
      return labelled("input", `${inputText(evidence.input, context)} · the turn answers it`);
    case "stop":
      return labelled("stop", inputText(evidence.input, context));
    case "first_message":
      return labelled("input", "the first message, in the session's basePayload · no turn has answered it");
    case "turn":
      return labelled("turn", turnText(evidence.turn, context));
    case "error":
      return labelled("error", `${at(evidence.turn.errorAt)}"${short(evidence.text, context, WORDS)}"`);
    case "tool":
      return labelled("tool", toolText(evidence.turn, evidence.tool, context));
    case "repeated_tool":
      return labelled(
        "repeats",
        `${evidence.times}× the same call with the same outcome, the last: ${toolText(evidence.turn, evidence.tool, context)}`,
      );
    case "repeated_answer":
      return labelled(
        "repeats",
        `${evidence.times}× the same answer to different messages, the last: ${at(evidence.turn.last)}"${short(evidence.text, context, WORDS)}"`,
      );
    case "newest":
      return labelled("newest", newestText(evidence));
    case "run":
      return labelled("run", runText(evidence, context));
    case "no_run":
      return labelled("run", "the session has none, and none was started for the input");
    case "event":
      return labelled(evidence.event.isPartial ? "doing" : "logged", eventText(evidence, context));
    case "lost":
      return labelled(
        "lost",
        `.out ${evidence.lost.from} to ${evidence.lost.to}: trimmed, and neither a transcript nor a snapshot has them`,
      );
  }
}

const at = (seq: number | undefined): string => (seq === undefined ? "" : `.out ${seq} `);

function inputText({ seq, time, kind, text }: SessionInput, context: ViewContext): string {
  const words = text === "" ? "" : ` "${short(text, context, 120)}"`;
  const when = time === undefined ? "" : ` ${age(time, context.now)} ago`;
  return `.in ${seq ?? "-"} ${short(kind, context, 40)}${words}${when}`;
}

const ENDS: Record<PlacedTurn["state"], string> = {
  done: "completed",
  failed: "failed",
  stopped: "was stopped",
  awaiting_approval: "asked for approval",
  empty: "ended without content",
  closed: "ended with the session",
  running: "is not over",
};

function turnText(
  { first, last, number, state, time, runId, text }: PlacedTurn,
  context: ViewContext,
): string {
  const place = first === undefined || first === last ? (last ?? "-") : `${first} to ${last}`;
  return [
    `.out ${place}`,
    `turn ${number ?? ""}`.trim(),
    ENDS[state],
    time === undefined || state === "running" ? undefined : `${age(time, context.now)} ago`,
    text === "" ? undefined : `"${short(text, context, 120)}"`,
    runId === undefined ? undefined : `(${short(runId, context)})`,
  ]
    .filter((part) => part !== undefined)
    .join(" ");
}

function toolText(turn: PlacedTurn, tool: ToolUse, context: ViewContext): string {
  const what = tool.state === "input-available" ? viewToolCall(tool, context) : viewToolUse(tool, context);
  return `${at(turn.toolAt.get(tool.callId))}${what} (${short(tool.callId, context)})`;
}

const newestText = ({ seq, quietMs }: Extract<SessionEvidence, { kind: "newest" }>): string =>
  `.out ${seq} is the last record${quietMs === undefined ? "" : `, ${duration(quietMs)} old`}`;

/** A dead run says why in a line; the whole story is diagnose_run's. */
function runText({ run }: Extract<SessionEvidence, { kind: "run" }>, context: ViewContext): string {
  const ended = isTerminal(run.status) && run.finishedAt !== undefined;
  const since = ended ? run.finishedAt : (run.startedAt ?? run.createdAt);
  const why = run.error ? `: ${short(failureTitle(run.error), context, WORDS)}` : meaning(run.status);
  const more = isBadEnd(run.status) ? "; diagnose_run tells where it began" : "";
  return `${short(run.id, context)} ${short(run.task, context)} ${short(run.status, context, 30)}, ${ended ? "ended" : run.startedAt === undefined ? "made" : "began"} ${age(since, context.now)} ago${why}${more}`;
}

function meaning(status: string): string {
  switch (status) {
    case "PENDING_VERSION":
      return ": no deployed version has its task";
    case "QUEUED":
    case "DEQUEUED":
      return ": it waits in its queue";
    case "DELAYED":
      return ": it was told to wait";
    case "CANCELED":
      return ": somebody cancelled it";
    case "EXPIRED":
      return ": its ttl passed before it began";
    default:
      return "";
  }
}

function eventText({ event }: Extract<SessionEvidence, { kind: "event" }>, context: ViewContext): string {
  const how = event.isPartial
    ? `open for ${duration(Math.max(0, context.now - event.startTime))}`
    : event.isError
      ? "failed"
      : short(event.level, context, 12);
  return `${clock(event.startTime)} ${how} "${short(event.message, context, 160)}" (${short(event.runId, context)} #${short(event.id, context, 32)})`;
}

/** Ids and positions only: the text says what they mean. */
export function placeOf(evidence: SessionEvidence): Record<string, string | number> {
  const { kind } = evidence;
  const out = (seq: number | undefined) => (seq === undefined ? { kind } : { kind, io: "out", seq });
  switch (kind) {
    case "input":
    case "consumed":
    case "stop":
      return { kind, io: "in", ...(evidence.input.seq !== undefined && { seq: evidence.input.seq }) };
    case "first_message":
    case "no_run":
      return { kind };
    case "turn":
    case "repeated_answer":
      return out(evidence.turn.last);
    case "error":
      return out(evidence.turn.errorAt);
    case "tool":
    case "repeated_tool":
      return {
        ...out(evidence.turn.toolAt.get(evidence.tool.callId)),
        tool_call_id: evidence.tool.callId,
      };
    case "newest":
      return out(evidence.seq);
    case "run":
      return { kind, run_id: evidence.run.id };
    case "event":
      return { kind, run_id: evidence.event.runId, span_id: evidence.event.id };
    case "lost":
      return out(evidence.lost.to);
  }
}
