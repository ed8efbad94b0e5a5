/** The spans as rows of a tree, and which of them are to be seen. No browser needed. */
import { SPAN_FLAGS, type ViewSpan } from "../../views/run-view-shape.ts";

export interface Row {
  readonly span: ViewSpan;
  /** Position among all rows. */
  readonly place: number;
  readonly parent: Row | undefined;
  /** 0 for the head of a tree. */
  readonly depth: number;
  readonly children: Row[];
  open: boolean;
}

export const has = ({ span }: Row, flag: keyof typeof SPAN_FLAGS): boolean =>
  (span[5] & SPAN_FLAGS[flag]) !== 0;

/** In the order of the spans, all of them open. */
export function rowsOf(spans: readonly ViewSpan[]): Row[] {
  const rows: Row[] = [];
  for (const span of spans) {
    const parent = rows[span[1]];
    const row: Row = {
      span,
      place: rows.length,
      parent,
      depth: parent ? parent.depth + 1 : 0,
      children: [],
      open: true,
    };
    parent?.children.push(row);
    rows.push(row);
  }
  return rows;
}

/** Where to look first: the deepest of the failures that began it, so the first one with none below it. */
export const firstFailure = (rows: readonly Row[]): Row | undefined =>
  rows.find((row) => has(row, "error") && !row.children.some((child) => has(child, "error")));

/** Name, failure and id are searched, capitals or not. An empty query finds everything. */
export function found(rows: readonly Row[], query: string): Row[] {
  const wanted = query.trim().toLowerCase();
  return rows.filter(({ span: [id, , name, , , , , failure = ""] }) =>
    [`#${id}`, name, failure].some((text) => text.toLowerCase().includes(wanted)),
  );
}

/** What is in sight: the rows without a closed ancestor; while something is looked for, what was found and what leads there. */
export function inSight(rows: readonly Row[], hits: readonly Row[]): Row[] {
  const seen = new Set<Row>();
  if (hits.length === rows.length) {
    for (const row of rows) if (!row.parent || (row.parent.open && seen.has(row.parent))) seen.add(row);
    return [...seen];
  }
  for (const hit of hits)
    for (let at: Row | undefined = hit; at && !seen.has(at); at = at.parent) seen.add(at);
  return rows.filter((row) => seen.has(row));
}

/** Milliseconds from the beginning of the trace to its end; never 0. */
export const lengthOf = (spans: readonly ViewSpan[]): number =>
  spans.reduce((longest, [, , , at, took]) => Math.max(longest, at + took), 0.01);

/** Milliseconds between the ticks of an axis `length` long: 1, 2 or 5 of some power of ten, at most five of them. */
export function tickStep(length: number): number {
  const power = 10 ** Math.floor(Math.log10(length / 5));
  return power * ([1, 2, 5, 10].find((step) => step * power * 5 >= length) ?? 10);
}
