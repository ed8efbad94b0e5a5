/** Ids abbreviated as far as they stay unique among their like. */

/** A prefix this long is readable and rarely becomes ambiguous while a run goes on. */
const SHORTEST = 4;

/** Ids to their shortest prefixes; `undefined` for ids it was not made of. */
export interface ShortIds {
  get(id: string): string | undefined;
}

/**
 * The shortest prefix that begins no other id of `named`, at least four characters. Of a trace's ids only few are ever
 * shown, so ids are only put together by how they begin, and compared with their like when one is asked for.
 * `beginnings` are their {@link beginningOf}, for whoever has them already.
 */
export function shortIds(
  named: readonly { readonly id: string }[],
  beginnings: ArrayLike<number> = named.map(({ id }) => beginningOf(id)),
): ShortIds {
  let buckets = 1;
  while (buckets < named.length) buckets *= 2;
  const newest = new Int32Array(buckets).fill(-1);
  const older = new Int32Array(named.length);
  for (let at = 0; at < named.length; at += 1) {
    const bucket = (beginnings[at] as number) & (buckets - 1);
    older[at] = newest[bucket] as number;
    newest[bucket] = at;
  }
  const short = new Map<string, string>();
  return {
    get(id) {
      if (short.has(id)) return short.get(id);
      const alike: string[] = [];
      for (let at = newest[beginningOf(id) & (buckets - 1)] ?? -1; at >= 0; at = older[at] ?? -1) {
        alike.push(named[at]?.id ?? "");
      }
      shorten(alike, short);
      return short.get(id);
    },
  };
}

/** Sorted, an id shares most with one of its neighbours. */
function shorten(ids: readonly string[], short: Map<string, string>): void {
  const sorted = [...new Set(ids)].sort();
  let before = 0;
  sorted.forEach((id, at) => {
    const after = sharedPrefix(id, sorted[at + 1] ?? "");
    short.set(id, id.slice(0, Math.max(SHORTEST, before + 1, after + 1)));
    before = after;
  });
}

/** A number of the first {@link SHORTEST} characters: only ids alike in all of these are told apart by more. */
export function beginningOf(id: string): number {
  let hash = 0;
  for (let at = 0; at < SHORTEST; at += 1)
    hash = Math.imul(hash, 31) + (at < id.length ? id.charCodeAt(at) : 0);
  return hash ^ (hash >>> 15);
}

function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
