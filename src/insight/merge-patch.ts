/** JSON merge patch, RFC 7396: objects are merged, `null` removes a key, everything else (lists too) replaces. */
import { isObject } from "../domain/message.ts";

/** A new value; neither argument is changed. Keys are data: `__proto__` is a key like any other. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
