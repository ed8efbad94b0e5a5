/** As many rows as there is room for, best first; drawing them may put them into another order. */
import { tokens } from "./tokens.ts";

/** What is taken away at a time when the drawing costs more than its rows were thought to. */
const KEPT_SHARE = 0.9;

/** `rows` is read no further than `room` tokens reach by `price`; the first row always stays. */
export function fitRows<Row, Drawn extends { lines: readonly string[] }>(
  rows: Iterable<Row>,
  room: number,
  price: (row: Row) => number,
  draw: (kept: readonly Row[]) => Drawn,
): { kept: readonly Row[]; drawn: Drawn } {
  let left = room;
  let kept: Row[] = [];
  for (const row of rows) {
    left -= price(row);
    if (left < 0 && kept.length > 0) break;
    kept.push(row);
  }
  let drawn = draw(kept);
  while (kept.length > 1 && tokens(drawn.lines.join("\n")) > room) {
    kept = kept.slice(0, Math.floor(kept.length * KEPT_SHARE));
    drawn = draw(kept);
  }
  return { kept, drawn };
}
