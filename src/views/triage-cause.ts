/** One cause of failures as a paragraph. */
import { frameText } from "../domain/frames.ts";
import type { FailureGroup, Novelty, Tally } from "../insight/groups.ts";
import type { ViewContext } from "./answer.ts";
import { age, count, counted, oneLine } from "./format.ts";

export type NewOrKnown = FailureGroup & { novelty: Novelty };

/** Upstream text on one line. */
export const short = (text: string, context: ViewContext, length = 64): string =>
  oneLine(context.clean(text), length);

const MARKS: Record<Novelty, string> = { new: " NEW", seen: "", unknown: "" };
const LONGEST_TITLE = 200;

/** Three lines: what, where, when. `totals` are runs by task, when shares of them can be told. */
export function causeText(
  group: NewOrKnown,
  number: number,
  totals: ReadonlyMap<string, number> | undefined,
  context: ViewContext,
): string {
  const title =
    group.kind === "platform" || !group.sameMessage ? group.title : (group.message ?? group.title);
  const tasks = group.tasks.map(({ name }) => name);
  const where = [
    names(group.tasks, group.count, context),
    group.statuses.map(({ name }) => short(name, context, 30)).join(", "),
    group.frame && short(frameText(group.frame), context, 160),
    group.kind === "passed_on" ? "only passes on its child's failure" : undefined,
  ];
  const seen = [
    seenText(age(group.firstSeen, context.now), age(group.lastSeen, context.now)),
    group.versions.length === 0 ? undefined : `version ${names(group.versions, group.count, context)}`,
    totals && share(group.count, tasks, totals),
    `${group.count === 1 ? "" : "e.g. "}${short(group.example, context)}`,
  ];
  const line = (parts: (string | undefined)[]): string =>
    parts.filter((part) => part !== undefined).join(" · ");
  return [
    `${number} ×${count(group.count)}${MARKS[group.novelty]}  ${short(title, context, LONGEST_TITLE)}`,
    `   ${line(where)}`,
    `   ${line(seen)}`,
  ].join("\n");
}

const seenText = (first: string, last: string): string =>
  first === last ? `seen ${last} ago` : `first ${first} ago, last ${last} ago`;

const MOST_NAMES = 4;

/** `a`, or `a ×12, b ×2 and 3 more`: how often only where it is not all of them. */
export function names(tallies: readonly Tally[], total: number, context: ViewContext): string {
  const shown = tallies
    .slice(0, MOST_NAMES)
    .map(({ name, count: many }) => `${short(name, context)}${many === total ? "" : ` ×${count(many)}`}`);
  const rest = tallies.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? ` and ${count(rest)} more` : ""}`;
}

/** `14 of 41 runs (34%)`, when all runs of its tasks have been counted. */
function share(
  failed: number,
  tasks: readonly string[],
  totals: ReadonlyMap<string, number>,
): string | undefined {
  const counts = tasks.map((task) => totals.get(task));
  const total = counts.reduce<number>((sum, many) => sum + (many ?? Number.NaN), 0);
  if (!(total >= failed)) return undefined;
  return `${count(failed)} of ${counted(total, "run")} of ${tasks.length === 1 ? "the task" : "these tasks"} (${percent(failed / total)})`;
}

const percent = (part: number): string => (part < 0.01 ? "<1%" : `${Math.round(part * 100)}%`);
