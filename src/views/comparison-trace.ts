/** What two traces differ in, in words. The first run is the left, the second the right. */
import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import type { Step } from "../insight/align.ts";
import {
  deepestError,
  endingOf,
  firstOf,
  type OnlyKind,
  type Side,
  type TraceDifference,
  type TraceDifferences,
} from "../insight/differences.ts";
import type { Folded } from "../insight/fold.ts";
import { pathTo, type SpanNode } from "../insight/spans.ts";
import type { ViewContext } from "./answer.ts";
import type { RunComparison } from "./comparison.ts";
import { count, counted, duration, oneLine } from "./format.ts";
import { queuedMs, wallMs } from "./run-times.ts";
import { idOf } from "./trace-tree.ts";

const ORDINAL = { left: "the first", right: "the second" } as const;
const SIDES = ["left", "right"] as const;

/** The spans a difference is about, whole ids. */
export function firstSpans(
  differences: TraceDifferences | undefined,
): { span_id?: string; other_span_id?: string } | undefined {
  const first = differences?.first;
  if (!first) return undefined;
  const [one, other] = SIDES.map((side) => spotOf(first, side)?.span.id);
  return { ...(one !== undefined && { span_id: one }), ...(other !== undefined && { other_span_id: other }) };
}

/** The span to look at for a difference: where something failed, the deepest failure. */
function spotOf({ kind, step }: TraceDifference, side: Side): SpanNode | undefined {
  const item = step[side];
  if (!item) return undefined;
  if (kind === "only" && "node" in item) return deepestError(item.node) ?? item.node;
  return "group" in item ? (item.group.failing[0] ?? firstOf(item)) : item.node;
}

const LONGEST_NAME = 60;
const LONGEST_ERROR = 200;
const MOST_BEFORE = 3;

export function firstDifferenceLines(comparison: RunComparison, context: ViewContext): string[] {
  const { traces } = comparison;
  const notes = SIDES.flatMap((side) => traceNote(comparison, side, context));
  if (!traces.differences) return notes;
  const { first, before, matched } = traces.differences;
  if (!first) {
    const steps = `${counted(matched, "step")} of their traces`;
    return [`first difference: none; the ${steps} match and end alike`, ...notes];
  }
  const names = { comparison, context };
  const near = before.slice(-MOST_BEFORE).map((each) => differenceWords(each, names, 0));
  const more = before.length - near.length;
  return [
    `first difference: ${differenceWords(first, names)}`,
    ...(near.length === 0
      ? []
      : [`before that: ${more > 0 ? `${count(more)} other differences; ` : ""}${near.join("; ")}`]),
    ...notes,
  ];
}

function traceNote({ left, right, traces }: RunComparison, side: Side, context: ViewContext): string[] {
  const id = oneLine(context.clean((side === "left" ? left : right).id), 64);
  if (!traces[side]) return [`${id} has no trace: how the two went cannot be compared`];
  return traces[side].truncated
    ? [`the trace of ${id} was cut at the server's cap: what seems missing in it may be beyond`]
    : [];
}

interface Names {
  comparison: RunComparison;
  context: ViewContext;
}

/** `charge-card › capture payment fails in the first (#c3d4 TypeError: …), succeeds in the second (#77b1 0.31s)` */
function differenceWords(difference: TraceDifference, names: Names, ancestors = MOST_ANCESTORS): string {
  const { step } = difference;
  const sides = SIDES.filter((side) => step[side]);
  const where = pathWords(step, names, ancestors);
  const [only] = sides;
  if (sides.length === 1 && only) {
    const spot = spotOf(difference, only);
    const item = step[only];
    const inside = spot && item && spot !== firstOf(item) ? `, in it ${nodeName(spot, names)}` : "";
    return `${where} is only in ${ORDINAL[only]}${inside} (${spot ? detail(spot, only, names) : ""})`;
  }
  const told = sides.map((side) => {
    const item = step[side];
    if (item && "group" in item) return `${groupWords(item, side, names)} in ${ORDINAL[side]}`;
    const spot = spotOf(difference, side);
    return spot ? `${VERBS[endingOf(spot)]} in ${ORDINAL[side]} (${detail(spot, side, names)})` : "";
  });
  return `${where} ${told.join(", ")}`;
}

const VERBS = {
  failed: "fails",
  cancelled: "is cancelled",
  open: "is still open",
  done: "succeeds",
} as const;

function groupWords(item: Folded, side: Side, names: Names): string {
  if (!("group" in item)) return "";
  const { members, failing } = item.group;
  const [spot] = failing;
  const failed = spot ? `, ${count(failing.length)} failing (${detail(spot, side, names)})` : "";
  return `×${count(members.length)}${failed}`;
}

