/** What spans have from those above and below them, in columns by row. */
import { type Columns, isTime } from "./columns.ts";
import type { Forest } from "./forest.ts";
import { NONE } from "./rows-by-id.ts";

/** Times are Unix milliseconds; what the columns mean is said at `SpanNode`. */
export interface Figures {
  starts: Float64Array;
  depths: Int32Array;
  sizes: Int32Array;
  failures: Int32Array;
  latest: Float64Array;
  /** The same of the whole trace. */
  start: number;
  lastActivity: number;
  errors: number;
}

export function figuresOf(columns: Columns, forest: Forest): Figures {
  const start = earliest(columns.starts);
  const figures: Figures = {
    starts: columns.starts.slice(),
    depths: new Int32Array(columns.starts.length),
    sizes: new Int32Array(columns.starts.length).fill(1),
    failures: columns.failures.slice(),
    latest: columns.latest.slice(),
    start,
    lastActivity: start,
    errors: 0,
  };
  handDown(columns, forest, figures);
  sumUp(forest, figures);
  return figures;
}

/** 0 when none is a time. */
function earliest(starts: Float64Array): number {
  let found = Number.POSITIVE_INFINITY;
  for (let row = 0; row < starts.length; row += 1) found = Math.min(found, starts[row] as number);
  return isTime(found) ? found : 0;
}

/** What a span takes from its parent: its depth, and a start where its own is unusable. */
function handDown({ durations }: Columns, { order, parents }: Forest, figures: Figures): void {
  const { starts, depths, latest } = figures;
  for (let at = 0; at < order.length; at += 1) {
    const row = order[at] as number;
    const parent = parents[row] as number;
    if (!isTime(starts[row] as number))
      starts[row] = parent === NONE ? figures.start : (starts[parent] as number);
    if (parent !== NONE) depths[row] = (depths[parent] as number) + 1;
    latest[row] = Math.max(latest[row] as number, (starts[row] as number) + (durations[row] as number));
  }
}

/** What a span has from all below it. */
function sumUp({ order, parents }: Forest, figures: Figures): void {
  const { sizes, failures, latest } = figures;
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const row = order[at] as number;
    const parent = parents[row] as number;
    if (parent === NONE) {
      figures.errors += failures[row] as number;
      figures.lastActivity = Math.max(figures.lastActivity, latest[row] as number);
      continue;
    }
    sizes[parent] = (sizes[parent] as number) + (sizes[row] as number);
    failures[parent] = (failures[parent] as number) + (failures[row] as number);
    latest[parent] = Math.max(latest[parent] as number, latest[row] as number);
  }
}
