/** The known name a mistyped one was probably meant to be. */

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Longer input is no typing mistake, and comparing it would cost its length times the candidates'. */
const LONGEST = 64;

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** `undefined` when nothing is close: at most a third of the name wrong, or one the beginning or end of the other. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  const wanted = plain(typed.slice(0, LONGEST));
  if (wanted === "") return undefined;
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const candidate = plain(name);
    const edits = distance(wanted, candidate);
    const contained = wanted.length > 2 && (candidate.startsWith(wanted) || candidate.endsWith(wanted));
    const extended = candidate.length > 2 && (wanted.startsWith(candidate) || wanted.endsWith(candidate));
    const close = edits <= Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (!close && !contained && !extended) continue;
    if (edits < fewest) {
      fewest = edits;
      best = name;
    }
  }
  return best;
}

/** `; did you mean "x"?`, or nothing when no name is close. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const name = nearest(typed, known);
  return name === undefined ? "" : `; did you mean "${name}"?`;
}
