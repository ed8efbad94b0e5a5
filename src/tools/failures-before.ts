/** The window of the same length before a triaged one: which of its causes were there already. */
import type { RunListQuery, RunSummary } from "../domain/run.ts";
import { causeOf, type Earlier, type FailureGroup } from "../insight/groups.ts";
import type { Before, TriageWindow } from "../views/triage.ts";
import type { ToolContext } from "./define.ts";
import { listAll, lookAt, unlessFailed, untried } from "./failed-runs.ts";
import { callOptions } from "./reading.ts";

const MOST_LISTED = 1_000;
/** Task names one request filters by. */
const MOST_TASKS = 20;

interface Question {
  /** What selected the failures of the window. */
  query: RunListQuery;
  window: TriageWindow;
  groups: readonly FailureGroup[];
  /** Failures looked at, at most. */
  limit: number;
}

/**
 * `undefined` when there is nothing to compare or its failures cannot be listed. Looks at earlier failures of the tasks that fail now, newest first, and at no more of a task once all its causes have
 * been found. Any version counts: a cause that the version before had too is not new.
 */
export async function lookBefore(
  question: Question,
  context: ToolContext,
): Promise<{ told: Before; known: Earlier } | undefined> {
  const { query, window, groups, limit } = question;
  const span = { from: Math.max(0, 2 * window.from - window.to), to: window.from - 1 };
  const tasks = new Set(groups.flatMap((group) => group.tasks.map(({ name }) => name)));
  const named = [...tasks].slice(0, MOST_TASKS);
  if (named.length === 0) return undefined;
  const { version: _, ...anyVersion } = query;
  const listed = await unlessFailed(listAll({ ...anyVersion, task: named, ...span }, MOST_LISTED, context));
  if (!listed) return undefined;
  const idle =
    listed.runs.length === 0 && (await ranNothing({ ...anyVersion, task: named, ...span }, context));

  const keys = new Set<string>();
  const wanted = (task: string): boolean =>
    groups.some((group) => !keys.has(group.key) && group.tasks.some(({ name }) => name === task));
  const looked = await lookAt(stillWanted(listed.runs, wanted, limit), context, (run) => {
    keys.add(causeOf(run).key);
    context.progress.report(`compared with ${keys.size} causes of the window before`);
  });
  const unread = new Set([...untried(listed.runs, looked), ...looked.unreadable].map(({ id }) => id));
  const unreadTasks = new Set(listed.runs.filter(({ id }) => unread.has(id)).map(({ task }) => task));
  return {
    told: {
      ...span,
      failures: listed.runs.length,
      lookedAt: looked.runs.length,
      whole: listed.whole,
      ...(idle && { idle }),
    },
    known: {
      keys,
      covers: (asked) =>
        listed.whole && asked.every((task) => named.includes(task) && !unreadTasks.has(task)),
    },
  };
}

async function ranNothing({ status: _, ...anyStatus }: RunListQuery, context: ToolContext): Promise<boolean> {
  const page = await unlessFailed(context.api.runs.list({ ...anyStatus, limit: 1 }, callOptions(context)));
  return page !== undefined && page.items.length === 0 && page.next === undefined;
}

/** Asked anew for every run: each answer may settle what later ones would have been looked at for. */
function* stillWanted(
  runs: readonly RunSummary[],
  wanted: (task: string) => boolean,
  limit: number,
): Generator<RunSummary> {
  let given = 0;
  for (const run of runs) {
    if (given >= limit) return;
    if (!wanted(run.task)) continue;
    given += 1;
    yield run;
  }
}
