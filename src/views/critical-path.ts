/** The critical path in words: what the end depended on, in order of time, each step with its share of the whole. */
import { type Call, call } from "../domain/calls.ts";
import type { Run } from "../domain/run.ts";
import type { CriticalPath, PathStep, StepKind } from "../insight/critical-path.ts";
import { normalizeName } from "../insight/names.ts";
import type { SpanNode } from "../insight/spans.ts";
import { isWait } from "../insight/waits.ts";
import { fitRows } from "./fit-rows.ts";
import { count, counted, duration, oneLine } from "./format.ts";
import { tokens } from "./tokens.ts";
import type { TraceLines } from "./trace.ts";
import { idOf, type SpanNames } from "./trace-tree.ts";

const HEAD = "at      own     share step";
const LONGEST_NAME = 80;
const LONGEST_ANCESTOR = 40;
/** Steps that hold less of the whole are only counted. */
const LEAST_SHARE = 0.005;
/** What is said after the steps. */
const TOTALS_RESERVED = 60;

/** `spans` is how many there are in all. */
export function criticalPathLines(
  path: CriticalPath,
  run: Run,
  spans: number,
  room: number,
  names: SpanNames,
): TraceLines {
  const total = path.to - path.from;
  const largestFirst = path.steps.toSorted((a, b) => b.own - a.own);
  const telling = largestFirst.filter(({ own }, at) => at === 0 || own >= total * LEAST_SHARE);
  const { kept, drawn } = fitRows(
    telling,
    room - TOTALS_RESERVED,
    (step) => tokens(`${lineOf(step, path, names)}\n`),
    (steps) => ({
      lines: [HEAD, ...steps.toSorted((a, b) => a.at - b.at).map((step) => lineOf(step, path, names))],
    }),
  );
  const shown = new Set(kept.flatMap(({ nodes }) => nodes)).size;
  const left = path.steps.length - kept.length;
  const leftTime =
    path.steps.reduce((sum, { own }) => sum + own, 0) - kept.reduce((sum, { own }) => sum + own, 0);
  return {
    lines: [
      ...(kept.length > 0 ? drawn.lines : ["No time has passed in it: there is nothing to account for."]),
      ...(left > 0 ? [`${counted(left, "shorter step")} not shown, ${duration(leftTime)} together.`] : []),
      totalsLine(path, spans),
    ],
    summary: `critical path of ${duration(total)}: ${counted(path.spans, "span")} in ${counted(path.steps.length, "step")}`,
    shown,
    next: nextCalls(largestFirst[0], run, names),
  };
}

/** `224ms   40.9s   98 %  Attempt 1 › GET /stock/{id} ×1,199, largest 1.9s (#e01d)`. */
function lineOf(step: PathStep, path: CriticalPath, names: SpanNames): string {
  const at = duration(Math.max(0, step.at - path.from));
  const share = percent(step.own, path.to - path.from);
  return `${at.padEnd(7)} ${duration(step.own).padEnd(7)} ${share.padStart(5)} ${wordsOf(step, names)}`;
}

const percent = (part: number, whole: number): string =>
  `${whole > 0 ? Math.min(100, Math.round((part / whole) * 100)) : 0} %`;

function wordsOf(step: PathStep, names: SpanNames): string {
  const { clean } = names.context;
  const { largest, nodes } = step;
  const { span } = largest;
  const many = nodes.length > 1;
  const apart = nodes.some((node) => node.parent !== largest.parent);
  const name = oneLine(clean(many ? normalizeName(span.message) : span.message), LONGEST_NAME);
  const which = many
    ? ` ×${count(nodes.length)}, longest ${duration(largest.duration)} (#${idOf(largest, names)})`
    : ` #${idOf(largest, names)}`;
  const failed = nodes.filter((node) => node.span.isError).length;
  return [
    placeOf(largest, apart, names),
    name,
    which,
    largest.parent && largest.parent.span.runId !== span.runId ? ` → ${oneLine(clean(span.runId), 64)}` : "",
    natureOf(step),
    span.isPartial ? "  open" : "",
    failed > 0 ? ` ✗${many ? ` in ${count(failed)}` : ""}` : "",
  ].join("");
}

/** What a step is when it is not plain work. */
function natureOf({ kind, largest }: PathStep): string {
  if (kind === "queue") return "  (queued, before its first attempt)";
  if (kind === "wait") return isWait(largest) ? "  (waiting)" : "  (between its attempts)";
  return largest.children.length > 0 ? "  itself" : "";
}

/** `Attempt 1 › load ›`: the two spans above, but for the head of the trace. */
function placeOf(node: SpanNode, apart: boolean, { context }: SpanNames): string {
  const above: string[] = [];
  for (let at = node.parent; at?.parent && above.length < 2; at = at.parent) {
    const message = apart ? normalizeName(at.span.message) : at.span.message;
    above.unshift(`${oneLine(context.clean(message), LONGEST_ANCESTOR)} › `);
  }
  return above.join("");
}

/** Every span is on the path or counted here. */
function totalsLine(path: CriticalPath, spans: number): string {
  const total = path.to - path.from;
  const of = (kind: StepKind) =>
    path.steps.reduce((sum, step) => (step.kind === kind ? sum + step.own : sum), 0);
  const said = (
    [
      ["work", "working"],
      ["wait", "waiting"],
      ["queue", "queued"],
    ] as const
  )
    .map(([kind, word]) => ({ word, ms: of(kind) }))
    .filter(({ ms }) => ms > 0)
    .map(({ word, ms }) => `${word} ${duration(ms)} (${percent(ms, total)})`);
  const others = spans - path.spans;
  const beside =
    others > 0
      ? `${counted(others, "span")} beside the path did not decide when it ended`
      : "Every span lies on the path";
  const outlasting =
    path.outlasting > 0
      ? `; ${count(path.outlasting)} of them outlast their parents, so nobody waited for them`
      : "";
  return `${said.length > 0 ? `${said.join(" · ")}. ` : ""}${beside}${outlasting}.`;
}

function nextCalls(largest: PathStep | undefined, run: Run, names: SpanNames): Call[] {
  const timeline = call("get_run_trace", { run_id: run.id, view: "timeline" });
  if (!largest) return [timeline];
  const id = idOf(largest.largest, names);
  return [
    largest.largest.children.length > 0
      ? call("get_run_trace", { run_id: run.id, focus: id })
      : call("get_span", { run_id: run.id, span_id: id }),
    timeline,
  ];
}
