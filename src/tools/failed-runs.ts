/** Failed runs with their errors, many at a time: lists to the end or a bound, details a few at once, until a deadline. */
import { type ErrorCode, isTriggerError, TriggerError } from "../domain/errors.ts";
import type { Run, RunListQuery, RunSummary } from "../domain/run.ts";
import type { FailedRun } from "../insight/groups.ts";
import { callOptions, type ReadContext } from "./reading.ts";

/** The largest page the API gives (contract api.md 1.1). */
const PAGE = 100;
/** Requests under way at the same time: fast, and far from the API's limits. */
const AT_ONCE = 6;
/** Milliseconds before the deadline in which nothing new is begun. */
const RESERVE_MS = 500;

export interface Listed {
  runs: RunSummary[];
  /** The list was followed to its end. */
  whole: boolean;
  /** Why not, when it was not the bound. */
  stopped?: ErrorCode;
}

export interface Looked {
  runs: FailedRun[];
  /** Those whose details could not be read, and why. */
  unreadable: { id: string; code: ErrorCode }[];
  /** Why no further details were asked for: the deadline, or an error that says that no request will work now. */
  stopped?: TriggerError;
}

/** What says something about one run only. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "not_found",
  "forbidden",
  "server_error",
  "contract",
  "too_large",
]);

/** Pages until the end or until `most` runs; newest first. Only a first page that fails throws. */
export async function listAll(
  query: RunListQuery,
  most: number,
  context: ReadContext,
  seen: (many: number) => void = () => {},
): Promise<Listed> {
  const runs: RunSummary[] = [];
  let after: string | undefined;
  do {
    if (runs.length > 0 && isLate(context)) return { runs, whole: false, stopped: "timeout" };
    try {
      const page = await context.api.runs.list(
        { ...query, limit: PAGE, ...(after !== undefined && { after }) },
        callOptions(context),
      );
      runs.push(...page.items);
      // A server that gives the same cursor for ever would keep us here.
      after = page.next === after ? undefined : page.next;
    } catch (error) {
      if (after === undefined || !isTriggerError(error) || error.code === "cancelled") throw error;
      return { runs, whole: false, stopped: error.code };
    }
    seen(runs.length);
  } while (after !== undefined && runs.length < most);
  return { runs, whole: after === undefined };
}

const isLate = (context: ReadContext): boolean => context.now() >= context.deadline() - RESERVE_MS;

/**
 * Retrieves each candidate and keeps what grouping needs. Candidates are taken one by one, so that a generator may
 * leave out what earlier answers have made needless. Throws only when the caller goes away.
 */
export async function lookAt(
  candidates: Iterable<RunSummary>,
  context: ReadContext,
  looked: (run: FailedRun) => void = () => {},
): Promise<Looked> {
  const found: Looked = { runs: [], unreadable: [] };
  const queue = candidates[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    while (found.stopped === undefined) {
      if (isLate(context)) {
        found.stopped = new TriggerError("timeout", "the call's deadline came first");
        return;
      }
      const next = queue.next();
      if (next.done) return;
      try {
        const run = failedRun(await context.api.runs.retrieve(next.value.id, callOptions(context)));
        found.runs.push(run);
        looked(run);
      } catch (error) {
        if (!isTriggerError(error) || error.code === "cancelled") throw error;
        const slow = error.code === "timeout" && !isLate(context);
        if (slow || PASSING.has(error.code)) found.unreadable.push({ id: next.value.id, code: error.code });
        else found.stopped = error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

/** Those of `runs` that nobody has tried to read. */
export function untried(runs: readonly RunSummary[], looked: Looked): RunSummary[] {
  const tried = new Set([...looked.runs, ...looked.unreadable].map(({ id }) => id));
  return runs.filter(({ id }) => !tried.has(id));
}

/** Payload and output are let go of at once: they may be half a megabyte each. */
const failedRun = ({ id, task, status, version, error, finishedAt, createdAt }: Run): FailedRun => ({
  id,
  task,
  status,
  failedAt: finishedAt ?? createdAt,
  ...(version !== undefined && { version }),
  ...(error && { error }),
});

/** What only adds to the answer is left out when it cannot be had. */
export async function unlessFailed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isTriggerError(error) && error.code !== "cancelled") return undefined;
    throw error;
  }
}
