/** What came of following a session: the turn's end in words, the answer, its tools, and how to go on. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { TriggerError } from "../domain/errors.ts";
import type { Turn, TurnState } from "../domain/turn.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { type Block, render } from "./document.ts";
import { FENCE_LINES, fence } from "./fence.ts";
import { count, counted, duration, oneLine } from "./format.ts";
import { clipToTokens, tokens } from "./tokens.ts";
import { approve, json, viewToolUse } from "./tool-use.ts";

export interface FollowedSession {
  state: TurnState;
  session: string;
  turns: Turn[];
  /** Turns before those, no longer held. */
  forgottenTurns: number;
  /** `.in` sequence number the awaited turn answers. */
  seq?: number;
  /** Last handled record of `.out`. */
  cursor?: number;
  runId?: string;
  /** Milliseconds. */
  took: number;
  /** Nothing came and nobody owes an answer. */
  idle: boolean;
  pendingVersion: boolean;
  records: number;
  /** Newest records that are no chat chunks. */
  others: { seq?: number; kind: string; data?: unknown }[];
  otherCount: number;
  /** Inclusive. */
  gaps: { from: number; to: number }[];
  /** Gaps after those. */
  moreGaps: number;
  refilled: boolean;
  closedReason?: string;
  /** Why the stream ended before anything else did. */
  broken?: TriggerError;
  /** Status of a run that has not said anything yet. */
  runStatus?: string;
  /** What came is the rest of a turn, behind this record. */
  continued?: number;
  /** The last record there was, before the position that was asked for. */
  beyond?: number;
  /** The last record of `.in`, which ends before `seq`. */
  unsent?: number;
}

/** Longer answers are fenced, so that they cannot be taken for our words. */
const FENCED_FROM = 600;

/**
 * `lead`: lines of our own before everything else. `extra`: more of the structured part. `again`: arguments of this call
 * that one which goes on needs too.
 */
export function viewFollowed(
  followed: FollowedSession,
  context: ViewContext,
  {
    lead,
    extra,
    again = {},
  }: { lead?: string | undefined; extra?: Record<string, unknown>; again?: Record<string, unknown> } = {},
): Answer {
  const last = followed.turns.at(-1);
  const next = nextCalls(followed, last, again);
  const fixed: Block[] = [lead, headline(followed, last, context), ...notes(followed, last, context)];
  const tools = toolsLine(last, context);
  const onward = next.length === 0 ? undefined : `next ${next.map(formatCall).join("\n     ")}`;
  const spent = [...fixed, tools, onward].reduce<number>((sum, line) => sum + tokens(`${line ?? ""}\n`), 0);
  const text = render(
    [
      ...fixed,
      answer(last, context.budget - spent, context),
      tools,
      earlierTurns(followed, context),
      otherRecords(followed, context),
      onward,
    ],
    context.budget,
  ).text;
  return { text, structured: { ...structured(followed, last), ...extra, next } };
}

function structured(followed: FollowedSession, last: Turn | undefined): Record<string, unknown> {
  const { state, session, seq, cursor, runId, idle, pendingVersion, gaps } = followed;
  const end = state === "running" || state === "closed" ? endOf(last) : undefined;
  return {
    state,
    session,
    ...(seq !== undefined && { seq }),
    ...(last?.number !== undefined && { turn: last.number }),
    ...(end !== undefined && { last_turn: end }),
    ...(cursor !== undefined && { cursor: String(cursor) }),
    ...(runId !== undefined && { run_id: runId }),
    ...(last?.messageId !== undefined && { message_id: last.messageId }),
    characters: last?.text.length ?? 0,
    records: followed.records,
    ...(followed.turns.length > 1 && { turns: followed.turns.length + followed.forgottenTurns }),
    ...(idle && { idle }),
    ...(pendingVersion && { pending_version: true }),
    ...(gaps.length > 0 && { gaps }),
    ...(followed.broken && { broken: followed.broken.code }),
  };
}

function headline(followed: FollowedSession, last: Turn | undefined, context: ViewContext): string {
  const name = oneLine(context.clean(followed.session), 100);
  const place = last?.number === undefined ? name : `turn ${last.number} of ${name}`;
  const run = followed.runId === undefined ? undefined : oneLine(context.clean(followed.runId), 64);
  const rest =
    followed.continued !== undefined && last ? `its rest, after record ${followed.continued}` : undefined;
  return [outcome(followed, last, context), place, rest, run]
    .filter((part) => part !== undefined)
    .join(" · ");
}

