/** What reading a run needs of a call's context, so that resources read the same way, and how a span is named. */
import type { CallOptions } from "../client/api.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import { isSpanPrefix, matchSpanIds } from "../domain/ids.ts";
import type { Trace } from "../domain/trace.ts";
import type { ToolContext } from "./define.ts";

export type ReadContext = Pick<ToolContext, "api" | "signal" | "now" | "deadline">;

export const callOptions = (context: ReadContext): CallOptions => ({
  signal: context.signal,
  deadline: context.deadline(),
});

/** A run without a trace is no missing run, and a span can be read where its trace cannot: `undefined` then. */
export async function traceIfAny(runId: string, context: ReadContext): Promise<Trace | undefined> {
  try {
    return await context.api.runs.trace(runId, callOptions(context));
  } catch (error) {
    if (isTriggerError(error) && error.code === "not_found") return undefined;
    throw error;
  }
}

const MOST_NAMED = 12;

/** Refuses what no span id can begin with, before anything is asked; `name` is the argument a refusal names. */
export function refuseUnlikeSpanId(typed: string | undefined, name: string): void {
  if (typed === undefined || isSpanPrefix(typed)) return;
  throw new TriggerError(
    "invalid_request",
    `"${name}" takes a span id, 16 hex digits or the first of them as answers show them (#c3d4); not "${typed}".`,
  );
}

/** The one span id of `known` that `typed` means; `name` is the argument a refusal names. */
export function resolveSpanId(known: Iterable<string>, typed: string, name: string, runId: string): string {
  refuseUnlikeSpanId(typed, name);
  const matches = matchSpanIds(known, typed);
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  if (only === undefined) {
    throw new TriggerError("not_found", `no span of ${runId} begins with "${typed}"`, {
      hint: "Span ids belong to one run; get_run_trace shows those of this one.",
    });
  }
  const named = matches
    .slice(0, MOST_NAMED)
    .map((id) => `#${id}`)
    .join(", ");
  const rest = matches.length > MOST_NAMED ? ` and ${matches.length - MOST_NAMED} more` : "";
  throw new TriggerError(
    "invalid_request",
    `"${typed}" begins ${matches.length} span ids: ${named}${rest}. Give more digits.`,
  );
}
