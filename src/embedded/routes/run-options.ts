/** What a run can be started with, and its way to the engine, contract api.md 2.4, 2.6 and 2.7. */
import { z } from "zod";
import { parseDuration } from "../engine/duration.ts";
import type { Debounce, Environment, TriggerRequest } from "../engine/types.ts";
import type { StoredObject } from "../store/objects.ts";
import { formatSeconds, parseDelay, parseKeyTtl } from "./durations.ts";
import { METADATA_LIMIT } from "./metadata.ts";
import type { Packets } from "./packets.ts";

const IDEMPOTENCY_KEY_LIMIT = 2_048;
const SHORTEST_DEBOUNCE_MS = 1_000;
/** A hundred years: beyond, and soon there is no date for it. */
const LONGEST_DEBOUNCE_MS = 100 * 365 * 86_400_000;

export const IdempotencyKey = z
  .string()
  .max(IDEMPOTENCY_KEY_LIMIT, "idempotencyKey must be 2048 characters or less");

const Tag = z.string().max(128);
export const Tags = z.union([Tag, z.array(Tag).max(10)]);
export const Machine = z.enum([
  "micro",
  "small-1x",
  "small-2x",
  "medium-1x",
  "medium-2x",
  "large-1x",
  "large-2x",
]);
export const Ttl = z.union([z.string(), z.number().int().nonnegative()]);
export const Delay = z.union([z.string(), z.number()]);
export const ConcurrencyLimits = z.array(z.string().regex(/^[A-Za-z0-9_-]{1,122}$/)).max(2);
export const ConcurrencyKey = z.union([z.string(), z.number()]).transform(String);

/** Unknown keys are dropped, as the API drops them. */
export const TriggerOptions = z.object({
  tags: Tags.optional(),
  queue: z.object({ name: z.string() }).optional(),
  concurrencyKey: ConcurrencyKey.optional(),
  delay: Delay.optional(),
  ttl: Ttl.optional(),
  idempotencyKey: IdempotencyKey.optional(),
  idempotencyKeyTTL: z.string().optional(),
  idempotencyKeyOptions: z
    .object({ key: z.string(), scope: z.enum(["run", "attempt", "global"]) })
    .optional(),
  machine: Machine.optional(),
  maxAttempts: z.number().int().optional(),
  maxDuration: z.number().optional(),
  metadata: z.unknown().optional(),
  metadataType: z.string().optional(),
  payloadType: z.string().optional(),
  priority: z.number().optional(),
  debounce: z
    .object({
      key: z.string().max(512),
      delay: z.string(),
      mode: z.enum(["leading", "trailing"]).optional(),
      maxDelay: z.string().optional(),
    })
    .optional(),
  region: z.string().optional(),
  lockToVersion: z.string().optional(),
  test: z.boolean().optional(),
  parentRunId: z.string().optional(),
  resumeParentOnCompletion: z.boolean().optional(),
  gates: z
    .array(
      z.object({
        queue: z.string().min(1).max(128),
        concurrencyKey: z.string().min(1).max(128).optional(),
      }),
    )
    .max(3)
    .optional(),
  concurrency: ConcurrencyLimits.optional(),
});

export type TriggerOptions = z.infer<typeof TriggerOptions>;

/** The request cannot be carried out as it stands: 422 with these words. */
export class Unprocessable extends Error {}

/** The engine's request for a task; throws {@link Unprocessable}. */
export function triggerRequest(
  task: string,
  payload: unknown,
  options: TriggerOptions,
  { environment, packets, now }: { environment: Environment; packets: Packets; now: number },
): TriggerRequest {
  const text = payloadText(payload, options.payloadType, (path) => packets.uploaded(environment, path));
  return {
    task,
    ...defined({
      payload: text,
      payloadType: text === undefined ? undefined : "application/json",
      tags: options.tags === undefined ? undefined : distinctTags(options.tags),
      queue: options.queue?.name,
      delayUntil: delayUntil(options.delay, now),
      debounce: options.debounce && debounceOf(options.debounce),
      ttl: ttlText(options.ttl),
      idempotencyKeyTtlMs: parseKeyTtl(options.idempotencyKeyTTL),
      metadata: metadataText(options.metadata),
      isTest: options.test,
      ...sameNamed(options),
    }),
  };
}

