/** Failed runs by what made them fail: one group a cause, however many runs and tasks it took with it. */
import { digest, type Failure, type Frame, fingerprint, platformCode } from "./fingerprint.ts";

/** What grouping needs of a failed run. Times are Unix milliseconds. */
export interface FailedRun {
  id: string;
  task: string;
  status: string;
  version?: string;
  /** When it failed; when it was created, where the API does not tell. */
  failedAt: number;
  /** Absent where the API has no error for the run. */
  error?: Failure;
}

/**
 * - `thrown`: by the task's code or what it calls. One cause may fail several tasks.
 * - `passed_on`: a parent that fails because its child did.
 * - `platform`: the platform ended the run and gives a code; of every task a group of its own.
 * - `unexplained`: no error is known; of every task and status a group of its own.
 */
export type CauseKind = "thrown" | "passed_on" | "platform" | "unexplained";

export interface Cause {
  /** 16 hex digits, the same in every window and call. */
  key: string;
  kind: CauseKind;
  /** Raw upstream text. */
  title: string;
  frame?: Frame;
}

export interface Tally {
  name: string;
  count: number;
}

export interface FailureGroup extends Cause {
  count: number;
  /** Of the newest run of the group, as it stands; raw. */
  message?: string;
  /** Whether all of them say exactly that. */
  sameMessage: boolean;
  /** Unix milliseconds. */
  firstSeen: number;
  lastSeen: number;
  /** The most frequent first. */
  tasks: Tally[];
  versions: Tally[];
  statuses: Tally[];
  /** The newest run. */
  example: string;
}

export function causeOf(run: FailedRun): Cause {
  const { error, task, status } = run;
  if (!error) {
    return {
      key: digest("unexplained", status, task),
      kind: "unexplained",
      title: `${status} without an error`,
    };
  }
  const { key, ...found } = fingerprint(error);
  if (platformCode(error) !== undefined) return { ...found, key: digest(key, task), kind: "platform" };
  return { ...found, key, kind: error.name === "SubtaskUnwrapError" ? "passed_on" : "thrown" };
}

/** Most runs first, those that only pass a failure on behind what they pass on; pure, whatever the order of `runs`. */
export function groupFailures(runs: readonly FailedRun[]): FailureGroup[] {
  const causes = new Map<string, Members>();
  for (const run of [...runs].sort((a, b) => b.failedAt - a.failedAt || compare(a.id, b.id))) {
    const cause = causeOf(run);
    const known = causes.get(cause.key);
    if (known) known.runs.push(run);
    else causes.set(cause.key, { cause, newest: run, runs: [run] });
  }
  return [...causes.values()].map(toGroup).sort(inOrder);
}

interface Members {
  /** As the newest run shows it. */
  cause: Cause;
  newest: FailedRun;
  /** Newest first. */
  runs: FailedRun[];
}

function toGroup({ cause, newest, runs }: Members): FailureGroup {
  const message = messageOf(newest);
  return {
    ...cause,
    count: runs.length,
    ...(message !== undefined && { message }),
    sameMessage: runs.every((run) => messageOf(run) === message),
    firstSeen: runs.at(-1)?.failedAt ?? newest.failedAt,
    lastSeen: newest.failedAt,
    tasks: tally(runs.map(({ task }) => task)),
    versions: tally(runs.flatMap(({ version }) => (version === undefined ? [] : [version]))),
    statuses: tally(runs.map(({ status }) => status)),
    example: newest.id,
  };
}

const messageOf = ({ error }: FailedRun): string | undefined =>
  error && [error.name, error.message].filter((part) => part !== undefined && part !== "").join(": ");

const inOrder = (a: FailureGroup, b: FailureGroup): number =>
  Number(a.kind === "passed_on") - Number(b.kind === "passed_on") ||
  b.count - a.count ||
  b.lastSeen - a.lastSeen ||
  compare(a.key, b.key);

/** How often each occurs, the most frequent first. */
export function tally(names: Iterable<string>): Tally[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || compare(a.name, b.name));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export type Novelty = "new" | "seen" | "unknown";

/** What is known of the failures of an earlier window. */
export interface Earlier {
  /** Causes found in it. */
  keys: ReadonlySet<string>;
  /** Every failure of these tasks in it has been looked at, or there were none. */
  covers(tasks: readonly string[]): boolean;
}

/** `new` takes looking at every earlier failure of the group's tasks; one that matches is enough for `seen`. */
export function noveltyOf(group: Pick<FailureGroup, "key" | "tasks">, earlier: Earlier): Novelty {
  if (earlier.keys.has(group.key)) return "seen";
  return earlier.covers(group.tasks.map(({ name }) => name)) ? "new" : "unknown";
}
