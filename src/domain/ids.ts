/** Identifier forms, contract api.md 0.4. Only prefixes are checked: bodies have several generations. */

export const isRunId = (value: string): boolean => value.startsWith("run_");

/** `session_…` is the friendly id; anything else in its place is an external id. */
export const isSessionFriendlyId = (value: string): boolean => value.startsWith("session_");

/** True when `typed` could abbreviate a 16-hex span id (a leading `#` is tolerated). */
export const isSpanPrefix = (typed: string): boolean => /^#?[0-9a-f]{1,16}$/i.test(typed);

/** The span ids of `known` that `typed` abbreviates; an exact id wins over longer ones. */
export function matchSpanIds(known: Iterable<string>, typed: string): string[] {
  const prefix = typed.replace(/^#/, "").toLowerCase();
  const matches: string[] = [];
  for (const id of known) {
    if (id === prefix) return [id];
    if (id.startsWith(prefix)) matches.push(id);
  }
  return matches;
}
