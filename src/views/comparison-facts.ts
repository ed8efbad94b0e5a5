/** What two run records say differently, apart from status, times and values. */
import type { Run } from "../domain/run.ts";
import type { ViewContext } from "./answer.ts";
import { oneLine } from "./format.ts";

const FACTS: readonly [name: string, of: (run: Run) => string | undefined][] = [
  ["version", (run) => run.version],
  ["region", (run) => run.region],
  ["attempts", (run) => String(run.attemptCount)],
  ["tags", (run) => [...run.tags].sort().join(", ")],
  ["test run", (run) => (run.isTest ? "yes" : "no")],
  ["kind", (run) => run.taskKind],
  ["started by", (run) => run.triggerFunction],
  ["schedule", (run) => run.schedule?.id],
  ["parent task", (run) => run.parent?.task],
  ["ttl", (run) => run.ttl],
  ["environment", (run) => run.env?.name],
];

/** `line` is absent when nothing differs; `same` names what both have alike. */
export function factDifferences(
  left: Run,
  right: Run,
  context: ViewContext,
): { line: string | undefined; same: string[] } {
  const differing: string[] = [];
  const same: string[] = [];
  for (const [name, of] of FACTS) {
    const [one, other] = [of(left) ?? "", of(right) ?? ""];
    if (one === other) {
      if (one !== "" && one !== "no") same.push(name);
      continue;
    }
    const [from, to] = [one, other].map((text) => (text === "" ? "none" : oneLine(context.clean(text), 80)));
    differing.push(`${name} ${from} → ${to}`);
  }
  return { line: differing.length === 0 ? undefined : `run      ${differing.join("; ")}`, same };
}
