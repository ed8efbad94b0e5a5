/** A run's attempts beside each other: whether trying again does anything for it. */
import { isTerminal } from "../domain/status.ts";
import type { Diagnosis } from "../insight/diagnosis.ts";
import type { ViewContext } from "./answer.ts";
import { labelled, short, titleOf } from "./diagnosis-evidence.ts";
import { count } from "./format.ts";

const MOST_SHOWN = 4;
const LONGEST_TITLE = 120;

export function attemptsLine(diagnosis: Diagnosis, context: ViewContext): string | undefined {
  const { attempts, alike, subject, failure } = diagnosis;
  const failed = attempts.filter(({ node, failure: thrown }) => node.span.isError || thrown);
  const all = Math.max(attempts.length, subject.attemptCount);
  if (failed.length === 0 || (all === 1 && isTerminal(subject.status))) return undefined;
  const idOf = ({ node }: (typeof failed)[number]) =>
    `#${short(diagnosis.ids.get(node.span.id) ?? node.span.id, context, 32)}`;
  const so = `${count(failed.length)} of ${count(all)} failed${isTerminal(subject.status) ? "" : " so far"}`;
  const last = failed.slice(-MOST_SHOWN);
  if (alike === true) {
    const advice = failed.length === all ? adviceOn(diagnosis) : "";
    return labelled("attempts", `${so} the same way (${last.map(idOf).join(", ")})${advice}`);
  }
  const told = last.map((attempt) => {
    const thrown = attempt.failure;
    const same = thrown && failure && thrown.message === failure.message;
    const title = thrown ? short(titleOf(thrown), context, LONGEST_TITLE) : "";
    return `${attempt.number} ${idOf(attempt)} ${same ? "as above" : title}`.trimEnd();
  });
  return labelled(
    "attempts",
    `${so}${alike === false ? ", not the same way each time" : ""}: ${told.join("; ")}`,
  );
}

function adviceOn({ verdict, subject }: Diagnosis): string {
  if (!isTerminal(subject.status)) return "";
  if (verdict.class === "user_code" || verdict.class === "payload") {
    return ": as it stands, another retry will not help";
  }
  return verdict.class === "dependency" ? ": it did not answer well for as long as they lasted" : "";
}
