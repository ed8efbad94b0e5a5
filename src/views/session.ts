/** One session: its status, the run behind it, where both channels stand, and what nobody has answered. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { Run } from "../domain/run.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import { sessionStatus } from "../domain/status.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { type Block, render } from "./document.ts";
import { age, clockSeconds, counted, dateTime, oneLine } from "./format.ts";
import { viewJson } from "./json.ts";

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
    runLine(facts, context),
    outLine(facts, context),
    inLine(facts),
    {
      rows: unanswered.map((input) => ({ text: inputLine(input, context) })),
      omitted: (shown, total) =>
        `shown ${shown} of ${total} unanswered inputs: ${formatCall(call("read_session_channel", { session: sessionKey(session), io: "in" }))}`,
    },
    details(session, context),
    session.metadata && `metadata ${viewJson(session.metadata, METADATA_TOKENS, context.clean)}`,
    `next ${next.map(formatCall).join("\n     ")}`,
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
      ...(facts.turns !== undefined && { turns: facts.turns }),
      unanswered: unanswered.map(({ seq, kind }) => ({ ...(seq !== undefined && { seq }), kind })),
      next,
    },
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

function runLine({ run }: SessionFacts, context: ViewContext): string {
  if (!run) return "run    none yet";
  const id = oneLine(context.clean(run.id), 64);
  if ("hidden" in run) return `run    ${id} · state not read (${run.hidden})`;
  const ended =
    run.finishedAt === undefined
      ? ""
      : ` ${age(run.finishedAt, context.now)} ago; new input starts a fresh run`;
  return `run    ${id} ${oneLine(context.clean(run.status), 40)}${ended}`;
}

function outLine({ out, turns }: SessionFacts, context: ViewContext): string {
  if (out.last === undefined) return ".out   nothing there";
  const kept = `.out   records ${out.first ?? 0} to ${out.last}`;
  const number = turns === undefined ? "last turn" : `turn ${turns}`;
  const when = out.lastTurn?.time === undefined ? "" : ` ${age(out.lastTurn.time, context.now)} ago`;
  const done = out.lastTurn
    ? ` · ${number} completed${when} (record ${out.lastTurn.seq})`
    : " · no turn completed yet";
  return `${kept}${done}${out.open ? " · a turn is under way" : ""}`;
}

function inLine({ in: channel, unanswered }: SessionFacts): string {
  if (channel.last === undefined) return ".in    nothing there";
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

function nextCalls({ session, run, out, unanswered }: SessionFacts, status: string): Call[] {
  const key = sessionKey(session);
  const waiting = out.open || unanswered.length > 0;
  return [
    ...(waiting && status === "ACTIVE"
      ? [call("follow_session", { session: key })]
      : [call("read_session_channel", { session: key, io: "out" })]),
    ...(run && waiting ? [call("get_run_trace", { run_id: run.id, view: "errors" })] : []),
    ...(status === "ACTIVE" && !waiting
      ? [call("send_session_message", { session: key, message: "…" })]
      : []),
  ];
}
