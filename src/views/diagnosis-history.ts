/** The same failure elsewhere and since when, as far as the task's other runs were looked at. */
import type { Diagnosis } from "../insight/diagnosis.ts";
import type { History } from "../insight/history.ts";
import type { ViewContext } from "./answer.ts";
import { labelled, short } from "./diagnosis-evidence.ts";
import { age, count, counted } from "./format.ts";

export function sinceLine({ history, asked }: Diagnosis, context: ViewContext): string | undefined {
  if (!history) return undefined;
  const parts = [
    patternText(history, context),
    sameText(history, context),
    history.lastGood
      ? `last good run ${short(history.lastGood.id, context)}${onVersion(history.lastGood.version, context)}, ${age(history.lastGood.createdAt, context.now)} ago`
      : `no good run of ${short(asked.task, context)} was found before ${short(asked.id, context)}`,
  ];
  return labelled("since", parts.filter((part) => part !== undefined).join("; "));
}

const onVersion = (version: string | undefined, context: ViewContext): string =>
  version === undefined ? "" : ` on ${short(version, context)}`;

function patternText({ pattern, version, runs, whole, bad }: History, context: ViewContext): string {
  if (runs === 1) return "the only run of its task within a week";
  const seen = `${whole ? "" : "newest "}${counted(runs, "run")} around it`;
  const name = version ? short(version.name, context) : undefined;
  switch (pattern) {
    case "since_version":
      if (version?.ended === 1) return `the only ended run of version ${name}; none of other versions failed`;
      return `since version ${name}: ${count(version?.bad ?? 0)} of its ${counted(version?.ended ?? 0, "run")} failed, none of other versions did`;
    case "flaky":
      return `now and then: ${count(version?.bad ?? 0)} of ${counted(version?.ended ?? 0, "ended run")} on ${name ?? "no version"} failed`;
    case "always":
      return `all the time: no good one among the ${seen}`;
    default:
      return `${count(bad)} of the ${seen} failed`;
  }
}

function sameText({ same, looked }: History, context: ViewContext): string | undefined {
  if (looked === 0) return undefined;
  const first = same[0];
  if (!first) return `${counted(looked, "other failed run")} read, none failed this way`;
  const examples = same.slice(-2).map(({ id }) => short(id, context));
  return `the same failure in ${count(same.length)} of ${counted(looked, "other failed run")} read (${examples.join(", ")}), first seen ${age(first.failedAt, context.now)} ago`;
}
