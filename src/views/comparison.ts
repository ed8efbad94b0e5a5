/** Two runs beside each other: where they first went different ways, then everything else that differs. */

import { call } from "../domain/calls.ts";
import type { Run } from "../domain/run.ts";
import { isBadEnd } from "../domain/status.ts";
import type { Side, TraceDifferences } from "../insight/differences.ts";
import type { JsonDiff } from "../insight/json-diff.ts";
import type { TraceIndex } from "../insight/spans.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { factDifferences } from "./comparison-facts.ts";
import { firstDifferenceLines, firstSpans, onlyLines, timeLine } from "./comparison-trace.ts";
import { render } from "./document.ts";
import { count, counted, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";
import { renderSections, type Section } from "./sections.ts";
import { changeLine } from "./value-changes.ts";

export interface TraceSide {
  index: TraceIndex;
  /** The server stopped at its cap. */
  truncated: boolean;
}

export interface ComparedValue {
  label: "payload" | "output" | "metadata";
  /** Stored out of line and not to be had. */
  unread?: true;
  /** Absent where there is nothing to compare. */
  diff?: JsonDiff;
}

export interface RunComparison {
  left: Run;
  right: Run;
  values: readonly ComparedValue[];
  /** A side is absent when its run has no trace. */
  traces: Partial<Record<Side, TraceSide>> & { differences?: TraceDifferences };
}

/** How the good run was found. */
export interface Chosen {
  /** Created before or after the run it is held against. */
  when: "before" | "after";
  sameVersion: boolean;
}

export type Compared =
  | { run: Run; comparison: RunComparison; chosen?: Chosen; days?: number }
  /** No good run was created in so many days before the run, nor since. */
  | { run: Run; comparison?: undefined; days: number };

export function viewCompared(compared: Compared, context: ViewContext): Answer {
  const { run, comparison } = compared;
  if (!comparison) return noPartner(run, compared.days, context);
  const because = compared.chosen && becauseOf(run, compared.chosen, compared.days ?? 0, context);
  return viewComparison(comparison, context, because);
}

/** `because`: in words, why the second run is the one to compare with. */
export function viewComparison(comparison: RunComparison, context: ViewContext, because?: string): Answer {
  const { left, right } = comparison;
  const next = nextOf(comparison);
  const text = renderSections(
    [{ text: headOf(comparison, context, because), rank: 0 }, ...comparisonSections(comparison, context)],
    [],
    next,
    call("compare_runs", { run_id: left.id, other_run_id: right.id }),
    context,
  );
  return { text, structured: { ...comparedFacts(comparison, because), next } };
}

/** Everything below the head line. */
export function comparisonSections(comparison: RunComparison, context: ViewContext): Section[] {
  const { left, right, values } = comparison;
  const facts = factDifferences(left, right, context);
  const same = [...sameValues(values), ...facts.same];
  return [
    ...firstDifferenceLines(comparison, context).map((text) => ({ text, rank: 0.5 })),
    ...values.flatMap((value) => valueSections(value, context)),
    { text: facts.line, rank: 1 },
    { text: timeLine(comparison, context), rank: 1 },
    ...onlyLines(comparison, context).map((text) => ({ text, rank: 2 })),
    { text: same.length === 0 ? undefined : `the same: ${same.join(", ")}`, rank: 2.2 },
  ];
}

/** For programs. */
export function comparedFacts(comparison: RunComparison, because?: string): Record<string, unknown> {
  const { left, right, traces, values } = comparison;
  const inValues = values.reduce((sum, { diff }) => sum + (diff?.total ?? 0), 0);
  const first = firstSpans(traces.differences);
  return {
    run_id: left.id,
    other_run_id: right.id,
    ...(because !== undefined && { chosen_because: because }),
    ...(first && { first_difference: first }),
    differences: (traces.differences?.total ?? 0) + inValues,
  };
}

const short = (text: string, context: ViewContext, length = 64): string =>
  oneLine(context.clean(text), length);

const nameOf = (run: Run, context: ViewContext): string =>
  `${short(run.id, context)} (${[run.status, run.version]
    .filter((part) => part !== undefined)
    .map((part) => short(part, context, 30))
    .join(", ")})`;

function headOf({ left, right }: RunComparison, context: ViewContext, because?: string): string {
  const [task, other] = [left, right].map((run) => short(run.task, context, 128));
  const tasks = task === other ? `${task}` : `${task} and ${other}, different tasks`;
  return `${nameOf(left, context)}  against  ${nameOf(right, context)} · ${tasks} · ${context.target}${because === undefined ? "" : `\nchosen: ${because}`}`;
}

function becauseOf(run: Run, { when, sameVersion }: Chosen, days: number, context: ViewContext): string {
  const version = run.version === undefined ? undefined : short(run.version, context);
  const found = `the last good run of ${short(run.task, context, 128)} created ${when} it`;
  const none = when === "after" ? `, none in the ${days} d before it` : "";
  if (sameVersion) return `${found}, same version${none}`;
  return version === undefined ? `${found}${none}` : `${found}; none of version ${version}${none}`;
}

/** Of differences in one value, how many come before other things, and how many are told at all. */
const FOREMOST = 4;
const MOST_TOLD = 60;

function valueSections({ label, unread, diff }: ComparedValue, context: ViewContext): Section[] {
  if (unread) {
    return [{ text: `${label.padEnd(8)} not compared: stored out of line and could not be read`, rank: 1 }];
  }
  if (!diff) return [];
  const told = diff.differences.slice(0, MOST_TOLD);
  const more = diff.total - told.length;
  const rank = label === "payload" ? 1 : 1.2;
  return [
    ...told.map((difference, at) => ({
      text: `${(at === 0 ? label : "").padEnd(8)} ${changeLine(difference, context.clean)}`,
      rank: at < FOREMOST ? rank : 2.4,
    })),
    ...(more > 0 ? [{ text: `         … ${count(more)} more differences in ${label}`, rank: 2.4 }] : []),
  ];
}

const sameValues = (values: readonly ComparedValue[]): string[] =>
  values.filter(({ diff }) => diff?.total === 0).map(({ label }) => label);

function nextOf({ left, right, traces }: RunComparison) {
  const first = firstSpans(traces.differences);
  return [
    ...(first?.span_id === undefined ? [] : [call("get_span", { run_id: left.id, span_id: first.span_id })]),
    ...(first?.other_span_id === undefined
      ? []
      : [call("get_span", { run_id: right.id, span_id: first.other_span_id })]),
    ...(isBadEnd(left.status)
      ? [call("diagnose_run", { run_id: left.id })]
      : [call("get_run_trace", { run_id: left.id })]),
  ];
}

function noPartner(run: Run, days: number, context: ViewContext): Answer {
  const next = [
    ...(isBadEnd(run.status) ? [call("diagnose_run", { run_id: run.id })] : []),
    call("list_runs", { task: run.task, status: ["COMPLETED"], period: "365d" }),
  ];
  const task = short(run.task, context, 128);
  const text = render(
    [
      `${nameOf(run, context)} · ${task} · ${context.target}`,
      `Nothing to compare it with: no other run of ${task} created in the ${counted(days, "day")} before it, or since, is COMPLETED, of any version. Name one with other_run_id.`,
      nextLines(next, context),
    ],
    context.budget,
  ).text;
  return { text, structured: { run_id: run.id, next } };
}
