/** A conversation as messages, newest last: who said what when, which tools ran, how they ended, and by which run. */
import { type Call, call, formatCall } from "../domain/calls.ts";
import type { Entry } from "../domain/entry.ts";
import { type MessagePart, toolsOf, toolUse } from "../domain/message.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { markLines } from "./fence.ts";
import { fitRows } from "./fit-rows.ts";
import { clockSeconds, count, counted, duration, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { sessionLine } from "./session.ts";
import { clipToTokens, fits, tokens } from "./tokens.ts";
import { approve, json, viewToolUse } from "./tool-use.ts";

export interface TranscriptFacts {
  session: Session;
  source: "transcript" | "snapshot" | "channels";
  /** Oldest first; those before `before` when that is given. */
  entries: Entry[];
  /** Older messages exist that are not among the entries. */
  earlier: boolean;
  gap?: { from: number; to: number };
  cursor?: number;
  turnsDone?: number;
}

export interface TranscriptChoice {
  before?: string | undefined;
  reasoning?: boolean | undefined;
}

/** Tokens that numbers in the lines around the messages may cost more than when nothing is shown. */
const SLACK = 30;
/** No message takes more of the room. */
const LARGEST_SHARE = 0.5;
const LEAST_TOKENS = 60;
const REASONING_CHARACTERS = 1_000;

export function viewTranscript(
  facts: TranscriptFacts,
  context: ViewContext,
  choice: TranscriptChoice = {},
): Answer {
  const { session, entries, cursor, turnsDone } = facts;
  const frame = (shown: readonly Entry[], cut: boolean) => {
    const next = nextCalls(facts, shown, choice);
    return {
      next,
      head: headOf(facts, shown, choice, context),
      foot: [cut ? "cut messages are longer with more max_tokens" : "", nextLines(next, context) ?? ""],
    };
  };
  // The frame costs most when one message is shown: it names the call that shows the others.
  const widest = frame(entries.slice(-1), true);
  const room = context.budget - tokens([...widest.head, ...widest.foot].join("\n")) - SLACK;
  const most = Math.max(LEAST_TOKENS, Math.floor(room * LARGEST_SHARE));
  const { kept } = fitRows(
    newestFirst(entries, most, choice, context),
    room,
    ({ text }) => tokens(`${text}\n`),
    (rows) => ({ lines: rows.map(({ text }) => text) }),
  );
  const shown = entries.slice(entries.length - kept.length);
  const { head, foot, next } = frame(
    shown,
    kept.some(({ cut }) => cut),
  );
  const lines = [...head, ...kept.map(({ text }) => text).reverse(), ...foot].filter((line) => line !== "");
  const older = pageBefore(facts, shown);
  return {
    text: clipToTokens(lines.join("\n"), context.budget),
    structured: {
      session: sessionKey(session),
      messages: entries.length,
      shown: shown.length,
      ...(turnsDone !== undefined && { turns: turnsDone }),
      ...(older !== undefined && { before: older }),
      ...(cursor !== undefined && { cursor: String(cursor) }),
      next,
    },
  };
}

function* newestFirst(
  entries: readonly Entry[],
  most: number,
  choice: TranscriptChoice,
  context: ViewContext,
): Generator<{ text: string; cut: boolean }> {
  for (const entry of entries.toReversed()) {
    const text = entryText(entry, choice, context);
    const cut = !fits(text, most);
    yield { text: cut ? clipToTokens(text, most) : text, cut };
  }
}

const SOURCES = {
  transcript: "stored transcript and live channels",
  snapshot: "snapshot and live channels",
  channels: "channels alone",
} as const;

function headOf(
  { session, source, entries, earlier, gap, turnsDone }: TranscriptFacts,
  shown: readonly Entry[],
  { before }: TranscriptChoice,
  context: ViewContext,
): string[] {
  const where = before === undefined ? "" : ` before ${oneLine(context.clean(before), 100)}`;
  const some = shown.length === entries.length ? "" : `, ${count(shown.length)} shown`;
  const key = sessionKey(session);
  const raw = context.clean(formatCall(call("read_session_channel", { session: key, io: "out" })));
  return [
    [
      `conversation ${sessionLine(session, context)}`,
      `${counted(entries.length, "message")}${earlier ? " and older ones" : ""}${where}${some}, newest last`,
      ...turnsOf(shown, turnsDone),
      `from its ${SOURCES[source]}`,
    ].join(" · "),
    gap ? `gap: records ${gap.from} to ${gap.to} of .out had been trimmed; what was said there is lost` : "",
    entries.length === 0
      ? before === undefined
        ? `Nothing has been said yet, or nothing of it survives. Raw records: ${raw}`
        : "Nothing comes before that message."
      : "",
  ];
}

/** `turns 2–3 of 3`, as far as the channels tell. */
function turnsOf(shown: readonly Entry[], turnsDone: number | undefined): string[] {
  const numbers = shown.map(({ turn }) => turn).filter((turn) => turn !== undefined);
  const [first] = numbers;
  const last = numbers.at(-1);
  const known = first !== undefined && shown.every(({ turn, message }) => turn || message.role === "user");
  if (turnsDone === undefined) return [];
  const all = Math.max(turnsDone, last ?? 0);
  if (!known) return [counted(turnsDone, "turn")];
  return [first === last ? `turn ${first} of ${all}` : `turns ${first}–${last} of ${all}`];
}

function entryText(entry: Entry, choice: TranscriptChoice, context: ViewContext): string {
  const { message, time, turn, runId, took, errors = [], open } = entry;
  const { clean } = context;
  const who = message.role === "assistant" ? "agent" : message.role;
  // In front, where a long text does not push them out, nor take their place.
  const facts = [
    turn === undefined ? undefined : `turn ${turn}`,
    runId === undefined ? undefined : oneLine(clean(runId), 64),
    took === undefined ? undefined : duration(took),
    open ? "still writing" : undefined,
    toolsOf(message.parts).some(({ state }) => state === "output-error") ? "✗ tool" : undefined,
    errors.length > 0 ? `✗ ${oneLine(clean(errors.join("; ")), 300)}` : undefined,
  ].filter((fact) => fact !== undefined);
  return [
    oneLine(clean(who), 20),
    time === undefined ? undefined : clockSeconds(time),
    facts.length === 0 ? undefined : `(${facts.join(" · ")})`,
    content(entry, choice, context),
  ]
    .filter((part) => part !== undefined)
    .join("  ");
}

/** The parts in the order they were written. */
function content(entry: Entry, choice: TranscriptChoice, context: ViewContext): string {
  const parts = entry.message.parts.map((part) => partText(part, entry, choice, context));
  const said = parts.filter((part) => part !== "");
  return said.length === 0 ? "(no content)" : said.join(" ");
}

function partText(
  part: MessagePart,
  { toolTimes }: Entry,
  { reasoning }: TranscriptChoice,
  context: ViewContext,
): string {
  const tool = toolUse(part);
  if (tool)
    return `[tool ${viewToolUse(tool, context, { took: toolTimes?.get(tool.callId), output: true })}]`;
  const text = typeof part.text === "string" ? part.text : "";
  switch (part.type) {
    case "step-start":
      return "";
    case "text":
      return markLines(context.clean(text).trim());
    case "reasoning":
      if (text === "") return "";
      return reasoning
        ? `[reasoning: ${oneLine(context.clean(text), REASONING_CHARACTERS)}]`
        : `[reasoning ${counted(text.length, "character")}]`;
    default: {
      const { type, providerMetadata: _, ...rest } = part;
      const told = Object.keys(rest).length === 0 ? "" : ` ${json(rest, 200, context)}`;
      return `[${oneLine(context.clean(type), 60)}${told}]`;
    }
  }
}

/** What an older page is asked for by; absent where nothing comes before, or nothing there can be named. */
function pageBefore({ entries, earlier }: TranscriptFacts, shown: readonly Entry[]): string | undefined {
  if (!earlier && shown.length === entries.length) return undefined;
  return shown.find(({ key }) => key !== undefined)?.key;
}

function nextCalls(
  facts: TranscriptFacts,
  shown: readonly Entry[],
  { before, reasoning }: TranscriptChoice,
): Call[] {
  const session = sessionKey(facts.session);
  const older = pageBefore(facts, shown);
  const next: Call[] = [];
  if (older !== undefined) {
    next.push(call("get_session_transcript", { session, before: older, ...(reasoning && { reasoning }) }));
  }
  const answer =
    before === undefined ? shown.findLast(({ message }) => message.role === "assistant") : undefined;
  if (!answer) return next;
  const tools = toolsOf(answer.message.parts);
  const waiting = tools.filter(({ state }) => state === "approval-requested");
  const [asking] = waiting;
  const failed = answer.errors !== undefined || tools.some(({ state }) => state === "output-error");
  if (answer.open) next.push(call("follow_session", { session }));
  else if (asking) next.push(approve(session, asking, waiting.length));
  else if (failed && answer.runId !== undefined) {
    next.push(call("get_run_trace", { run_id: answer.runId, view: "errors" }));
  }
  return next;
}
