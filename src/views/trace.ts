/** A run's trace in words: how much there is, what is shown of it, and the call for everything that is not. */

import { type Call, call } from "../domain/calls.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { CriticalPath } from "../insight/critical-path.ts";
import type { OutlineRow } from "../insight/outline.ts";
import type { SpanNode, TraceIndex, UnplacedReason } from "../insight/spans.ts";
import { openUntilOf, type Scale } from "../insight/timeline.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { criticalPathLines } from "./critical-path.ts";
import { render } from "./document.ts";
import { age, count, counted, duration, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { wallMs } from "./run-times.ts";
import { timelineLines } from "./timeline.ts";
import { tokens } from "./tokens.ts";
import { errorLines } from "./trace-errors.ts";
import { idOf, type SpanNames, treeLines } from "./trace-tree.ts";

export interface TraceData {
  run: Run;
  /** Absent while there is no trace. */
  found?: FoundTrace;
}

export interface FoundTrace {
  index: TraceIndex;
  /** The server stopped at its cap. */
  truncated: boolean;
  focus?: SpanNode;
  /** Views `tree` and `timeline`: best first. */
  rows?: Iterable<OutlineRow>;
  /** View `timeline`. */
  scale?: Scale;
  /** View `critical_path`. */
  path?: CriticalPath;
  /** View `errors`, in the order they failed. */
  errors?: readonly SpanNode[];
}

/** What one view makes of its share of the budget. */
export interface TraceLines {
  lines: string[];
  /** For the head line: what is shown and what is not. */
  summary: string;
  shown: number;
  next: Call[];
}

export function viewTrace({ run, found }: TraceData, context: ViewContext): Answer {
  if (!found) return noTrace(run, context);
  const { index, focus } = found;
  const spans = focus ? focus.size : index.size;
  const errors = focus ? focus.errors : index.errors;
  const names: SpanNames = {
    context,
    ids: index.shortIds,
    start: index.start,
    openUntil: openUntilOf(run, index, context.now),
    unplaced: reasons(index),
  };
  const notes = [...brokenNotes(found.truncated, index), ...focusNotes(focus, names)];
  const frame = [headOf(run, spans, errors, "", context), ...notes].join("\n");
  const roomy = context.budget >= ROOMY.from;
  const room = context.budget - tokens(frame) - (roomy ? ROOMY.reserved : TIGHT_RESERVED);
  const body = linesOf(found, run, spans, room, names);
  const next = roomy ? body.next : body.next.slice(0, 1);
  const text = render(
    [
      headOf(run, spans, errors, body.summary, context),
      ...focusNotes(focus, names),
      ...body.lines,
      ...brokenNotes(found.truncated, index),
      nextLines(next, context),
    ],
    context.budget,
  ).text;
  return {
    text,
    structured: {
      run_id: run.id,
      status: run.status,
      spans,
      errors,
      shown: body.shown,
      ...(found.truncated && { truncated: true }),
      ...(index.unplaced.length > 0 && { unplaced: index.unplaced.length }),
      ...(focus && { focus: focus.span.id }),
      next,
    },
  };
}

function linesOf(found: FoundTrace, run: Run, spans: number, room: number, names: SpanNames): TraceLines {
  const { errors, path, scale, rows = [] } = found;
  if (errors) return errorLines(errors, run, room, names);
  if (path) return criticalPathLines(path, run, spans, room, names);
  if (scale) return timelineLines(rows, scale, run, spans, room, names);
  return treeLines(rows, run, spans, room, names);
}

/** Tokens kept for the rest of the head line and the suggested calls: all of them, or one where there is little room. */
const ROOMY = { from: 800, reserved: 190 };
const TIGHT_RESERVED = 85;

function headOf(run: Run, spans: number, errors: number, summary: string, context: ViewContext): string {
  const wall = wallMs(run);
  const took = wall === undefined ? "" : ` ${duration(wall)}`;
  return [
    `${oneLine(context.clean(run.id), 64)} ${oneLine(context.clean(run.task), 128)} ${oneLine(context.clean(run.status), 30)}${took}`,
    context.target,
    `${counted(spans, "span")}, ${counted(errors, "error")}`,
    summary,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function noTrace(run: Run, context: ViewContext): Answer {
  const next = [call("get_run", { run_id: run.id })];
  const why = isTerminal(run.status)
    ? "It has no trace: it never began, or its trace is past retention."
    : `It has no spans yet, ${age(run.createdAt, context.now)} after it was created.`;
  return {
    text: render([headOf(run, 0, 0, "", context), why, nextLines(next, context)], context.budget).text,
    structured: { run_id: run.id, status: run.status, spans: 0, errors: 0, shown: 0, next },
  };
}

const reasons = (index: TraceIndex): ReadonlyMap<SpanNode, UnplacedReason> =>
  new Map(index.unplaced.map(({ node, reason }) => [node, reason]));

function focusNotes(focus: SpanNode | undefined, names: SpanNames): string[] {
  if (!focus) return [];
  const path: SpanNode[] = [];
  for (let at = focus.parent; at; at = at.parent) path.push(at);
  if (path.length === 0) return [];
  const shown = path.slice(0, MOST_ANCESTORS).reverse();
  const cut = path.length > shown.length ? `… ${count(path.length - shown.length)} above › ` : "";
  const named = shown.map(
    (node) => `${oneLine(names.context.clean(node.span.message), 40)} #${idOf(node, names)}`,
  );
  return [`in ${cut}${named.join(" › ")}`];
}

const MOST_ANCESTORS = 6;

/** Broken traces are normal, and said to be broken. */
export function brokenNotes(truncated: boolean, index: TraceIndex): string[] {
  const notes: string[] = [];
  if (truncated)
    notes.push("The server stopped at its cap of 10,000 records: there is more than this trace holds.");
  if (index.unplaced.length > 0) {
    const kinds = new Map<string, number>();
    for (const { reason } of index.unplaced) kinds.set(reason, (kinds.get(reason) ?? 0) + 1);
    const said = [...kinds].map(([reason, many]) => `${count(many)} ${REASONS[reason as UnplacedReason]}`);
    notes.push(
      `${counted(index.unplaced.length, "span")} could not be hung where the trace says: ${said.join(", ")}.`,
    );
  }
  return notes;
}

export const REASONS: Record<UnplacedReason, string> = {
  orphan: "with a parent that is not in the trace",
  cycle: "on a cycle, cut there",
  duplicate: "with an id that another span has",
};
