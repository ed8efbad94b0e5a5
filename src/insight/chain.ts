/** Which child run a run's trouble came from, one step at a time. */
import type { RunSummary } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import { findOrigin } from "./case.ts";
import type { RunFacts } from "./diagnosis.ts";
import { causeChain, failureOfRun, isSubtaskWrapper } from "./failure.ts";
import { pathTo } from "./spans.ts";

/** `seen` are the runs above, which no run may lead back to. */
export function nextInChain({ run, index }: RunFacts, seen: readonly string[]): RunSummary | undefined {
  const children = run.children.filter(({ id }) => !seen.includes(id));
  if (isBadEnd(run.status)) return failedChild({ run, truncated: false, ...(index && { index }) }, children);
  return run.status === "WAITING" ? awaitedChild(children) : undefined;
}

/** The child in whose spans the failure began; without such a trace the one the error's own words point at. */
function failedChild(facts: RunFacts, children: readonly RunSummary[]): RunSummary | undefined {
  const origin = findOrigin(facts);
  const runs = new Set(origin ? pathTo(origin).map(({ span }) => span.runId) : []);
  const crossed = children.find(({ id }) => runs.has(id));
  if (crossed) return crossed;
  const thrown = failureOfRun(facts.run);
  const wrappers = thrown ? causeChain(thrown).filter(isSubtaskWrapper) : [];
  if (wrappers.length === 0) return undefined;
  const failed = children
    .filter(({ status }) => isTerminal(status) && status !== "COMPLETED")
    .sort((a, b) => (b.finishedAt ?? b.updatedAt) - (a.finishedAt ?? a.updatedAt));
  return (
    failed.find(({ id, task }) =>
      wrappers.some(({ message }) => message.includes(id) || message.includes(task)),
    ) ?? failed[0]
  );
}

/** What has not begun keeps its parent longest; else the oldest that goes on. */
function awaitedChild(children: readonly RunSummary[]): RunSummary | undefined {
  const open = children.filter(({ status }) => !isTerminal(status));
  return (
    open.find(({ startedAt }) => startedAt === undefined) ??
    open.reduce<RunSummary | undefined>(
      (oldest, child) => (!oldest || child.createdAt < oldest.createdAt ? child : oldest),
      undefined,
    )
  );
}
