/** What can be chosen when a run is started, first time or again: contract api.md 2.4 and 2.6. */
import { z } from "zod";
import type { TriggerOptions } from "../domain/run.ts";
import * as params from "./params.ts";

export const delay = z.string().min(1).max(100).describe("1h30m or ISO date");

export const triggerOptionFields = {
  payload: params.json.optional(),
  tags: params.tags.optional(),
  queue: z.string().min(1).optional(),
  delay: delay.optional(),
  ttl: z.string().min(1).optional(),
  key: z.string().min(1).max(2048).describe("idempotency key").optional(),
  machine: z.string().min(1).optional(),
  metadata: params.object.optional(),
  version: z.string().min(1).optional(),
  max_attempts: z.int().min(1).optional(),
};

type Chosen = z.output<z.ZodObject<typeof triggerOptionFields>>;

/** Only what was chosen is in the result: `null`, `false`, `0` and `""` are payloads, absence is not. */
export function triggerOptions(chosen: Chosen): TriggerOptions {
  const options = {
    payload: chosen.payload,
    tags: chosen.tags,
    queue: chosen.queue,
    delay: chosen.delay,
    ttl: chosen.ttl,
    idempotencyKey: chosen.key,
    machine: chosen.machine,
    metadata: chosen.metadata,
    version: chosen.version,
    maxAttempts: chosen.max_attempts,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
