/** Text that records hold in pieces is cleaned as one: a secret in it would look like none in any of them. */
import { deltaOf, withDelta } from "../domain/deltas.ts";
import type { Clean } from "./clean.ts";

/** The same records; of a text with a secret in it all is in its first piece. */
export function cleanPieces<Item extends { data?: unknown }>(items: readonly Item[], clean: Clean): Item[] {
  const texts = new Map<string, string>();
  for (const { data } of items) {
    const delta = deltaOf(data);
    if (delta) texts.set(delta.key, (texts.get(delta.key) ?? "") + delta.text);
  }
  const changed = new Map([...texts].map(([key, text]) => [key, clean(text)]));
  for (const [key, text] of texts) if (changed.get(key) === text) changed.delete(key);
  if (changed.size === 0) return [...items];
  return items.map((item) => {
    const key = deltaOf(item.data)?.key ?? "";
    const text = changed.get(key);
    if (text === undefined) return item;
    changed.set(key, "");
    return { ...item, data: withDelta(item.data, text) };
  });
}
