/** The errors view: what failed by itself, each with its place, cause and first own frame; wrappers only counted. */
import { call } from "../domain/calls.ts";
import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import type { Run } from "../domain/run.ts";
import type { SpanNode } from "../insight/spans.ts";
import { count, counted, duration, oneLine } from "./format.ts";
import { viewStack } from "./stack.ts";
import { tokens } from "./tokens.ts";
import type { TraceLines } from "./trace.ts";
import { idOf, type SpanNames } from "./trace-tree.ts";

/** The same failure in several places. */
interface Failure {
  first: SpanNode;
  count: number;
}

export function errorLines(
  errors: readonly SpanNode[],
  run: Run,
  room: number,
  names: SpanNames,
): TraceLines {
  if (errors.length === 0) return noErrors(run);
  const origins = errors.filter((node) => !passesOn(node));
  const failures = alike(origins);
  const lines: string[] = [];
  let left = room;
  let shown = 0;
  let kinds = 0;
  for (const failure of failures) {
    const text = failureText(failure, names);
    const cost = tokens(`${text}\n`);
    if (cost > left && kinds > 0) break;
    left -= cost;
    lines.push(text);
    shown += failure.count;
    kinds += 1;
  }
  const wrappers = errors.length - origins.length;
  const notShown = origins.length - shown;
  const first = failures[0]?.first;
  return {
    lines,
    summary: [
      `${counted(origins.length, "span")} failed by ${origins.length === 1 ? "itself" : "themselves"}`,
      failures.length < origins.length ? `in ${counted(failures.length, "way")}` : undefined,
      wrappers > 0 ? `${count(wrappers)} only ${wrappers === 1 ? "passes" : "pass"} it on` : undefined,
      notShown > 0 ? `${count(notShown)} not shown for room: max_tokens makes some` : undefined,
    ]
      .filter((part) => part !== undefined)
      .join(", "),
    shown,
    next: first
      ? [
          call("get_span", { run_id: run.id, span_id: idOf(first, names) }),
          call("search_run_events", { run_id: run.id, level: "WARN" }),
        ]
      : [],
  };
}

function noErrors(run: Run): TraceLines {
  return {
    lines: ["No span of it is marked as failed."],
    summary: "",
    shown: 0,
    next: [call("get_run", { run_id: run.id }), call("search_run_events", { run_id: run.id, level: "WARN" })],
  };
}

const passesOn = (node: SpanNode): boolean => node.errors > 1;

/** Attempts fail alike: the same name and the same exception count as one failure, in the order they first came. */
function alike(nodes: readonly SpanNode[]): Failure[] {
  const known = new Map<string, Failure>();
  for (const node of nodes) {
    const key = `${node.span.message}\n${exceptionsOf(node.span.events).map(exceptionTitle).join("\n")}`;
    const failure = known.get(key);
    if (failure) failure.count += 1;
    else known.set(key, { first: node, count: 1 });
  }
  return [...known.values()];
}

const LONGEST_TITLE = 400;

function failureText({ first, count: times }: Failure, names: SpanNames): string {
  const { clean } = names.context;
  const exception = exceptionsOf(first.span.events)[0];
  const title = exception
    ? oneLine(clean(exceptionTitle(exception)), LONGEST_TITLE)
    : "failed without an exception";
  const own = exception?.stack === undefined ? undefined : viewStack(clean(exception.stack)).own;
  const at = duration(Math.max(0, first.start - names.start));
  return [
    `✗ ${title}${times > 1 ? `  ×${count(times)}` : ""}`,
    `  where  ${pathOf(first, names)}  at ${at}, took ${duration(first.duration)}`,
    ...(own === undefined ? [] : [`  frame  ${oneLine(own, 200)}`]),
  ].join("\n");
}

const MOST_STEPS = 6;

/** `process-order › Attempt 3 › capture payment #c3d4`, a child run's id where it begins. */
function pathOf(node: SpanNode, names: SpanNames): string {
  const { clean } = names.context;
  const steps: string[] = [];
  let above = 0;
  for (let at: SpanNode | undefined = node; at; at = at.parent) {
    if (steps.length >= MOST_STEPS) {
      above += 1;
      continue;
    }
    const entersRun = at.parent && at.parent.span.runId !== at.span.runId;
    steps.push(
      `${oneLine(clean(at.span.message), 60)}${entersRun ? ` (${oneLine(clean(at.span.runId), 64)})` : ""}`,
    );
  }
  const cut = above > 0 ? `… ${count(above)} above › ` : "";
  return `${cut}${steps.reverse().join(" › ")} #${idOf(node, names)}`;
}