function outcome(followed: FollowedSession, last: Turn | undefined, context: ViewContext): string {
  const took = duration(followed.took);
  switch (followed.state) {
    case "done":
      return `done in ${took}`;
    case "failed":
      return `failed after ${took}${said(last, context)}`;
    case "stopped":
      return `stopped after ${took}`;
    case "awaiting_approval":
      return `awaiting approval after ${took}`;
    case "empty":
      return `empty after ${took}`;
    case "closed":
      return `session closed${followed.closedReason === undefined ? "" : ` (${oneLine(context.clean(followed.closedReason), 100)})`}${lastTurn(last, context)}`;
    case "running":
      if (followed.idle) return `nothing came in ${took}`;
      return endOf(last) === undefined
        ? `running after ${took}${soFar(last)}`
        : `still open after ${took}${lastTurn(last, context)}`;
  }
}

const soFar = (last: Turn | undefined): string =>
  last?.state === "running" ? ` · ${counted(last.text.length, "character")} so far` : "";

/** How the last turn ended, where the session goes on or was closed after it. */
const endOf = (last: Turn | undefined): TurnState | undefined =>
  last === undefined || last.state === "running" || last.state === "closed" ? undefined : last.state;

function lastTurn(last: Turn | undefined, context: ViewContext): string {
  const end = endOf(last);
  return end === undefined ? "" : `, its last turn ${end.replace("_", " ")}${said(last, context)}`;
}

const said = (last: Turn | undefined, context: ViewContext): string =>
  last && last.errors.length > 0 ? `: ${oneLine(context.clean(last.errors.join("; ")), 300)}` : "";

/** What the state alone does not tell. */
function notes(followed: FollowedSession, last: Turn | undefined, context: ViewContext): Block[] {
  const reasoned = last && last.text === "" && last.reasoning > 0 && followed.state === "running";
  return [
    followed.state === "empty"
      ? "The turn ended without any content: the agent may have rejected the input (its metadata or action schema)."
      : undefined,
    followed.idle && followed.state === "running"
      ? "No turn is under way: every input so far has been answered."
      : undefined,
    followed.beyond === undefined
      ? undefined
      : `"after" lies beyond the end: ${followed.beyond} was the last record of .out.`,
    followed.unsent !== undefined && followed.state === "running"
      ? `When this began nothing had been sent as record ${followed.seq}: ${followed.unsent} was the last of .in.`
      : undefined,
    followed.pendingVersion ? "Its run waits for a deployment of the version it needs." : undefined,
    followed.broken
      ? `The stream broke off (${followed.broken.code}: ${oneLine(context.clean(followed.broken.message), 200)}); nothing is lost, go on from the cursor.`
      : undefined,
    followed.state === "running" && followed.records === 0 && !followed.idle && !followed.pendingVersion
      ? `Nothing has come from the agent yet${whyNot(followed.runStatus, context)}.`
      : undefined,
    reasoned ? `${count(last.reasoning)} characters of reasoning so far.` : undefined,
    followed.gaps.length > 0
      ? `Records ${followed.gaps.map(({ from, to }) => `${from} to ${to}`).join(", ")}${followed.moreGaps > 0 ? ` and ${counted(followed.moreGaps, "later range")}` : ""} had been trimmed${followed.refilled ? "; the answer is from the stored conversation" : ""}.`
      : undefined,
    omittedRecords(followed, last),
    last && Object.keys(last.other).length > 0
      ? `also: ${oneLine(
          context.clean(
            Object.entries(last.other)
              .map(([type, many]) => `${type} ×${many}`)
              .join(", "),
          ),
          200,
        )}`
      : undefined,
  ];
}

function omittedRecords({ session }: FollowedSession, last: Turn | undefined): Block {
  if (!last?.omitted) return undefined;
  const { records, after } = last.omitted;
  const rest = call("read_session_channel", {
    session,
    io: "out",
    ...(after !== undefined && { after: String(after) }),
  });
  return `The turn is too long to be held: the last ${counted(records, "record")} of it are not in what follows: ${formatCall(rest)}`;
}

