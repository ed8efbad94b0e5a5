/** Parts of one run's values, with all the room there is. */
import { call } from "../domain/calls.ts";
import type { Run } from "../domain/run.ts";
import { formatPath, type PathStep, type Range } from "../insight/json-path.ts";
import type { Answer, ViewContext } from "./answer.ts";
import type { Clean } from "./clean.ts";
import { oneLine } from "./format.ts";
import { isSecretName } from "./named-secrets.ts";
import { renderSections } from "./sections.ts";
import { nameOf } from "./value-changes.ts";

export interface RunSlice {
  /** `payload`, `customer`, `cards`, `0`. */
  steps: readonly PathStep[];
  value: unknown;
  /** The characters wanted of a text: taken from it after cleaning, so that no secret is cut in two before it is seen. */
  range?: Range;
}

const LONGEST_LABEL = 120;

export function viewRunSlices(run: Run, slices: readonly RunSlice[], context: ViewContext): Answer {
  const [id, task, status] = [run.id, run.task, run.status].map((text) => oneLine(context.clean(text), 128));
  const paths = slices.map(({ steps }) => formatPath(steps));
  const text = renderSections(
    [{ text: `${id} ${task} ${status} · ${context.target}`, rank: 0 }],
    slices.map((slice) => ({
      label: oneLine(context.clean(formatPath(slice.steps)), LONGEST_LABEL),
      value: shownValue(slice, context),
    })),
    [],
    call("get_run", { run_id: run.id, path: paths.length === 1 ? paths[0] : paths }),
    context,
  );
  return {
    text,
    structured: { run_id: run.id, status: run.status, attempts: run.attemptCount, paths, next: [] },
  };
}

/** What is secret by its name stays under it, so that it is known for one. */
function shownValue({ steps, value, range }: RunSlice, { clean }: { clean: Clean }): unknown {
  const name = nameOf(steps);
  if (range && typeof value === "string") return clean(value, name).slice(range.from, range.to);
  return isSecretName(name) ? { [name]: value } : value;
}
