/** Small statistics, and one row of the table. */

export interface Row {
  what: string;
  measured: string;
  comparedWith: string;
  /** Measured over compared, or the reverse where more is better; absent where there is nothing to compare. */
  ratio?: number;
  target: string;
  met: boolean;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = low] =
    sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return ((low ?? 0) + (high ?? 0)) / 2;
};

/** Runs the measurements in turns, so that whatever else the machine does hits them alike; medians in milliseconds. */
export async function interleaved<Name extends string>(
  rounds: number,
  measurements: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(measurements) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) times[name].push(await measurements[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>;
}

export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;

export function table(rows: Row[]): string {
  const cells = rows.map(({ what, measured, comparedWith, ratio, target, met }) => [
    what,
    measured,
    comparedWith,
    ratio === undefined ? "" : ratio.toFixed(2),
    target,
    met ? "yes" : "NO",
  ]);
  const all = [["what", "measured", "compared with", "ratio", "target", "met"], ...cells];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
