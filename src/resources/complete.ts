/** Candidates for the ids a caller may be typing: the newest of what exists, at most 100. */
import type { TriggerApi } from "../client/api.ts";
import { sessionKey } from "../domain/session.ts";

const MOST = 100;

const starting = (candidates: Iterable<string>, typed: string): string[] =>
  [...new Set(candidates)].filter((candidate) => candidate.startsWith(typed)).slice(0, MOST);

export async function completeRunIds(typed: string, api: TriggerApi, signal: AbortSignal): Promise<string[]> {
  const page = await api.runs.list({ limit: MOST }, { signal });
  return starting(
    page.items.map((run) => run.id),
    typed,
  );
}

export async function completeSpanIds(
  typed: string,
  runId: string,
  api: TriggerApi,
  signal: AbortSignal,
): Promise<string[]> {
  const trace = await api.runs.trace(runId, { signal });
  return starting(
    trace.spans.map((span) => span.id),
    typed,
  );
}

/** External ids where there are some, since that is what people know a conversation by. */
export async function completeSessionIds(
  typed: string,
  api: TriggerApi,
  signal: AbortSignal,
): Promise<string[]> {
  const page = await api.sessions.list({ limit: MOST }, { signal });
  const known = typed.startsWith("session_")
    ? page.items.map((session) => session.id)
    : page.items.map(sessionKey);
  return starting(known, typed);
}

/** Tasks that ran lately; the API has no list of tasks. */
export async function completeTasks(typed: string, api: TriggerApi, signal: AbortSignal): Promise<string[]> {
  const page = await api.runs.list({ limit: MOST }, { signal });
  return starting(
    page.items.map((run) => run.task),
    typed,
  );
}
