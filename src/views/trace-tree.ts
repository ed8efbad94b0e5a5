/** The tree view: one line a span, a folded group as one, as many as the budget has room for. */

import { type Call, call } from "../domain/calls.ts";
import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import type { Run } from "../domain/run.ts";
import type { SiblingGroup } from "../insight/fold.ts";
import type { OutlineRow } from "../insight/outline.ts";
import type { ShortIds } from "../insight/short-ids.ts";
import type { SpanNode, UnplacedReason } from "../insight/spans.ts";
import type { ViewContext } from "./answer.ts";
import { branches } from "./branches.ts";
import { fitRows } from "./fit-rows.ts";
import { age, count, counted, duration, oneLine } from "./format.ts";
import { tokens } from "./tokens.ts";
import type { TraceLines } from "./trace.ts";

/** What it takes to name a span. */
export interface SpanNames {
  context: ViewContext;
  /** Span ids to their unique prefixes. */
  ids: ShortIds;
  /** Unix milliseconds of the trace's beginning. */
  start: number;
  /** Unix milliseconds up to which open spans count. */
  openUntil: number;
  unplaced: ReadonlyMap<SpanNode, UnplacedReason>;
}

/** The shortest prefix that means the span. */
export const idOf = ({ span }: SpanNode, { ids, context }: Pick<SpanNames, "ids" | "context">): string =>
  oneLine(context.clean(ids.get(span.id) ?? span.id), 32);

/** Deeper levels are numbered instead of drawn. */
const DRAWN_LEVELS = 10;
/** What a line costs beside its words: the two times, a level of drawing, a count of what is hidden below. */
const COLUMNS = 9;
const LEVEL = 1.2;

export function treeLines(
  rows: Iterable<OutlineRow>,
  run: Run,
  spans: number,
  room: number,
  names: SpanNames,
): TraceLines {
  const words = new Map<OutlineRow, string>();
  const { kept, drawn } = fitRows(
    rows,
    room - tokens(`${HEAD}\n`),
    (row) => {
      const text = "node" in row.item ? spanWords(row.item.node, names) : groupWords(row.item.group, names);
      words.set(row, text);
      return tokens(text) + COLUMNS + Math.min(row.depth, DRAWN_LEVELS) * LEVEL;
    },
    (chosen) => draw(chosen, words, names),
  );
  const shown = kept.filter((row) => "node" in row.item).length;
  const share = dominance(kept, run);
  return {
    lines: share === undefined ? drawn.lines : [...drawn.lines, share],
    summary:
      shown === spans ? "all shown" : `${count(shown)} shown, ${count(spans - shown)} folded into them`,
    shown,
    next: nextOf(kept, drawn.widest, run, names),
  };
}

/** The branch that hides most, the slowest of the largest group, and the errors where there are some. */
function nextOf(
  kept: readonly OutlineRow[],
  widest: SpanNode | undefined,
  run: Run,
  names: SpanNames,
): Call[] {
  let largest: SiblingGroup | undefined;
  for (const { item } of kept) {
    if ("group" in item && item.group.members.length > (largest?.members.length ?? 0)) largest = item.group;
  }
  const seen = kept.some(({ item }) => "node" in item && item.node === largest?.slowest);
  return [
    ...(kept.some(({ item }) => "node" in item && item.node.span.isError)
      ? [call("get_run_trace", { run_id: run.id, view: "errors" })]
      : []),
    ...(widest ? [call("get_run_trace", { run_id: run.id, focus: idOf(widest, names) })] : []),
    ...(largest && !seen
      ? [call("get_run_trace", { run_id: run.id, focus: idOf(largest.slowest, names) })]
      : []),
  ];
}

const HEAD = "at      took    span";

/** `widest` is the shown span that hides most. */
function draw(kept: readonly OutlineRow[], words: ReadonlyMap<OutlineRow, string>, names: SpanNames) {
  const lines = [HEAD];
  let widest: SpanNode | undefined;
  let most = 0;
  for (const { row, drawn, children } of branches(kept, DRAWN_LEVELS)) {
    const hidden = hiddenBelow(row, children);
    if ("node" in row.item && hidden > most) [widest, most] = [row.item.node, hidden];
    const [at, took] = timesOf(row, names);
    const more = hidden > 0 ? `  +${count(hidden)} below` : "";
    lines.push(`${at.padEnd(7)} ${took.padEnd(7)} ${drawn}${words.get(row) ?? ""}${more}`);
  }
  return { lines, widest };
}

