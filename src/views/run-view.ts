/** A run's trace as data for the run view app: a bounded part of its spans, the most telling ones first to be taken. */

import { exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import { isTerminal } from "../domain/status.ts";
import type { SpanNode, TraceIndex } from "../insight/spans.ts";
import type { AppData, ViewContext } from "./answer.ts";
import { count, oneLine } from "./format.ts";
import { wallMs } from "./run-times.ts";
import { RUN_VIEW, type RunViewData, SPAN_FLAGS, type ViewSpan } from "./run-view-shape.ts";
import { brokenNotes, type TraceData } from "./trace.ts";

/** More rows than this a browser draws slowly and nobody reads. */
export const MOST_SPANS = 2_000;

const LONGEST_NAME = 100;
const LONGEST_FAILURE = 160;

export const runView: AppData<TraceData> = { ...RUN_VIEW, data: runViewData };

export function runViewData({ run, found }: TraceData, context: ViewContext): RunViewData {
  const text = (raw: string, length: number) => oneLine(context.clean(raw), length);
  const took = wallMs(run);
  const head = {
    task: text(run.task, LONGEST_NAME),
    status: text(run.status, 30),
    target: context.target,
    ...(took !== undefined && { took }),
  };
  const runs = new Map([[run.id, 0]]);
  const named = () => [...runs.keys()].map((id) => text(id, 64));
  if (!found) return { ...head, runs: named(), spans: [], total: 0, errors: 0, notes: [] };

  const { index, focus } = found;
  const kept = mostTelling(index, MOST_SPANS, focus);
  const places = new Map(kept.map((node, place) => [node, place]));
  const end = isTerminal(run.status) ? index.lastActivity : Math.max(context.now, index.lastActivity);
  const spans = kept.map((node): ViewSpan => {
    const { span } = node;
    if (!runs.has(span.runId)) runs.set(span.runId, runs.size);
    const exception = span.isError ? exceptionsOf(span.events)[0] : undefined;
    return [
      text(index.shortIds.get(span.id) ?? span.id, 32),
      (node.parent && places.get(node.parent)) ?? -1,
      text(span.message, LONGEST_NAME),
      hundredths(node.start - index.start),
      hundredths(span.isPartial ? end - node.start : node.duration),
      flagsOf(node),
      runs.get(span.runId) ?? 0,
      ...(exception ? ([text(exceptionTitle(exception), LONGEST_FAILURE)] as const) : ([] as const)),
    ];
  });
  const place = focus && places.get(focus);
  return {
    ...head,
    runs: named(),
    spans,
    total: index.size,
    errors: index.errors,
    notes: [...boundNotes(spans.length, index), ...brokenNotes(found.truncated, index)],
    ...(place !== undefined && { focus: place }),
  };
}

/** Finer than anybody can see, and half the bytes. */
const hundredths = (ms: number): number => Math.max(0, Math.round(ms * 100) / 100);

function flagsOf({ span }: SpanNode): number {
  return (
    (span.isError ? SPAN_FLAGS.error : 0) |
    (span.isPartial ? SPAN_FLAGS.open : 0) |
    (span.isCancelled ? SPAN_FLAGS.cancelled : 0) |
    (span.level === "WARN" || span.level === "ERROR" ? SPAN_FLAGS.warning : 0)
  );
}

/** At most `most` nodes with all their ancestors, depth first: `focus`, what failed, what is open, what took longest. */
function mostTelling(index: TraceIndex, most: number, focus: SpanNode | undefined): readonly SpanNode[] {
  if (index.size <= most) return index.nodes;
  const kept = new Set<SpanNode>();
  const urgency = (node: SpanNode) =>
    node === focus ? 3 : node.span.isError ? 2 : node.span.isPartial ? 1 : 0;
  const ranked = [...index.nodes].sort((a, b) => urgency(b) - urgency(a) || b.duration - a.duration);
  for (const node of ranked) {
    const path: SpanNode[] = [];
    for (let at: SpanNode | undefined = node; at && !kept.has(at); at = at.parent) {
      path.push(at);
      if (path.length > most - kept.size) break;
    }
    if (path.length <= most - kept.size) for (const member of path) kept.add(member);
    if (kept.size === most) break;
  }
  return index.nodes.filter((node) => kept.has(node));
}

const boundNotes = (shown: number, { nodes }: TraceIndex): string[] =>
  shown === nodes.length
    ? []
    : [
        `${count(shown)} of ${count(nodes.length)} spans are here: those that failed or are open, then the slowest; ${count(nodes.length - shown)} are not shown.`,
      ];
