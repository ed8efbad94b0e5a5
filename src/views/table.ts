/** Compact rows: columns aligned, and what is the same in every row said once above them. */

export interface Column<Item> {
  /** Empty for a column that needs no heading. */
  head: string;
  cell(item: Item): string;
  /** Said once when all rows agree (`machine small-1x`); never while there is one row to look at. */
  hoist?: boolean;
}

export interface Table {
  /** The heading line; empty when no column has a heading. */
  head: string;
  rows: string[];
  /** `machine small-1x, region us-east-1 for all`; absent when nothing is the same throughout. */
  constants?: string;
}

/** A column all of whose cells are `-` or empty says nothing and is left out. */
export function table<Item>(items: readonly Item[], columns: readonly Column<Item>[]): Table {
  const hoisted: string[] = [];
  const shown: { head: string; cells: string[] }[] = [];
  for (const column of columns) {
    const cells = items.map((item) => column.cell(item));
    const first = cells[0];
    if (cells.every((cell) => cell === "-" || cell === "")) continue;
    const constant = cells.length > 1 && cells.every((cell) => cell === first);
    if (column.hoist && constant) hoisted.push(`${column.head} ${first}`);
    else shown.push({ head: column.head, cells });
  }
  const widths = shown.map(({ head, cells }) =>
    cells.reduce((most, cell) => Math.max(most, width(cell)), width(head)),
  );
  const line = (cells: string[]): string =>
    cells
      .map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - width(cell) + 2))
      .join("")
      .trimEnd();
  return {
    head: line(shown.map(({ head }) => head)),
    rows: items.map((_, row) => line(shown.map(({ cells }) => cells[row] ?? ""))),
    ...(hoisted.length > 0 && { constants: `${hoisted.join(", ")} for all` }),
  };
}

/** Code points: what aligns in the fonts this is read in, when it is read by people at all. */
const width = (text: string): number => {
  let points = 0;
  for (const _ of text) points += 1;
  return points;
};
