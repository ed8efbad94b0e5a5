/** Follows a run until it ends or a condition is met, telling what happens as it happens. */
import type { ProgressRecord } from "../bridge/progress.ts";
import type { Run } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import type { Span } from "../domain/trace.ts";
import { busyWith, type Happening, type SpanHappening } from "../insight/happenings.ts";
import { shortIds } from "../insight/short-ids.ts";
import { type FollowedRun, newsLine, type RunFollowState } from "../views/followed-run.ts";
import type { ToolContext } from "./define.ts";
import { formatRunCursor } from "./run-cursor.ts";
import { type Look, type Since, watchRun } from "./watching-run.ts";

/** Any of them ends the following; the run's end always does. */
export interface Conditions {
  status?: string | undefined;
  /** Part of the name of a span that has ended, any case. */
  span?: string | undefined;
  /** Part of a log line, any case. */
  log?: string | undefined;
  /** Seconds in which nothing happened. */
  silence_seconds?: number | undefined;
}

export interface FollowRunRequest {
  since: Since;
  /** Unix milliseconds. */
  deadline: number;
  until?: Conditions | undefined;
}

/** Progress tells what is new at each look; the answer holds all of it. Throws what the first look throws. */
export async function followRun(
  runId: string,
  context: ToolContext,
  { since, deadline, until = {} }: FollowRunRequest,
): Promise<FollowedRun> {
  const began = context.now();
  let quietSince = typeof since === "object" ? since.quietSince : began;
  const news: Happening[] = [];
  let earlier: readonly SpanHappening[] = [];
  let last: Look | undefined;
  let met: string | undefined;
  for await (const look of watchRun(runId, context, { since, deadline })) {
    if (!last) earlier = look.earlier;
    last = look;
    if (look.news.length > 0) quietSince = context.now();
    news.push(...look.news);
    context.progress.report(newsLine(look.run, look.news, busySpan(look)), look.news.map(recordOf));
    met ??= metBy(look, until, context.now() - quietSince);
    if (met !== undefined && !isTerminal(look.run.status)) break;
  }
  // Only a caller that went away before the first look leaves none.
  if (!last) throw context.signal.reason;
  const { run, spans, truncated } = last;
  const busy = busySpan(last);
  const told = [...earlier, ...news.filter((happening) => happening.kind !== "status")];
  return {
    run,
    state: stateOf(run, met),
    ...(met !== undefined && { met }),
    news,
    earlier,
    ...(busy && { busy }),
    truncated,
    ids: shortIds(spans),
    took: context.now() - began,
    quiet: Math.max(0, context.now() - quietSince),
    cursor: formatRunCursor(run.status, told, quietSince),
  };
}

/** A run that has not begun has its root span open, and is not busy with it. */
const busySpan = ({ run, spans }: Look): Span | undefined =>
  run.startedAt === undefined ? undefined : busyWith(spans);

function stateOf({ status }: Run, met: string | undefined): RunFollowState {
  if (!isTerminal(status)) return met === undefined ? "running" : "reached";
  if (isBadEnd(status)) return "failed";
  if (status === "CANCELED") return "cancelled";
  return status === "EXPIRED" ? "expired" : "done";
}

/** The condition in words. What had happened before counts as well: whoever waits for it need not wait. */
function metBy(look: Look, until: Conditions, quiet: number): string | undefined {
  if (until.status !== undefined && look.run.status === until.status) return `status ${until.status}`;
  const happened = [...look.earlier, ...look.news];
  const { span, log } = until;
  if (span !== undefined && happened.some((one) => one.kind === "span" && holds(one.span, span))) {
    return `a span named "${span}" ended`;
  }
  if (log !== undefined && happened.some((one) => one.kind === "log" && holds(one.span, log))) {
    return `"${log}" was logged`;
  }
  const { silence_seconds: silence } = until;
  return silence !== undefined && quiet >= silence * 1000 ? `nothing happened for ${silence}s` : undefined;
}

const holds = ({ message }: Span, text: string): boolean =>
  message.toLowerCase().includes(text.toLowerCase());

function recordOf(happening: Happening): ProgressRecord {
  const { kind, at } = happening;
  if (happening.kind === "status") return { kind, chunk: { at, status: happening.status } };
  const { id, runId, message, duration, isError, level } = happening.span;
  return { kind, chunk: { at, span_id: id, run_id: runId, message, duration, is_error: isError, level } };
}
