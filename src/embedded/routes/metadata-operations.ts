/** The operations of a metadata update, contract api.md 2.2: pure, on a copy. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

const Key = z.string();

export const MetadataOperations = z.array(
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("set"), key: Key, value: z.unknown() }),
    z.object({ type: z.literal("delete"), key: Key }),
    z.object({ type: z.literal("append"), key: Key, value: z.unknown() }),
    z.object({ type: z.literal("remove"), key: Key, value: z.unknown() }),
    z.object({ type: z.literal("increment"), key: Key, value: z.number() }),
    z.object({ type: z.literal("update"), value: z.record(z.string(), z.unknown()) }),
  ]),
);

export type Metadata = Record<string, unknown>;
export type MetadataOperation = z.infer<typeof MetadataOperations>[number];

/** The metadata after all operations, in order. Keys that would touch a prototype are ignored. */
export function applyOperations(metadata: Metadata, operations: MetadataOperation[]): Metadata {
  let result = structuredClone(metadata);
  for (const operation of operations) {
    if (operation.type === "update") result = structuredClone(operation.value);
    else applyAt(result, operation);
  }
  return result;
}

type KeyedOperation = Exclude<MetadataOperation, { type: "update" }>;

function applyAt(metadata: Metadata, operation: KeyedOperation): void {
  const path = pathOf(operation.key);
  if (path.some((step) => UNSAFE.has(step))) return;
  const leaf = path.pop();
  const place = walk(metadata, path, operation.type !== "delete" && operation.type !== "remove");
  if (leaf === undefined || place === undefined || !fits(place, leaf)) return;
  const current = place[leaf];
  switch (operation.type) {
    case "set":
      place[leaf] = operation.value;
      break;
    case "delete":
      delete place[leaf];
      break;
    case "append":
      place[leaf] = Array.isArray(current)
        ? [...current, operation.value]
        : current === undefined
          ? [operation.value]
          : [current, operation.value];
      break;
    case "remove":
      if (Array.isArray(current)) {
        place[leaf] = current.filter((item) => !isDeepStrictEqual(item, operation.value));
      }
      break;
    case "increment":
      place[leaf] = (typeof current === "number" ? current : 0) + operation.value;
  }
}

const UNSAFE = new Set(["__proto__", "constructor", "prototype"]);

/** `$.a.b[0]` and `$.a['x y']` are paths; any other key is a name as it stands. */
function pathOf(key: string): string[] {
  if (!key.startsWith("$.")) return [key];
  const steps = key.slice(2).matchAll(/\[(\d+)\]|\[['"]([^'"]*)['"]\]|([^.[\]]+)/g);
  return Array.from(steps, ([, index, quoted, name]) => index ?? quoted ?? name ?? "");
}

type Place = Record<string, unknown>;

/** An array is changed at its elements or grown by one: an index far beyond its end would fill the memory with holes. */
const fits = (place: Place, step: string): boolean =>
  !Array.isArray(place) || (/^\d+$/.test(step) && Number(step) <= place.length);

/** The object or array holding the leaf; made on the way when `create`. */
function walk(metadata: Metadata, path: string[], create: boolean): Place | undefined {
  let place: Place = metadata;
  for (const step of path) {
    const next = place[step];
    if (typeof next === "object" && next !== null) place = next as Place;
    else if (!create || !fits(place, step)) return undefined;
    else {
      const made: Place = {};
      place[step] = made;
      place = made;
    }
  }
  return place;
}
