/** One thing in full: lines by importance, then its values in what room is left, then what to call next. */
import { type Call, call } from "../domain/calls.ts";
import type { ViewContext } from "./answer.ts";
import { type Row, render } from "./document.ts";
import { counted } from "./format.ts";
import { nextLines } from "./next.ts";
import { type Part, partsWithin } from "./parts.ts";
import { tokens } from "./tokens.ts";

/** A line, or several that stand together; lower ranks stay longest. `undefined` is no line. */
export interface Section {
  text: string | undefined;
  rank: number;
}

/** Right after the most important lines: an answer cut short still says how to go on. */
const NEXT_RANK = 1.5;
const VALUES_RANK = 2.5;
const MOST_TOKENS = 20_000;

/** `again` is the call that made this answer: with more tokens it shows what this one leaves out. */
export function renderSections(
  sections: readonly Section[],
  values: readonly Part[],
  next: readonly Call[],
  again: Call,
  context: ViewContext,
): string {
  const lines: Row[] = sections.flatMap(({ text, rank }) => (text === undefined ? [] : [{ text, rank }]));
  const last: Row[] = (nextLines(next, context)?.split("\n") ?? []).map((text, at) => ({
    text,
    rank: at === 0 ? NEXT_RANK : VALUES_RANK,
  }));
  const larger = call(again.tool, {
    ...again.args,
    max_tokens: Math.min(MOST_TOKENS, Math.ceil((context.budget * 4) / 100) * 100),
  });
  const leftOut = (many: number, cut: readonly string[]): string => {
    const said = [
      many > 0 ? `${counted(many, "part")} left out` : undefined,
      cut.length > 0 ? `${cut.join(", ")} cut short` : undefined,
    ].filter((part) => part !== undefined);
    return `… ${said.join(", ")}: ${nextLines([larger], context)?.replace("next: ", "")}`;
  };

  const labels = values.map(({ label }) => label);
  const taken = [...lines, ...last].reduce((sum, row) => sum + tokens(`${row.text}\n`), 0);
  const room = context.budget - taken - tokens(`${leftOut(99, labels)}\n`);
  const parts = partsWithin(values, Math.max(0, room), context);
  const shown = parts.filter((part) => part.text !== "");
  const cut = shown.filter((part) => !part.whole).map(({ label }) => label);
  const lost = parts.length - shown.length;
  const rows = [...lines, ...shown.map(({ text }) => ({ text, rank: VALUES_RANK })), ...last];
  const rendered = render(
    [{ rows, omitted: (kept, total) => leftOut(total - kept + lost, cut) }],
    context.budget,
  );
  if (rendered.shown < rendered.total || (lost === 0 && cut.length === 0)) return rendered.text;
  return render([rendered.text, leftOut(lost, cut)], context.budget).text;
}
