/** Parts of a run's payload, output and metadata by JSON path. */
import { TriggerError } from "../domain/errors.ts";
import { nearest } from "../domain/nearest.ts";
import type { Run } from "../domain/run.ts";
import { type Found, followPath, formatPath, type PathStep, parsePath } from "../insight/json-path.ts";
import type { RunSlice } from "../views/run-slices.ts";
import { isUnread } from "./comparing.ts";

const ROOTS = ["payload", "output", "metadata"] as const;
const EXAMPLE = "payload.customer.cards[0], output.rows[100:120]";

/** Throws `invalid_request` for what is no path, and for one that leads nowhere: with what there is instead. */
export const sliceRun = (run: Run, paths: readonly string[]): RunSlice[] =>
  paths.map((text) => {
    const steps = parsePath(text);
    const [root] = steps ?? [];
    if (!steps || !ROOTS.some((known) => known === root)) throw noPath(text);
    refuseUnread(run, root);
    return sliceAt(rootsOf(run), steps);
  });

function sliceAt(root: Record<string, unknown>, steps: readonly PathStep[]): RunSlice {
  const last = steps.at(-1);
  if (typeof last === "object") {
    const whole = followPath(root, steps.slice(0, -1));
    if (whole.found && typeof whole.value === "string") return { steps, value: whole.value, range: last };
  }
  const found = followPath(root, steps);
  if (!found.found) throw missing(found);
  return { steps, value: found.value };
}

/** Only what the run has: an absent output is missing, `null` is a value. */
const rootsOf = (run: Run): Record<string, unknown> =>
  Object.fromEntries(ROOTS.filter((name) => run[name] !== undefined).map((name) => [name, run[name]]));

const noPath = (text: string): TriggerError =>
  new TriggerError(
    "invalid_request",
    `"path" begins with ${ROOTS.join(", ")} and goes on with keys, indexes and ranges (${EXAMPLE}); not ${JSON.stringify(text)}.`,
  );

function refuseUnread(run: Run, root: PathStep | undefined): void {
  if ((root !== "payload" && root !== "output") || !isUnread(run, root)) return;
  throw new TriggerError(
    "unsupported",
    `the ${root} of ${run.id} is stored out of line and could not be read`,
  );
}

function missing({ at, level, missing: step }: Found & { found: false }): TriggerError {
  const where = at.length === 0 ? "The run" : formatPath(at);
  return new TriggerError(
    "invalid_request",
    `${where} has no ${formatPath([step]) || '""'}${suggestion(step, level)}; ${contents(level)}.`,
  );
}

function suggestion(step: PathStep, level: unknown): string {
  if (typeof step !== "string" || typeof level !== "object" || level === null) return "";
  const close = nearest(step, Object.keys(level));
  return close === undefined ? "" : ` (did you mean ${formatPath([close])}?)`;
}

const MOST_KEYS = 30;
const LONGEST_KEY = 60;

function contents(level: unknown): string {
  if (Array.isArray(level)) {
    return level.length === 0
      ? "it is an empty list"
      : `it is a list of ${level.length}, [0] to [${level.length - 1}]`;
  }
  if (typeof level !== "object") return `it is ${nameOf(level)}, with nothing inside`;
  const keys = Object.keys(level ?? {});
  if (level === null) return "it is null, with nothing inside";
  if (keys.length === 0) return "it is an empty object";
  const shown = keys.slice(0, MOST_KEYS).map((key) => formatPath([key]).slice(0, LONGEST_KEY));
  const more = keys.length - shown.length;
  return `it has ${shown.join(", ")}${more > 0 ? ` and ${more} more keys` : ""}`;
}

const nameOf = (value: unknown): string => (typeof value === "string" ? "text" : `a ${typeof value}`);
