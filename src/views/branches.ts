/** Rows of a tree in reading order, each with the branch that is drawn before it. */

interface Branching<Row> {
  readonly parent: Row | undefined;
  readonly depth: number;
  readonly start: number;
}

export interface Branch<Row> {
  row: Row;
  /** `│ └ `; deeper levels than those drawn are numbered. */
  drawn: string;
  /** The rows below it, in order of start. */
  children: readonly Row[];
}

/** Every row's parent is one of `rows` or absent; `levels` is how deep branches are drawn. Iterative. */
export function branches<Row extends Branching<Row>>(rows: readonly Row[], levels: number): Branch<Row>[] {
  const below = new Map<Row | undefined, Row[]>();
  for (const row of rows) {
    const siblings = below.get(row.parent);
    if (siblings) siblings.push(row);
    else below.set(row.parent, [row]);
  }
  for (const siblings of below.values()) siblings.sort((a, b) => a.start - b.start);

  const ordered: Branch<Row>[] = [];
  const stack = (below.get(undefined) ?? []).map((row) => ({ row, indent: "", branch: "" })).reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { row, indent, branch } = top;
    const children = below.get(row) ?? [];
    const drawn = row.depth > levels ? `${row.depth}› ` : `${indent}${branch}`;
    ordered.push({ row, drawn, children });
    const inner = branch === "" ? "" : indent + (branch === "├ " ? "│ " : "  ");
    for (let last = children.length - 1; last >= 0; last -= 1) {
      const child = children[last];
      if (child)
        stack.push({ row: child, indent: inner, branch: last === children.length - 1 ? "└ " : "├ " });
    }
  }
  return ordered;
}
