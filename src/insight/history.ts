/** The failure among the task's other runs: whether they fail alike, since when, on which versions. */
import type { Run, RunSummary } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import { causeOf, type FailedRun } from "./groups.ts";

/**
 * `since_version`: every run of this version failed, runs of other versions did not; `flaky`: several bad ends on one
 * version, and good ones between or after them; `always`: no good end among all that were seen.
 */
export type Pattern = "since_version" | "flaky" | "always";

export interface History {
  /** The task's runs that were seen, this one included, and whether they are all there are in the window. */
  runs: number;
  whole: boolean;
  bad: number;
  /** Other failed runs read in full, and those of them that failed the same way, oldest first. */
  looked: number;
  same: readonly FailedRun[];
  lastGood?: RunSummary;
  /** Good ends after the earliest of `same` and this run. */
  goodSince: number;
  version?: { name: string; bad: number; ended: number };
  pattern?: Pattern;
}

export interface Neighbours {
  /** The task's runs around this one, newest first. */
  runs: readonly RunSummary[];
  whole: boolean;
  /** Failed ones among them that were read in full. */
  alike: readonly FailedRun[];
}

/** `good` is the last good run where the neighbours do not reach it. */
export function historyOf(run: Run, { runs, whole, alike }: Neighbours, good?: RunSummary): History {
  const all = runs.some(({ id }) => id === run.id) ? runs : [...runs, run];
  const ended = all.filter(({ status }) => isTerminal(status));
  const bad = all.filter(({ status }) => isBadEnd(status));
  const key = causeKey(run);
  const same = alike.filter((other) => causeOf(other).key === key).sort((a, b) => a.failedAt - b.failedAt);
  const first = Math.min(endOf(run), ...same.map(({ failedAt }) => failedAt));
  const completed = ended.filter(({ status }) => status === "COMPLETED");
  const lastGood = lastGoodBefore(run, completed) ?? good;
  const onVersion = ended.filter(({ version }) => version === run.version);
  const pattern = patternOf(run, ended, lastGood);
  return {
    runs: all.length,
    whole,
    bad: bad.length,
    looked: alike.length,
    same,
    ...(lastGood && { lastGood }),
    goodSince: completed.filter((each) => endOf(each) > first).length,
    ...(run.version !== undefined && {
      version: {
        name: run.version,
        bad: onVersion.filter(({ status }) => isBadEnd(status)).length,
        ended: onVersion.length,
      },
    }),
    ...(pattern && { pattern }),
  };
}

/** The newest good end from before the run; of the same version where there is one. */
export function lastGoodBefore(run: RunSummary, runs: readonly RunSummary[]): RunSummary | undefined {
  const before = runs
    .filter(
      ({ status, createdAt, id }) => status === "COMPLETED" && createdAt <= run.createdAt && id !== run.id,
    )
    .sort((a, b) => b.createdAt - a.createdAt);
  return before.find(({ version }) => version === run.version) ?? before[0];
}

const endOf = ({ finishedAt, createdAt }: RunSummary): number => finishedAt ?? createdAt;

const causeKey = ({ id, task, status, error, ...run }: Run): string =>
  causeOf({ id, task, status, failedAt: endOf({ id, task, status, ...run }), ...(error && { error }) }).key;

function patternOf(
  run: Run,
  ended: readonly RunSummary[],
  lastGood: RunSummary | undefined,
): Pattern | undefined {
  const isGood = ({ status }: RunSummary) => status === "COMPLETED";
  const own = ended.filter(({ version }) => version === run.version);
  const bad = own.filter(({ status }) => isBadEnd(status));
  const firstBad = Math.min(...bad.map(endOf));
  if (own.some(isGood)) {
    return bad.length > 1 && own.some((each) => isGood(each) && endOf(each) > firstBad) ? "flaky" : undefined;
  }
  const others = ended.filter(({ version }) => version !== run.version);
  if (run.version !== undefined && lastGood && !others.some(({ status }) => isBadEnd(status)))
    return "since_version";
  return ended.length > 1 && !ended.some(isGood) ? "always" : undefined;
}

/** Milliseconds from start to finish of the middle one and the longest of the good runs; `undefined` without any. */
export function usualWall(
  runs: readonly RunSummary[],
  except: string,
): { median: number; longest: number; runs: number } | undefined {
  const walls = runs
    .flatMap(({ id, status, startedAt, finishedAt }) =>
      id !== except && status === "COMPLETED" && startedAt !== undefined && finishedAt !== undefined
        ? [Math.max(0, finishedAt - startedAt)]
        : [],
    )
    .sort((a, b) => a - b);
  const [median, longest] = [walls[Math.floor(walls.length / 2)], walls.at(-1)];
  return median === undefined || longest === undefined ? undefined : { median, longest, runs: walls.length };
}