/** Spans under a row that no shown row stands for; a group stands for all its members. */
export function hiddenBelow(row: OutlineRow, children: readonly OutlineRow[]): number {
  const own = "node" in row.item ? 1 : row.item.group.members.length;
  const counted = "node" in row.item ? 0 : 1;
  return children.reduce((left, child) => left - (child.size - counted), row.size - own);
}

export function timesOf(row: OutlineRow, names: SpanNames): [at: string, took: string] {
  const at = duration(Math.max(0, row.start - names.start));
  if ("node" in row.item) return [at, tookOf(row.item.node, names)];
  const end = row.item.group.members.reduce(
    (latest, node) => Math.max(latest, node.start + node.duration),
    0,
  );
  return [at, duration(Math.max(0, end - row.start))];
}

const tookOf = (node: SpanNode, { openUntil }: SpanNames): string =>
  node.span.isPartial ? `${age(node.start, openUntil)}…` : duration(node.duration);

const LONGEST_NAME = 100;
const LONGEST_ERROR = 160;

/** `charge-card #c3d4 → run_cm9b…  rows=1200 ✗ TypeError: …` */
export function spanWords(node: SpanNode, names: SpanNames): string {
  const { span } = node;
  const { clean } = names.context;
  const reason = names.unplaced.get(node);
  const failure = failureOf(node);
  const passedOn = node.errors > 1 && node.children.some((child) => failureOf(child) === failure);
  const title = failure && !passedOn ? ` ${oneLine(clean(failure), LONGEST_ERROR)}` : "";
  return [
    LEVELS.has(span.level) ? `${span.level} ` : "",
    oneLine(clean(span.message), LONGEST_NAME),
    ` #${idOf(node, names)}`,
    node.parent && node.parent.span.runId !== span.runId ? ` → ${oneLine(clean(span.runId), 64)}` : "",
    attributesOf(span.properties, clean),
    span.isPartial ? " open" : "",
    span.isCancelled ? " cancelled" : "",
    span.isError ? ` ✗${title}` : "",
    reason ? ` (${reason})` : "",
  ].join("");
}

/** Raw; told only where it began, since every span above repeats it. */
function failureOf(node: SpanNode): string | undefined {
  const exception = exceptionsOf(node.span.events)[0];
  return exception && exceptionTitle(exception);
}

/** Levels of log lines that are worth a word; TRACE is what spans have. */
const LEVELS = new Set(["WARN", "ERROR"]);
const SHOWN_ATTRIBUTES = 2;

/** The first plain values somebody put on the span. */
function attributesOf(
  properties: Record<string, unknown> | undefined,
  clean: (text: string) => string,
): string {
  const plain = Object.entries(properties ?? {}).filter(
    ([, value]) =>
      typeof value === "number" ||
      typeof value === "boolean" ||
      (typeof value === "string" && value.length <= 24),
  );
  return plain
    .slice(0, SHOWN_ATTRIBUTES)
    .map(([name, value]) => `  ${oneLine(clean(`${name}=${value}`), 48)}`)
    .join("");
}

function groupWords(group: SiblingGroup, names: SpanNames): string {
  const { clean } = names.context;
  const ended = group.members.length - group.open;
  const figures =
    ended === 0
      ? ""
      : `  p50 ${duration(group.p50)} p95 ${duration(group.p95)} max ${duration(group.max)} (#${idOf(group.slowest, names)})  sum ${duration(group.sum)}`;
  return [
    `${oneLine(clean(group.name), LONGEST_NAME)} ×${count(group.members.length)}`,
    group.order === "sequence" ? " in sequence" : " in parallel",
    figures,
    group.open > 0 ? `  ${count(group.open)} open` : "",
    group.errors > 0 ? `  ✗ ${counted(group.errors, "error")} in ${count(group.failing.length)}` : "",
  ].join("");
}

/** From this share of the run on, one group is what the run is about. */
const DOMINANT = 0.5;

function dominance(kept: readonly OutlineRow[], run: Run): string | undefined {
  if (run.startedAt === undefined || run.finishedAt === undefined) return undefined;
  const wall = run.finishedAt - run.startedAt;
  for (const { item } of kept) {
    if (!("group" in item) || item.group.order !== "sequence" || item.group.sum < wall * DOMINANT) continue;
    const percent = Math.min(100, Math.round((item.group.sum / wall) * 100));
    return `${percent} % of the run is the ${count(item.group.members.length)} calls of one kind, one after another.`;
  }
  return undefined;
}