function whyNot(status: string | undefined, context: ViewContext): string {
  if (status === undefined) return "";
  const why = status === "PENDING_VERSION" ? ", waiting for a version that has its task" : "";
  return `: its run is ${oneLine(context.clean(status), 40)}${why}`;
}

function answer(last: Turn | undefined, room: number, context: ViewContext): Block {
  if (!last || last.text === "") return undefined;
  const clean = context.clean(last.text);
  if (clean.length < FENCED_FROM) return clipToTokens(clean, Math.max(0, room));
  const marks = tokens(fence("answer", "", context.nonce)) + FENCE_LINES;
  return fence("answer", clipToTokens(clean, Math.max(0, room - marks)), context.nonce);
}

/** Tools named in full as far as they are few. */
const TOOLS_SHOWN = 8;

function toolsLine(last: Turn | undefined, context: ViewContext): string | undefined {
  if (!last || last.tools.length === 0) return undefined;
  const shown = last.tools.slice(-TOOLS_SHOWN).map((tool) => viewToolUse(tool, context));
  const more = last.tools.length - shown.length;
  return `tools: ${more > 0 ? `${more} earlier; ` : ""}${shown.join("; ")}`;
}

function earlierTurns({ turns, forgottenTurns, session }: FollowedSession, context: ViewContext): Block {
  const rows = turns.slice(0, -1).map((turn, index) => ({
    text: `turn ${turn.number ?? index + 1} · ${turn.state}${said(turn, context)}${turn.text === "" ? "" : ` · ${oneLine(context.clean(turn.text), 200)}`}`,
    rank: turns.length - index,
  }));
  return {
    rows,
    omitted: (shown, total) =>
      `shown ${shown} of ${total + forgottenTurns} earlier turns: ${formatCall(call("read_session_channel", { session, io: "out" }))}`,
  };
}

function otherRecords({ others, otherCount, session }: FollowedSession, context: ViewContext): Block {
  if (otherCount === 0) return undefined;
  const first = others[0]?.seq;
  const before = call("read_session_channel", { session, io: "out" });
  return {
    rows: others.map(({ seq, kind, data }) => ({
      text: `${seq ?? "-"}  ${oneLine(context.clean(kind), 40)}  ${json(data, 300, context)}`,
      rank: -(seq ?? 0),
    })),
    omitted: (shown) =>
      `shown ${shown} of ${count(otherCount)} records${first === undefined ? "" : ` that are no chat`}: ${formatCall(before)}`,
  };
}

function nextCalls(
  followed: FollowedSession,
  last: Turn | undefined,
  again: Record<string, unknown>,
): Call[] {
  const { state, session, cursor, seq, beyond } = followed;
  if (state === "closed") return last?.state === "awaiting_approval" ? [] : afterTurn(followed, last);
  if (state !== "running") return afterTurn(followed, last);
  return [
    call("follow_session", { session, ...goOn(beyond ?? cursor, seq), ...again }),
    ...(followed.records === 0 ? [call("get_session", { session })] : []),
    ...(endOf(last) === undefined ? [] : afterTurn(followed, last)),
  ];
}

/** What the end of the last turn asks for. */
function afterTurn({ session, runId }: FollowedSession, last: Turn | undefined): Call[] {
  const trace = runId === undefined ? [] : [call("get_run_trace", { run_id: runId, view: "errors" })];
  switch (last?.state) {
    case "awaiting_approval": {
      const waiting = last.tools.filter((tool) => tool.state === "approval-requested");
      return waiting.slice(0, 1).map((tool) => approve(session, tool, waiting.length));
    }
    case "failed":
      return trace;
    // A refused input fails no span: the agent logs why.
    case "empty":
      return runId === undefined ? [] : [call("search_run_events", { run_id: runId, level: "WARN" })];
    default:
      return last?.tools.some((tool) => tool.state === "output-error") ? trace : [];
  }
}

/** Where a next call takes up: from the start where nothing has come, so that a turn that has ended by then is found. */
const goOn = (cursor: number | undefined, seq: number | undefined): Record<string, unknown> => ({
  ...(cursor !== undefined ? { after: String(cursor) } : seq === undefined && { after: "start" }),
  ...(seq !== undefined && { until_seq: seq }),
});
