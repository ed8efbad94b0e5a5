/** One span whole, with its place in the trace: contract api.md 1.5 and 1.3. */
import { z } from "zod";
import { matchSpanIds } from "../domain/ids.ts";
import { indexTrace } from "../insight/spans.ts";
import { type SpanData, viewSpan } from "../views/span.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext, refuseUnlikeSpanId, resolveSpanId, traceIfAny } from "./reading.ts";

export default defineTool({
  name: "get_span",
  title: "Get span",
  summary:
    "One span: attributes, exceptions with stacks, AI usage, runs it triggered, what is above and beside it.",
  effect: "read",
  toolset: "runs",
  permission: { action: "read", type: "runs" },
  input: z.object({ run_id: params.runId, span_id: params.spanId }),
  output: z.looseObject({
    run_id: z.string(),
    span_id: z.string(),
    parent_id: z.string().optional(),
    triggered: z.array(z.looseObject({ run_id: z.string(), status: z.string() })).optional(),
    next: nextCalls.optional(),
  }),
  run: loadSpan,
  view: viewSpan,
});

/** A whole id needs no trace to be found, so the two are asked at once; only a prefix has to wait for the trace. */
export async function loadSpan(
  asked: { run_id: string; span_id: string },
  context: ReadContext,
): Promise<SpanData> {
  refuseUnlikeSpanId(asked.span_id, "span_id");
  const options = callOptions(context);
  const typed = asked.span_id.replace(/^#/, "").toLowerCase();
  const whole = /^[0-9a-f]{16}$/.test(typed);
  const [trace, direct] = await Promise.all([
    traceIfAny(asked.run_id, context),
    whole ? context.api.runs.span(asked.run_id, typed, options) : undefined,
  ]);
  const index = indexTrace(trace?.spans ?? []);
  const id = direct
    ? (matchSpanIds(index.ids, typed)[0] ?? direct.id)
    : resolveSpanId(index.ids, asked.span_id, "span_id", asked.run_id);
  const span = direct ?? (await context.api.runs.span(asked.run_id, id, options));
  const node = index.find(id);
  return {
    runId: asked.run_id,
    span,
    start: index.start,
    ids: index.shortIds,
    ...(node && { node }),
  };
}
