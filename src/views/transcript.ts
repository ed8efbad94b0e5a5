/** A conversation as messages, newest last: who said what when, which tools ran and how they ended. */
import { call, formatCall } from "../domain/calls.ts";
import { textOf, toolsOf, type UiMessage } from "../domain/message.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import type { ViewContext } from "./answer.ts";
import { render } from "./document.ts";
import { clockSeconds, counted, oneLine } from "./format.ts";
import { sessionLine } from "./session.ts";
import { viewToolUse } from "./tool-use.ts";

export interface TranscriptEntry {
  message: UiMessage;
  /** Unix milliseconds. */
  time?: number;
  runId?: string;
  errors?: string[];
  open?: boolean;
}

export interface TranscriptFacts {
  session: Session;
  source: "transcript" | "snapshot" | "channels";
  entries: TranscriptEntry[];
  /** Older messages exist that are not among the entries. */
  earlier: boolean;
}

const TEXT_CHARACTERS = 4_000;

export function viewTranscript(
  { session, source, entries, earlier }: TranscriptFacts,
  context: ViewContext,
): string {
  const key = sessionKey(session);
  const raw = formatCall(call("read_session_channel", { session: key, io: "out" }));
  return render(
    [
      `conversation ${sessionLine(session, context)} · ${counted(entries.length, "message")}, newest last · from its ${SOURCES[source]}`,
      earlier ? "older messages exist before these" : undefined,
      {
        // What was said last matters most.
        rows: entries.map((entry, index) => ({
          text: entryLine(entry, context),
          rank: entries.length - index,
        })),
        omitted: (shown, total) => `shown ${shown} of ${total} messages, the newest first to stay`,
      },
      entries.length === 0
        ? `Nothing has been said yet, or nothing of it survives. Raw records: ${raw}`
        : undefined,
    ],
    context.budget,
  ).text;
}

const SOURCES = {
  transcript: "stored transcript and live channels",
  snapshot: "snapshot and live channels",
  channels: "channels alone",
} as const;

function entryLine(
  { message, time, runId, errors = [], open }: TranscriptEntry,
  context: ViewContext,
): string {
  const { clean } = context;
  const who = message.role === "assistant" ? "agent" : message.role;
  const tools = toolsOf(message.parts).map((tool) => `[tool ${viewToolUse(tool, context)}]`);
  const facts = [
    open ? "still writing" : undefined,
    errors.length > 0 ? `✗ ${oneLine(clean(errors.join("; ")), 300)}` : undefined,
    toolsOf(message.parts).some(({ state }) => state === "output-error") ? "✗ tool" : undefined,
    runId === undefined ? undefined : oneLine(clean(runId), 64),
  ].filter((fact) => fact !== undefined);
  return [
    oneLine(clean(who), 20),
    time === undefined ? undefined : clockSeconds(time),
    ...tools,
    said(message, context),
    facts.length === 0 ? undefined : ` ${facts.join(" · ")}`,
  ]
    .filter((part) => part !== undefined)
    .join("  ");
}

function said(message: UiMessage, { clean }: ViewContext): string {
  const text = textOf(message.parts);
  if (text !== "") return oneLine(clean(text), TEXT_CHARACTERS);
  const others = message.parts.filter(
    ({ type, toolCallId }) => type !== "step-start" && toolCallId === undefined,
  );
  return others.length === 0
    ? toolsOf(message.parts).length > 0
      ? ""
      : "(no content)"
    : `(${oneLine(clean([...new Set(others.map(({ type }) => type))].join(", ")), 100)})`;
}
