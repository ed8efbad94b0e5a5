/**
 * Fits an answer into its budget. An answer is a list of blocks in reading order; what must be there is fixed text,
 * what may be left out is rows with ranks. Rows are taken by rank until the budget is spent, shown in reading order,
 * and what was left out is counted in words.
 */
import { clipToTokens, tokens } from "./tokens.ts";

export interface Row {
  text: string;
  /** Lower is kept first; equal ranks are kept from the top. Default 0. */
  rank?: number;
}

export interface Rows {
  rows: Row[];
  /** The line that stands in for what was left out; it must count it and name the call that shows it. */
  omitted?: (shown: number, total: number) => string;
}

/** Text that is always there, or rows that are there as far as the budget goes. `undefined` is no block at all. */
export type Block = string | Rows | undefined;

export interface Rendered {
  text: string;
  /** Rows shown and rows there were, over all blocks. */
  shown: number;
  total: number;
}

/** Pure: the same blocks and budget give the same text, which never costs more than `budget` tokens. */
export function render(blocks: Block[], budget: number): Rendered {
  const present = blocks.filter((block): block is string | Rows => block !== undefined && block !== "");
  const candidates: { block: number; row: number; rank: number; cost: number }[] = [];
  let spent = 0;
  present.forEach((block, at) => {
    if (typeof block === "string") {
      spent += tokens(`${block}\n`);
      return;
    }
    // The stand-in line is paid for up front: dropping the last row must never make the answer longer.
    if (block.omitted && block.rows.length > 0) {
      spent += tokens(`${block.omitted(block.rows.length, block.rows.length)}\n`);
    }
    block.rows.forEach((row, index) => {
      candidates.push({ block: at, row: index, rank: row.rank ?? 0, cost: tokens(`${row.text}\n`) });
    });
  });
  candidates.sort((a, b) => a.rank - b.rank || a.block - b.block || a.row - b.row);

  const kept = present.map(() => new Set<number>());
  /** Per block the rank of the first row there was no room for: a list must not go on behind a gap. */
  const refused = new Map<number, number>();
  let shown = 0;
  for (const candidate of candidates) {
    if (refused.get(candidate.block) === candidate.rank) continue;
    if (spent + candidate.cost > budget) {
      refused.set(candidate.block, candidate.rank);
      continue;
    }
    spent += candidate.cost;
    shown += 1;
    kept[candidate.block]?.add(candidate.row);
  }

  const lines: string[] = [];
  present.forEach((block, at) => {
    if (typeof block === "string") {
      lines.push(block);
      return;
    }
    const mine = kept[at] as Set<number>;
    block.rows.forEach((row, index) => {
      if (mine.has(index)) lines.push(row.text);
    });
    if (block.omitted && mine.size < block.rows.length)
      lines.push(block.omitted(mine.size, block.rows.length));
  });
  return { text: clipToTokens(lines.join("\n"), budget), shown, total: candidates.length };
}