const MOST_ANCESTORS = 3;

/** Below the run's own span: `charge-card › Attempt 1 › capture payment`. */
function pathWords(step: Step, names: Names, ancestors: number): string {
  const item = step.left ?? step.right;
  if (!item) return "";
  const path = pathTo(firstOf(item));
  const shown = path.slice(Math.max(Math.min(1, path.length - 1), path.length - 1 - ancestors));
  const words = shown.map((node) => nodeName(node, names));
  if ("group" in item) words[words.length - 1] = spanName(item.group.name, names);
  return `${path.length - shown.length > 1 && ancestors > 0 ? "… › " : ""}${words.join(" › ")}`;
}

const spanName = (name: string, { context }: Names): string => oneLine(context.clean(name), LONGEST_NAME);

/** Of log lines, the levels worth a word. */
const LEVELS = new Set(["WARN", "ERROR"]);

const nodeName = ({ span }: SpanNode, names: Names): string =>
  `${LEVELS.has(span.level) ? `${span.level} ` : ""}${spanName(span.message, names)}`;

function detail(node: SpanNode, side: Side, names: Names): string {
  const exception = exceptionsOf(node.span.events)[0];
  const said = exception && oneLine(names.context.clean(exceptionTitle(exception)), LONGEST_ERROR);
  const rest = node.span.isError ? said : node.duration > 0 ? duration(node.duration) : undefined;
  return `#${idIn(node, side, names)}${rest === undefined ? "" : ` ${rest}`}`;
}

const idIn = (node: SpanNode, side: Side, { comparison, context }: Names): string =>
  idOf(node, { context, ids: comparison.traces[side]?.index.shortIds ?? new Map() });

const MOST_TIMES = 5;
/** Milliseconds and share of the longer run below which a step's difference is noise. */
const NOISE_MS = 1;
const NOISE_SHARE = 0.01;

export function timeLine(comparison: RunComparison, context: ViewContext): string {
  const { left, right, traces } = comparison;
  const walls = [wallMs(left), wallMs(right)];
  const [queued, otherQueued] = [queuedMs(left), queuedMs(right)];
  const total = `time     total ${duration(walls[0])} vs ${duration(walls[1])}, queued ${duration(queued)} vs ${duration(otherQueued)}`;
  if (!traces.differences) return total;
  const noise = Math.max(NOISE_MS, NOISE_SHARE * Math.max(...walls.map((wall) => wall ?? 0)));
  const causes = timeCauses(traces.differences, { comparison, context })
    .filter(({ delta }) => Math.abs(delta) >= noise)
    .sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta));
  const words = causes
    .slice(0, MOST_TIMES)
    .map(({ delta, what }) => `${delta < 0 ? "-" : "+"}${duration(Math.abs(delta))} ${what()}`);
  if (causes.length > words.length) words.push(`${count(causes.length - words.length)} more`);
  return words.length === 0 ? total : `${total}; ${words.join(", ")}`;
}

interface TimeCause {
  /** Milliseconds more in the first run. */
  delta: number;
  what(): string;
}

function timeCauses({ times, only }: TraceDifferences, names: Names): TimeCause[] {
  return [
    ...times.map(({ step, delta, itself }) => ({ delta, what: () => stepWords(step, itself, names) })),
    ...SIDES.flatMap((side) =>
      only[side].map((kind) => ({
        delta: side === "left" ? kind.sum : -kind.sum,
        what: () => `${onlyWords(kind, side, names)} (only in ${ORDINAL[side]})`,
      })),
    ),
  ];
}

function stepWords({ left }: Step, itself: boolean, names: Names): string {
  if (!left) return "";
  const node = firstOf(left);
  const name = "group" in left ? spanName(left.group.name, names) : nodeName(node, names);
  return `${name}${itself ? " itself" : ""} #${idIn(node, "left", names)}`;
}

const MOST_KINDS = 8;

export function onlyLines(comparison: RunComparison, context: ViewContext): string[] {
  const only = comparison.traces.differences?.only;
  if (!only) return [];
  return SIDES.filter((side) => only[side].length > 0).map((side) => {
    const words = only[side]
      .slice(0, MOST_KINDS)
      .map((kind) => onlyWords(kind, side, { comparison, context }));
    const more = only[side].length - words.length;
    return `only in ${ORDINAL[side]}: ${words.join(", ")}${more > 0 ? `, ${counted(more, "more kind")}` : ""}`;
  });
}

function onlyWords({ name, example, count: many }: OnlyKind, side: Side, names: Names): string {
  const level = LEVELS.has(example.span.level) ? `${example.span.level} ` : "";
  return `${many > 1 ? `${count(many)} × ` : ""}${level}${spanName(name, names)} #${idIn(example, side, names)}`;
}
