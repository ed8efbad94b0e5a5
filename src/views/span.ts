/** One span: what it was, where it stands, why it failed, what it used, what it started. */

import { type Call, call } from "../domain/calls.ts";
import { type Exception, exceptionsOf, exceptionTitle } from "../domain/exception.ts";
import { isBadEnd, shownStatus } from "../domain/status.ts";
import type { SpanDetail } from "../domain/trace.ts";
import type { ShortIds } from "../insight/short-ids.ts";
import type { SpanNode } from "../insight/spans.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { markLines } from "./fence.ts";
import { count, counted, dateTime, duration, oneLine } from "./format.ts";
import type { Part } from "./parts.ts";
import { renderSections } from "./sections.ts";
import { viewStack } from "./stack.ts";
import { clipToTokens, tokens } from "./tokens.ts";
import { idOf } from "./trace-tree.ts";

export interface SpanData {
  /** The run that was asked: a detail repeats that one even for a span of a child run (api.md 1.5). */
  runId: string;
  span: SpanDetail;
  /** Its place in the trace; absent without a trace. */
  node?: SpanNode;
  /** Unix milliseconds of the trace's beginning. */
  start: number;
  /** Span ids to their unique prefixes. */
  ids: ShortIds;
}

/** Of the budget, what exceptions may take. */
const EXCEPTION_SHARE = 0.4;
const MOST_EXCEPTIONS = 3;

export function viewSpan(data: SpanData, context: ViewContext): Answer {
  const { span, node } = data;
  const owner = node?.span.runId ?? data.runId;
  const next = nextOf(data, owner);
  const exceptions = exceptionBlocks(exceptionsOf(span.events), context);
  const text = renderSections(
    [
      { text: headLine(data, owner, context), rank: 0 },
      { text: aboveLine(data, context), rank: 2 },
      { text: besideLine(data, context), rank: 4 },
      { text: belowLine(data, context), rank: 3 },
      ...exceptions.map((text, at) => ({ text, rank: 1 + at * 2 })),
      { text: aiLine(span, context), rank: 2 },
      { text: triggeredLines(span, context), rank: 2 },
    ],
    valuesOf(span),
    next,
    call("get_span", { run_id: data.runId, span_id: span.id }),
    context,
  );
  return {
    text,
    structured: {
      run_id: owner,
      span_id: span.id,
      ...(span.parentId !== undefined && { parent_id: span.parentId }),
      is_error: span.isError,
      ...(span.triggeredRuns.length > 0 && {
        triggered: span.triggeredRuns.map((run) => ({ run_id: run.runId, status: shownStatus(run.status) })),
      }),
      next,
    },
  };
}

const short = (text: string, context: ViewContext, length = 64): string =>
  oneLine(context.clean(text), length);

