/** Scores as tables: for a terminal, and for a README. */
import type { Score } from "./score.ts";

const HEADS = ["what happened", "verdict", "right", "tokens", "requests"];

const cells = ({ name, verdict, misses, tokens, requests }: Score): string[] => [
  name,
  verdict,
  misses.length === 0 ? "yes" : "no",
  String(tokens),
  String(requests),
];

export function summary(scores: Score[]): string {
  const right = scores.filter(({ misses }) => misses.length === 0).length;
  const most = Math.max(0, ...scores.map(({ tokens }) => tokens));
  const requests = scores.map((one) => one.requests).sort((a, b) => a - b);
  const median = requests[Math.floor(requests.length / 2)] ?? 0;
  return `${right} of ${scores.length} right, one call each; at most ${most} tokens; median ${median} API requests`;
}

export function plainTable(scores: Score[]): string {
  const rows = [HEADS, ...scores.map(cells)];
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const misses = scores.flatMap(({ name, misses: all }) => all.map((miss) => `${name}: ${miss}`));
  return [...rows.map(line), "", summary(scores), ...misses].join("\n");
}

export const markdownTable = (scores: Score[]): string =>
  [HEADS, HEADS.map(() => "---"), ...scores.map(cells)]
    .map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .concat("", `${summary(scores)}.`)
    .join("\n");
