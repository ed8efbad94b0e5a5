/** One span of a run. */
import { loadSpan } from "../tools/get-span.ts";
import { viewSpan } from "../views/span.ts";
import { completeRunIds, completeSpanIds } from "./complete.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const runSpan: ResourceDefinition = {
  name: "run_span",
  title: "Span",
  description: "One span: attributes, exceptions, AI usage, triggered runs.",
  uri: "trigger://runs/{runId}/spans/{spanId}",
  permission: { action: "read", type: "runs" },
  complete: {
    runId: (typed, _, { api, signal }) => completeRunIds(typed, api, signal),
    spanId: async (typed, { runId }, { api, signal }) =>
      runId === undefined ? [] : completeSpanIds(typed, runId, api, signal),
  },
  read: async ({ runId = "", spanId = "" }, context) =>
    viewSpan(await loadSpan({ run_id: runId, span_id: spanId }, readContext(context)), context.view).text,
};