/** Options the engine takes under the name the API gives them. */
const SAME_NAMED = [
  "concurrencyKey",
  "idempotencyKey",
  "idempotencyKeyOptions",
  "machine",
  "maxAttempts",
  "maxDuration",
  "priority",
  "region",
  "lockToVersion",
] as const satisfies (keyof TriggerOptions)[];

type SameNamed = Pick<TriggerOptions, (typeof SAME_NAMED)[number]>;

const sameNamed = (options: TriggerOptions): SameNamed =>
  Object.fromEntries(SAME_NAMED.map((name) => [name, options[name]])) as SameNamed;

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

export const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;

export const distinctTags = (tags: string | string[]): string[] => [
  ...new Set([tags].flat().filter((tag) => tag.trim() !== "")),
];

/** A number is seconds, and stored as the duration it is: 600 becomes `10m`. */
export const ttlText = (ttl: string | number | undefined): string | undefined =>
  typeof ttl === "number" ? formatSeconds(ttl) : ttl;

export function delayUntil(delay: string | number | undefined, now: number): number | undefined {
  if (delay === undefined) return undefined;
  const time = parseDelay(delay, now);
  if (time === undefined) throw new Unprocessable(`Invalid delay: ${delay}`);
  return time;
}

/** Durations, not dates: the delay counts anew from every trigger. */
function debounceOf({ key, delay, mode, maxDelay }: NonNullable<TriggerOptions["debounce"]>): Debounce {
  const delayMs = parseDuration(delay);
  const maxDelayMs = maxDelay === undefined ? undefined : parseDuration(maxDelay);
  if (delayMs === undefined || delayMs < SHORTEST_DEBOUNCE_MS || delayMs > LONGEST_DEBOUNCE_MS) {
    throw new Unprocessable(`Invalid debounce delay: ${delay}`);
  }
  if (maxDelay !== undefined && maxDelayMs === undefined) {
    throw new Unprocessable(`Invalid debounce maxDelay: ${maxDelay}`);
  }
  return { key, delayMs, trailing: mode === "trailing", ...(maxDelayMs !== undefined && { maxDelayMs }) };
}

/**
 * The payload as plain JSON text. Every type the API knows is decoded here, so that what is stored is always JSON:
 * a super+json string keeps its `json` half (dates as strings), plain text becomes a JSON string, a stored object is
 * read from the object store.
 */
export function payloadText(
  payload: unknown,
  type = "application/json",
  uploaded: (path: string) => StoredObject | undefined = () => undefined,
): string | undefined {
  if (type === "application/store") {
    const stored = uploaded(String(payload));
    if (stored === undefined) throw new Unprocessable("The stored payload was not found");
    const text = stored.body.toString("utf8");
    return stored.contentType === "application/json" ? text : payloadText(text, stored.contentType);
  }
  if (type === "application/super+json" && typeof payload === "string") {
    return JSON.stringify(parsed(payload).json ?? null);
  }
  return JSON.stringify(payload);
}

function parsed(text: string): { json?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Told below, like any other payload that is not what its type says.
  }
  throw new Unprocessable("The payload is not what its payloadType says");
}

/** Metadata comes as an object or as JSON text of one, perhaps in the super+json envelope. */
export function metadataText(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  const value = typeof metadata === "string" ? parsed(metadata) : metadata;
  if (typeof value !== "object" || Array.isArray(value))
    throw new Unprocessable("Metadata must be an object");
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > METADATA_LIMIT) {
    throw new Unprocessable(`Metadata exceeds maximum size of ${METADATA_LIMIT} bytes`);
  }
  return text;
}
