/** How a changed run is told: what happened, the run and its state now, what to call next. */
import type { Call } from "../domain/calls.ts";
import { isTriggerError, type TriggerError } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { render } from "./document.ts";
import { age, dateTime, duration, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";

/** A run as it was read back, or why it could not be. */
export type Seen = Run | TriggerError;

export interface Written {
  id: string;
  seen: Seen;
  /** The first line up to the run's id: `started`, `added 2 tags to`. */
  happened: string;
  /** Further lines, in reading order. */
  lines?: (string | undefined)[];
  next: Call[];
  /** Beside id, status and next. */
  structured?: Record<string, unknown>;
}

/** Upstream words inside one of our lines. */
export const quoted = (text: string, context: ViewContext): string => oneLine(context.clean(text), 128);

/** `DELAYED until 2026-08-20 10:00:04Z (in 5m)`, `COMPLETED 3m ago`, `EXECUTING`, or why it is not known. */
export function stateOf(seen: Seen, context: ViewContext): string {
  if (isTriggerError(seen)) return `state not read (${seen.code})`;
  const status = quoted(seen.status, context);
  if (seen.status === "DELAYED" && seen.delayedUntil !== undefined) {
    const ahead = Math.max(0, seen.delayedUntil - context.now);
    return `${status} until ${dateTime(seen.delayedUntil)} (in ${duration(ahead)})`;
  }
  if (isTerminal(seen.status) && seen.finishedAt !== undefined)
    return `${status} ${age(seen.finishedAt, context.now)} ago`;
  return status;
}

export function written(change: Written, context: ViewContext): Answer {
  const { id, seen, lines = [], next, structured } = change;
  const known = isTriggerError(seen) ? undefined : seen;
  const { text } = render([changeHead(change, context), ...lines, nextLines(next, context)], context.budget);
  return { text, structured: { run_id: id, ...(known && { status: known.status }), ...structured, next } };
}

/** `started run_cm9… · process-order · QUEUED · dev`. */
export function changeHead(
  { id, seen, happened }: Pick<Written, "id" | "seen" | "happened">,
  context: ViewContext,
): string {
  const task = isTriggerError(seen) ? undefined : quoted(seen.task, context);
  const facts = [quoted(id, context), task, stateOf(seen, context), context.target];
  return `${happened} ${facts.filter((fact) => fact !== undefined).join(" · ")}`;
}
