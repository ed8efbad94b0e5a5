/** Cancel and replay, contract api.md 2.3 and 2.4. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { Check, EnvironmentPrincipal } from "../auth/principal.ts";
import { type Engine, EngineRefusal, type StoredRun, type TriggerRequest } from "../engine/types.ts";
import { readText } from "./body.ts";
import { action, type Call, route } from "./builder.ts";
import { parseKeyTtl } from "./durations.ts";
import { error, validationError } from "./replies.ts";
import {
  ConcurrencyKey,
  Delay,
  defined,
  delayUntil,
  distinctTags,
  IdempotencyKey,
  Machine,
  metadataText,
  payloadText,
  Tags,
  Ttl,
  ttlText,
  Unprocessable,
} from "./run-options.ts";

/** Strict: an override nobody knows is refused rather than lost. */
const Overrides = z
  .strictObject({
    payload: z.unknown().optional(),
    payloadType: z.enum(["application/json", "application/super+json"]).optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
    tags: Tags.optional(),
    queue: z.string().optional(),
    concurrencyKey: ConcurrencyKey.optional(),
    machine: Machine.optional(),
    version: z.string().optional(),
    region: z.string().optional(),
    delay: Delay.optional(),
    ttl: Ttl.optional(),
    idempotencyKey: IdempotencyKey.optional(),
    idempotencyKeyTTL: z.string().optional(),
    maxAttempts: z.number().int().min(1).optional(),
    maxDuration: z.number().nonnegative().optional(),
    priority: z.number().optional(),
  })
  .refine(
    ({ payloadType, payload }) => payloadType !== "application/super+json" || typeof payload === "string",
    {
      message: "payload must be a SuperJSON string when payloadType is application/super+json",
      path: ["payload"],
    },
  );

type RunCall = Pick<Call<EnvironmentPrincipal>, "principal" | "params">;

export interface RunChangeDeps {
  gates: Gates;
  engine: Engine;
  now(): number;
}

export function runChangeRoutes(app: Hono, { gates, engine, now }: RunChangeDeps): void {
  const changing = {
    find: ({ principal, params }: RunCall) => engine.runs.find(principal.environment.id, params.runId ?? ""),
    authorize: ({ params }: RunCall, run: StoredRun | undefined): Check => ({
      action: "write",
      anyOf: [{ type: "runs", id: params.runId ?? "" }, ...(run ? [{ type: "tasks", id: run.task }] : [])],
    }),
  };

  route(app, "/api/v2/runs/:runId/cancel", {
    withoutLoader: 400,
    action: action({ gate: gates.keysAndTokens, ...changing }, ({ resource: run }) => {
      engine.cancel(run);
      return Response.json({ id: run.friendlyId });
    }),
  });

  route(app, "/api/v1/runs/:runId/replay", {
    withoutLoader: 400,
    action: action({ gate: gates.keys, method: "POST", ...changing }, async ({ request, resource: run }) => {
      const text = await readText(request);
      if (text === undefined) return error(413, "Request body too large");
      const json = text === "" ? {} : parseJson(text);
      if (json === undefined) return error(400, "Invalid JSON");
      const overrides = Overrides.safeParse(json);
      if (!overrides.success) return validationError(overrides.error.issues);
      try {
        return Response.json({ id: engine.replay(run, replayRequest(overrides.data, now())).friendlyId });
      } catch (thrown) {
        if (thrown instanceof EngineRefusal || thrown instanceof Unprocessable) {
          return error(400, thrown.message);
        }
        throw thrown;
      }
    }),
  });
}

/** `payload: null` replaces the payload by null; an absent one keeps it. */
function replayRequest(overrides: z.infer<typeof Overrides>, now: number): Partial<TriggerRequest> {
  const { payload, payloadType, tags, queue, version, delay, ttl, metadata, idempotencyKeyTTL } = overrides;
  const { concurrencyKey, machine, region, idempotencyKey, maxAttempts, maxDuration, priority } = overrides;
  return defined({
    payload: payloadText(payload, payloadType),
    metadata: metadataText(metadata),
    tags: tags === undefined ? undefined : distinctTags(tags),
    queue,
    lockToVersion: version,
    delayUntil: delayUntil(delay, now),
    ttl: ttlText(ttl),
    idempotencyKeyTtlMs: parseKeyTtl(idempotencyKeyTTL),
    concurrencyKey,
    machine,
    region,
    idempotencyKey,
    maxAttempts,
    maxDuration,
    priority,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
