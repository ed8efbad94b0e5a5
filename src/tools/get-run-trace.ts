/** A run's span tree within a budget: contract api.md 1.3. */
import { z } from "zod";
import { findErrors } from "../insight/errors.ts";
import { outline } from "../insight/outline.ts";
import { shortIds } from "../insight/short-ids.ts";
import { indexTrace, type SpanNode, subtree, type TraceIndex } from "../insight/spans.ts";
import { runView } from "../views/run-view.ts";
import { type TraceData, viewTrace } from "../views/trace.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext, resolveSpanId, traceIfAny } from "./reading.ts";

const input = z.object({
  run_id: params.runId,
  view: z.enum(["tree", "errors"]).default("tree"),
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

export async function loadTrace(
  asked: { run_id: string; view?: "tree" | "errors"; focus?: string | undefined },
  context: ReadContext,
): Promise<TraceData> {
  const [run, trace] = await Promise.all([
    context.api.runs.retrieve(asked.run_id, callOptions(context)),
    traceIfAny(asked.run_id, context),
  ]);
  if (!trace) return { run };
  const index = indexTrace(trace.spans);
  const focus =
    asked.focus === undefined
      ? undefined
      : index.byId.get(resolveSpanId(index.byId.keys(), asked.focus, "focus", asked.run_id));
  const heads = focus ? [focus] : [...index.roots, ...index.unplaced.map(({ node }) => node)];
  return {
    run,
    found: {
      index,
      truncated: trace.truncated,
      ids: shortIds(index.byId.keys()),
      ...(focus && { focus }),
      ...(asked.view === "errors" ? { errors: errorsBelow(index, focus) } : { rows: outline(heads) }),
    },
  };
}

function errorsBelow(index: TraceIndex, focus: SpanNode | undefined): readonly SpanNode[] {
  const { all } = findErrors(index);
  if (!focus) return all;
  const below = new Set(subtree(index, focus));
  return all.filter((node) => below.has(node));
}
