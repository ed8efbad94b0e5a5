/** A run's span tree within a budget: contract api.md 1.3. */
import { z } from "zod";
import type { Run } from "../domain/run.ts";
import type { Trace } from "../domain/trace.ts";
import { criticalPath } from "../insight/critical-path.ts";
import { findErrors } from "../insight/errors.ts";
import { outline } from "../insight/outline.ts";
import { indexTrace, type SpanNode, subtree, type TraceIndex } from "../insight/spans.ts";
import { largestOf, openUntilOf, scaleOf } from "../insight/timeline.ts";
import { runView } from "../views/run-view.ts";
import { BAR_WIDTH } from "../views/timeline.ts";
import { type FoundTrace, type TraceData, viewTrace } from "../views/trace.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext, refuseUnlikeSpanId, resolveSpanId, traceIfAny } from "./reading.ts";

const VIEWS = ["tree", "errors", "critical_path", "timeline"] as const;

const input = z.object({
  run_id: params.runId,
  view: z.enum(VIEWS).default("tree"),
  focus: params.spanId.optional(),
});

export default defineTool({
  name: "get_run_trace",
  title: "Get run trace",
  summary:
    "The run's spans, child runs included: errors and slowest first, repeated siblings folded, the rest counted.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input,
  output: z.looseObject({
    run_id: z.string(),
    status: z.string(),
    spans: z.number(),
    errors: z.number(),
    shown: z.number(),
    next: nextCalls.optional(),
  }),
  run: loadTrace,
  view: viewTrace,
  app: runView,
});

interface Asked {
  view?: (typeof VIEWS)[number];
  focus?: string | undefined;
}

export async function loadTrace(asked: Asked & { run_id: string }, context: ReadContext): Promise<TraceData> {
  refuseUnlikeSpanId(asked.focus, "focus");
  const [run, trace] = await Promise.all([
    context.api.runs.retrieve(asked.run_id, callOptions(context)),
    traceIfAny(asked.run_id, context),
  ]);
  return trace ? traceData(run, trace, asked, context.now()) : { run };
}

/** Pure: what the view needs of a trace that has been read at `now`, Unix milliseconds. */
export function traceData(run: Run, trace: Trace, asked: Asked, now: number): TraceData {
  const index = indexTrace(trace.spans);
  const focus =
    asked.focus === undefined
      ? undefined
      : index.find(resolveSpanId(index.ids, asked.focus, "focus", run.id));
  return {
    run,
    found: {
      index,
      truncated: trace.truncated,
      ...(focus && { focus }),
      ...seenAs(asked.view, index, focus, openUntilOf(run, index, now)),
    },
  };
}

/** `openUntil` is the Unix millisecond up to which open spans count. */
function seenAs(
  view: Asked["view"],
  index: TraceIndex,
  focus: SpanNode | undefined,
  openUntil: number,
): Partial<FoundTrace> {
  if (view === "errors") return { errors: errorsBelow(index, focus) };
  const heads = focus ? [focus] : [...index.roots, ...index.unplaced.map(({ node }) => node)];
  if (view === "critical_path") {
    const main = largestOf(heads);
    return main ? { path: criticalPath(main, openUntil) } : {};
  }
  const rows = outline(heads);
  return view === "timeline" ? { rows, scale: scaleOf(heads, openUntil, BAR_WIDTH) } : { rows };
}

function errorsBelow(index: TraceIndex, focus: SpanNode | undefined): readonly SpanNode[] {
  const { all } = findErrors(index);
  if (!focus) return all;
  const below = new Set(subtree(index, focus));
  return all.filter((node) => below.has(node));
}
