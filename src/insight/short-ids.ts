/** Ids abbreviated as far as they stay unique among their like. */

/** A prefix this long is readable and rarely becomes ambiguous while a run goes on. */
const SHORTEST = 4;

/** Id to its shortest prefix that begins no other id of `ids`, at least four characters. */
export function shortIds(ids: Iterable<string>): Map<string, string> {
  const sorted = [...new Set(ids)].sort();
  const short = new Map<string, string>();
  let before = 0;
  sorted.forEach((id, at) => {
    const after = sharedPrefix(id, sorted[at + 1] ?? "");
    short.set(id, id.slice(0, Math.max(SHORTEST, before + 1, after + 1)));
    before = after;
  });
  return short;
}

function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
