/** What a diagnosis cannot be sure of: trouble with the trace, and what was not looked at. */
import type { Diagnosis, Unread } from "../insight/diagnosis.ts";
import type { ViewContext } from "./answer.ts";
import { labelled, short, spanName } from "./diagnosis-evidence.ts";
import { count, counted, duration } from "./format.ts";

export function doubtLines(diagnosis: Diagnosis, context: ViewContext): string[] {
  const { doubts } = diagnosis;
  const id = short(diagnosis.asked.id, context);
  const lines: string[] = [];
  if (doubts.truncated)
    lines.push(
      labelled(
        "trace",
        `of ${id} was cut at the server's cap of 10,000 records: there is more than was looked at`,
      ),
    );
  if (doubts.unplaced > 0)
    lines.push(
      labelled(
        "trace",
        `${counted(doubts.unplaced, "span")} of ${id} could not be hung where the trace says`,
      ),
    );
  if (doubts.skewed)
    lines.push(
      labelled(
        "clocks",
        `${spanName(doubts.skewed, diagnosis, context)} begins ${duration(doubts.skewMs)} before its parent: clocks differ, times across that edge are not to be trusted`,
      ),
    );
  return lines;
}

const READ_AS: Record<Unread["what"], string> = {
  trace: "the trace of",
  events: "the events of",
  span: "the attributes of a span of",
  child: "the child run",
  parent: "the parent",
  history: "the task's other runs around",
  good_run: "the last good run before",
  alike: "other failed runs of the task of",
  queue: "what executes beside",
};

export function uncheckedLine(unread: readonly Unread[], context: ViewContext): string | undefined {
  if (unread.length === 0) return undefined;
  const told = unread.map(({ what, runId, why, many }) => {
    const number = many === undefined ? "" : `${count(many)} `;
    const because = why === "bound" ? "" : ` (${short(why, context, 40)})`;
    return `${number}${READ_AS[what]} ${short(runId, context)}${because}`;
  });
  return `not checked: ${told.join("; ")}`;
}
