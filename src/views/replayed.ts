/** A run that was replayed: the copy, what became of it when it was followed, and how it differs from the original. */
import { type Call, call } from "../domain/calls.ts";
import { isTriggerError, type TriggerError } from "../domain/errors.ts";
import { failureTitle } from "../domain/exception.ts";
import type { Run, TriggerOptions } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import { fingerprint } from "../insight/fingerprint.ts";
import { diffJson } from "../insight/json-diff.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { comparedFacts, comparisonSections, type RunComparison } from "./comparison.ts";
import type { FollowedRun } from "./followed-run.ts";
import { count, counted, duration, oneLine } from "./format.ts";
import type { Part } from "./parts.ts";
import { wallMs } from "./run-times.ts";
import { renderSections, type Section } from "./sections.ts";
import { changeLine } from "./value-changes.ts";
import { changeHead, quoted, type Seen } from "./written.ts";

export interface Replayed {
  /** The copy's. */
  id: string;
  seen: Seen;
  original: Run;
  overrides: TriggerOptions;
  /** Those the server did not take. */
  ignored: string[];
  followed?: FollowedRun;
  /** With the copy as the first run. An error when it could not be made. */
  comparison?: RunComparison | TriggerError;
}

export function viewReplayed(
  replayed: Replayed,
  context: ViewContext,
  asked: { payload_patch?: unknown },
): Answer {
  const { id, seen, original, overrides, ignored, followed, comparison } = replayed;
  const ended = !isTriggerError(seen) && isTerminal(seen.status) ? seen : undefined;
  const was = `${quoted(original.id, context)} (${quoted(original.status, context)})`;
  const happened = `${followed && ended ? "replayed" : "replaying"} ${was} as`;
  const changed = Object.keys(overrides).filter((name) => !ignored.includes(name));
  const compared = comparison && !isTriggerError(comparison) ? comparison : undefined;
  const next = nextCalls(replayed);
  const text = renderSections(
    [
      { text: changeHead({ id, seen, happened }, context), rank: 0 },
      { text: ignored.length > 0 ? ignoredLine(ignored.map(argumentName)) : undefined, rank: 0.1 },
      { text: followed && followLine(followed, original, context), rank: 0.2 },
      { text: followed && ended && errorLine(ended, context), rank: 0.3 },
      {
        text: changed.length > 0 ? `asked to differ in ${changed.map(argumentName).join(", ")}` : undefined,
        rank: 1,
      },
      ...(asked.payload_patch === undefined || compared ? [] : patchSections(original, overrides, context)),
      ...comparisonPart(comparison, original, context),
    ],
    followed && ended && !compared ? outputOf(ended) : [],
    next,
    again(replayed, compared),
    context,
  );
  return {
    text,
    structured: {
      ...(compared && comparedFacts(compared)),
      run_id: id,
      ...(!isTriggerError(seen) && { status: seen.status }),
      original_run_id: original.id,
      ...(ignored.length > 0 && { ignored: ignored.map(argumentName) }),
      ...(followed && { state: followed.state }),
      ...(followed && !ended && { cursor: followed.cursor }),
      next,
    },
  };
}

const argumentName = (option: string): string =>
  option === "idempotencyKey" ? "key" : option === "maxAttempts" ? "max_attempts" : option;

const ignoredLine = (names: string[]): string =>
  `The server did not take the new ${names.join(", ")}: the copy runs with the original's. Servers before 4.8.3 replay without overrides; trigger_task starts a run with your own values.`;

/** `passes now: took 1.9s, 1 attempt; the original took 4.21s, 3 attempts`, or how far it has come. */
function followLine({ run, took, busy }: FollowedRun, original: Run, context: ViewContext): string {
  if (!isTerminal(run.status)) {
    const doing = busy ? `, busy with ${oneLine(context.clean(busy.message), 80)}` : "";
    return `still ${quoted(run.status, context)} after ${duration(took)}${doing}: it goes on by itself`;
  }
  const [times, before] = [run, original].map(
    (each) => `took ${duration(wallMs(each))}, ${counted(each.attemptCount, "attempt")}`,
  );
  const verdict = verdictOf(run, original);
  return `${verdict === undefined ? "" : `${verdict}: `}${times}; the original ${before}`;
}

function verdictOf(copy: Run, original: Run): string | undefined {
  if (copy.status === "COMPLETED") return isBadEnd(original.status) ? "passes now" : undefined;
  if (!isBadEnd(copy.status)) return undefined;
  if (!isBadEnd(original.status)) return "fails, which the original did not";
  const [now, then] = [copy.error, original.error].map((error) => error && fingerprint(error).key);
  if (now === undefined || then === undefined) return "fails again";
  return now === then ? "fails again in the same way" : "fails again, but in another way";
}

const LONGEST_ERROR = 300;

function errorLine({ error }: Run, context: ViewContext): string | undefined {
  if (!error) return undefined;
  return `error    ${oneLine(context.clean(failureTitle(error)), LONGEST_ERROR)}`;
}

const MOST_CHANGES = 12;

/** What the patch made of the original's payload. */
function patchSections(original: Run, { payload }: TriggerOptions, context: ViewContext): Section[] {
  const { differences, total } = diffJson(original.payload, payload);
  if (total === 0) return [{ text: "the patch changes nothing: the payload is the original's", rank: 1 }];
  const told = differences.slice(0, MOST_CHANGES);
  const more = total - told.length;
  return [
    ...told.map((change, at) => ({
      text: `${(at === 0 ? "payload" : "").padEnd(8)} ${changeLine(change, context.clean)}`,
      rank: 1,
    })),
    ...(more > 0 ? [{ text: `         … ${count(more)} more changes`, rank: 1 }] : []),
  ];
}

function comparisonPart(comparison: Replayed["comparison"], original: Run, context: ViewContext): Section[] {
  if (!comparison) return [];
  if (isTriggerError(comparison)) {
    return [{ text: `not compared with the original (${comparison.code})`, rank: 0.4 }];
  }
  const id = quoted(original.id, context);
  return [
    { text: `compared: the copy is the first, the original ${id} the second`, rank: 0.4 },
    ...comparisonSections(comparison, context),
  ];
}

const outputOf = ({ output }: Run): Part[] =>
  output === undefined ? [] : [{ label: "output", value: output }];

/** What shows more; never the replay itself. */
const again = ({ id, original }: Replayed, compared: RunComparison | undefined): Call =>
  compared
    ? call("compare_runs", { run_id: id, other_run_id: original.id })
    : call("get_run", { run_id: id });

function nextCalls({ id, seen, original, ignored, followed, comparison }: Replayed): Call[] {
  const cancel = call("cancel_run", { run_id: id });
  if (followed && isTerminal(followed.run.status)) {
    return [
      call(isBadEnd(followed.run.status) ? "diagnose_run" : "get_run", { run_id: id }),
      ...(comparison && !isTriggerError(comparison)
        ? []
        : [call("compare_runs", { run_id: id, other_run_id: original.id })]),
    ];
  }
  if (followed) return [call("follow_run", { run_id: id, cursor: followed.cursor }), cancel];
  const delayed = !isTriggerError(seen) && seen.status === "DELAYED";
  return [
    call("get_run", { run_id: id }),
    delayed || ignored.length > 0 ? cancel : call("follow_run", { run_id: id }),
  ];
}
