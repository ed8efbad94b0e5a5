/** The timeline: the tree's rows as bars on one scale, in plain text of fixed width. */
import { call } from "../domain/calls.ts";
import type { Run } from "../domain/run.ts";
import type { OutlineRow } from "../insight/outline.ts";
import { barOf, type Scale, ticksOf } from "../insight/timeline.ts";
import { isWait } from "../insight/waits.ts";
import { branches } from "./branches.ts";
import { fitRows } from "./fit-rows.ts";
import { count, counted, duration, oneLine } from "./format.ts";
import { tokens } from "./tokens.ts";
import type { TraceLines } from "./trace.ts";
import { hiddenBelow, idOf, type SpanNames, timesOf } from "./trace-tree.ts";

export const BAR_WIDTH = 40;

const LABEL_WIDTH = 44;
const TIME_WIDTH = 6;
/** Deeper levels are numbered instead of drawn: names must have some room left. */
const DRAWN_LEVELS = 8;
const SHORTEST_NAME = 8;
const MOST_TICKS = 5;

const WORKING = "█";
const WAITING = "─";
const LEGEND = "█ working, ─ waiting";

/** `spans` is how many the rows stand for. */
export function timelineLines(
  rows: Iterable<OutlineRow>,
  scale: Scale,
  run: Run,
  spans: number,
  room: number,
  names: SpanNames,
): TraceLines {
  const head = scaleLine(scale);
  const { kept, drawn } = fitRows(
    rows,
    room - tokens(head),
    (row) => tokens(`${lineOf(row, "", [], scale, names)}\n`),
    (chosen) => ({
      lines: [
        head,
        ...branches(chosen, DRAWN_LEVELS).map((branch) =>
          lineOf(branch.row, branch.drawn, branch.children, scale, names),
        ),
      ],
    }),
  );
  const shown = kept.filter(({ item }) => "node" in item).length;
  return {
    lines: drawn.lines,
    summary: `${shown === spans ? "all shown" : `${count(shown)} shown, ${count(spans - shown)} folded into them`}, ${LEGEND}`,
    shown,
    next: [call("get_run_trace", { run_id: run.id, view: "critical_path" })],
  };
}

/** `0s        1s        2s` above the bars. */
function scaleLine(scale: Scale): string {
  let line = "";
  for (const { at, column } of ticksOf(scale, MOST_TICKS)) {
    line = `${line.padEnd(column)}${column > 0 && line.length >= column ? " " : ""}${at === 0 ? "0" : duration(at)}`;
  }
  return `${" ".repeat(LABEL_WIDTH + TIME_WIDTH + 2)}${line}`;
}

function lineOf(
  row: OutlineRow,
  drawn: string,
  children: readonly OutlineRow[],
  scale: Scale,
  names: SpanNames,
): string {
  const [, took] = timesOf(row, names);
  const bar = drawBar(row, scale);
  const hidden = hiddenBelow(row, children);
  const tail = `${bar}${marksOf(row, names)}${hidden > 0 ? ` +${count(hidden)} below` : ""}`;
  return `${labelOf(row, drawn, names).padEnd(LABEL_WIDTH)} ${took.padStart(TIME_WIDTH)} ${tail}`.trimEnd();
}

/** The name is shortened, what tells the span apart is not. */
function labelOf({ item }: OutlineRow, drawn: string, names: SpanNames): string {
  const { clean } = names.context;
  const [name, which] =
    "node" in item
      ? [item.node.span.message, ` #${idOf(item.node, names)}`]
      : [item.group.name, ` ×${count(item.group.members.length)} #${idOf(item.group.slowest, names)}`];
  const left = LABEL_WIDTH - drawn.length - which.length;
  return `${drawn}${oneLine(clean(name), Math.max(SHORTEST_NAME, left))}${which}`;
}

/** `«` and `»` where it lies partly outside the scale. */
function drawBar({ item }: OutlineRow, scale: Scale): string {
  const { filled, before, after } = barOf(item, scale);
  const full = isWait("node" in item ? item.node : item.group.slowest) ? WAITING : WORKING;
  const cells = filled.map((yes): string => (yes ? full : " "));
  if (before) cells[0] = "«";
  if (after) cells[cells.length - 1] = "»";
  return cells.join("").trimEnd();
}

function marksOf({ item }: OutlineRow, names: SpanNames): string {
  const { clean } = names.context;
  if ("group" in item) {
    const { errors, failing, open } = item.group;
    return `${errors > 0 ? ` ✗ ${counted(errors, "error")} in ${count(failing.length)}` : ""}${open > 0 ? ` ${count(open)} open` : ""}`;
  }
  const { span, parent } = item.node;
  const reason = names.unplaced.get(item.node);
  return [
    span.isError ? " ✗" : "",
    span.isPartial ? " open" : "",
    span.isCancelled ? " cancelled" : "",
    parent && parent.span.runId !== span.runId ? ` → ${oneLine(clean(span.runId), 64)}` : "",
    reason ? ` (${reason})` : "",
  ].join("");
}