function headLine({ span, start, node }: SpanData, owner: string, context: ViewContext): string {
  const state = span.isError ? "✗ failed" : span.isCancelled ? "cancelled" : span.isPartial ? "open" : "ok";
  const took = span.isPartial ? duration(Math.max(0, context.now - span.startTime)) : duration(span.duration);
  return [
    `${short(span.message, context, 200)} #${short(span.id, context)}`,
    state,
    `${took}${node && node.children.length > 0 && !span.isPartial ? ` (${duration(node.selfTime)} its own)` : ""}`,
    `at ${start > 0 ? `${duration(Math.max(0, span.startTime - start))}, ` : ""}${dateTime(span.startTime)}`,
    span.level === "TRACE" ? undefined : short(span.level, context, 20),
    span.entityType === undefined ? undefined : short(span.entityType, context, 40),
    short(owner, context),
    context.target,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

const named = (node: SpanNode, { ids }: SpanData, context: ViewContext): string =>
  `${short(node.span.message, context, 50)} #${idOf(node, { ids, context })}${node.span.isError ? " ✗" : ""}`;

const MOST_ABOVE = 8;

function aboveLine(data: SpanData, context: ViewContext): string | undefined {
  const path: SpanNode[] = [];
  let above = 0;
  for (let at = data.node?.parent; at; at = at.parent) {
    if (path.length < MOST_ABOVE) path.push(at);
    else above += 1;
  }
  if (path.length === 0) return undefined;
  const cut = above > 0 ? `… ${count(above)} above › ` : "";
  return `above   ${cut}${path
    .reverse()
    .map((node) => named(node, data, context))
    .join(" › ")}`;
}

function besideLine(data: SpanData, context: ViewContext): string | undefined {
  const siblings = data.node?.parent?.children ?? [];
  const at = data.node ? siblings.indexOf(data.node) : -1;
  if (siblings.length < 2 || at < 0) return undefined;
  const [previous, following] = [siblings[at - 1], siblings[at + 1]];
  return [
    `beside  ${count(at + 1)} of ${count(siblings.length)}`,
    previous && `before it ${named(previous, data, context)} ${duration(previous.duration)}`,
    following && `after it ${named(following, data, context)} ${duration(following.duration)}`,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

const MOST_CHILDREN = 4;

function belowLine(data: SpanData, context: ViewContext): string | undefined {
  const { node } = data;
  if (!node || node.children.length === 0) return undefined;
  const worst = [...node.children]
    .sort((a, b) => Number(b.errors > 0) - Number(a.errors > 0) || b.duration - a.duration)
    .slice(0, MOST_CHILDREN)
    .map((child) => `${named(child, data, context)} ${duration(child.duration)}`);
  const rest =
    node.children.length > worst.length ? `, … ${count(node.children.length - worst.length)} more` : "";
  const errors = node.errors - Number(node.span.isError);
  return `below   ${counted(node.size - 1, "span")}, ${counted(errors, "error")}: ${worst.join(", ")}${rest}`;
}

function exceptionBlocks(exceptions: readonly Exception[], context: ViewContext): string[] {
  const share = Math.floor(
    (context.budget * EXCEPTION_SHARE) / Math.max(1, Math.min(exceptions.length, MOST_EXCEPTIONS)),
  );
  const shown = exceptions.slice(0, MOST_EXCEPTIONS).map((exception) => {
    const head = `✗ ${clipToTokens(markLines(context.clean(exceptionTitle(exception))), Math.floor(share / 2))}`;
    const frames =
      exception.stack === undefined
        ? []
        : viewStack(context.clean(exception.stack)).lines.filter((line) => line.startsWith("    "));
    return frames.length === 0
      ? head
      : `${head}\n${clipToTokens(frames.join("\n"), Math.max(0, share - tokens(head)))}`;
  });
  return exceptions.length > MOST_EXCEPTIONS
    ? [...shown, `… ${counted(exceptions.length - MOST_EXCEPTIONS, "more exception")}`]
    : shown;
}

/** Contract api.md 1.5: members of `ai`, all optional. */
function aiLine(span: SpanDetail, context: ViewContext): string | undefined {
  const { ai } = span;
  if (!ai) return undefined;
  const number = (name: string): number | undefined => (typeof ai[name] === "number" ? ai[name] : undefined);
  const text = (name: string): string | undefined =>
    typeof ai[name] === "string" ? short(ai[name], context) : undefined;
  const used = (name: string, label: string): string | undefined => {
    const value = number(name);
    return value === undefined ? undefined : `${count(value)} ${label}`;
  };
  const total = number("totalCost");
  const first = number("msToFirstChunk");
  const speed = number("tokensPerSecond");
  return [
    `ai      ${[text("operationName"), text("model"), text("provider")].filter((part) => part !== undefined).join(" ")}`,
    used("inputTokens", "tokens in"),
    used("outputTokens", "out"),
    used("cachedTokens", "cached"),
    used("reasoningTokens", "reasoning"),
    total === undefined ? undefined : `cost ${total}`,
    first === undefined ? undefined : `first chunk after ${duration(first)}`,
    speed === undefined ? undefined : `${Math.round(speed)} tokens/s`,
    text("finishReason") && `finished: ${text("finishReason")}`,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

const MOST_TRIGGERED = 10;

function triggeredLines({ triggeredRuns }: SpanDetail, context: ViewContext): string | undefined {
  if (triggeredRuns.length === 0) return undefined;
  const worstFirst = [...triggeredRuns].sort(
    (a, b) => Number(isBadEnd(shownStatus(b.status))) - Number(isBadEnd(shownStatus(a.status))),
  );
  const lines = worstFirst
    .slice(0, MOST_TRIGGERED)
    .map(
      (run) =>
        `  ${short(run.runId, context)} ${short(run.task, context)} ${short(shownStatus(run.status), context, 30)}`,
    );
  if (triggeredRuns.length > MOST_TRIGGERED)
    lines.push(`  … ${count(triggeredRuns.length - MOST_TRIGGERED)} more`);
  return [`triggered ${counted(triggeredRuns.length, "run")}`, ...lines].join("\n");
}

/** Attributes, what the model answered, and events that are no exceptions. */
function valuesOf(span: SpanDetail): Part[] {
  const others = span.events.filter((event) => event.properties.exception === undefined);
  const answer = span.ai?.responseText;
  return [
    ...(span.properties && Object.keys(span.properties).length > 0
      ? [{ label: "attributes", value: span.properties }]
      : []),
    ...(typeof answer === "string" && answer !== "" ? [{ label: "response", value: answer }] : []),
    ...(others.length > 0
      ? [
          {
            label: "events",
            value: others.map(({ name, time, properties }) => ({
              name,
              time: dateTime(time),
              ...properties,
            })),
          },
        ]
      : []),
  ];
}

function nextOf({ span, node, runId }: SpanData, owner: string): Call[] {
  const failed = span.triggeredRuns.find((run) => isBadEnd(shownStatus(run.status)));
  return [
    ...(failed ? [call("get_run", { run_id: failed.runId })] : []),
    ...(node && node.children.length > 0 ? [call("get_run_trace", { run_id: runId, focus: span.id })] : []),
    ...(span.isError ? [call("search_run_events", { run_id: owner, level: "WARN" })] : []),
  ];
}
