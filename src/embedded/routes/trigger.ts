/** Triggering one task, contract api.md 2.6. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import { authorize, type EnvironmentPrincipal } from "../auth/principal.ts";
import { mintPublicToken } from "../auth/tokens.ts";
import type { UsedTokens } from "../auth/used-tokens.ts";
import { type Engine, EngineRefusal, type Environment, type StoredRun } from "../engine/types.ts";
import type { Db } from "../store/db.ts";
import { atomically } from "../store/transaction.ts";
import { action, route } from "./builder.ts";
import { parseKeyTtl } from "./durations.ts";
import type { Packets } from "./packets.ts";
import { RouteFailure } from "./plain.ts";
import { error } from "./replies.ts";
import {
  type TriggerOptions as Options,
  TriggerOptions,
  triggerRequest,
  Unprocessable,
} from "./run-options.ts";
import { isFinal } from "./status.ts";

export const TRIGGER_BODY_LIMIT = 3_145_728;

const Body = z
  .object({
    payload: z.unknown().optional(),
    context: z.unknown().optional(),
    options: TriggerOptions.optional(),
  })
  .refine(
    ({ payload, options }) =>
      options?.payloadType !== "application/store" || (typeof payload === "string" && payload !== ""),
    {
      message: "payload must be a non-empty string when payloadType is application/store",
      path: ["payload"],
    },
  );

const Headers = z.object({ "idempotency-key": z.string().max(2_048).optional() });

export interface TriggerDeps {
  db: Db;
  gates: Gates;
  engine: Engine;
  packets: Packets;
  usedTokens: UsedTokens;
  now(): number;
}

export function triggerRoutes(app: Hono, deps: TriggerDeps): void {
  const { gates, db, usedTokens } = deps;

  route(app, "/api/v1/tasks/:taskId/trigger", {
    cors: true,
    action: action(
      {
        gate: gates.keysAndTokens,
        method: "POST",
        maxBody: TRIGGER_BODY_LIMIT,
        headers: Headers,
        body: Body,
        authorize: ({ params }) => ({
          action: "trigger",
          anyOf: [{ type: "tasks", id: params.taskId ?? "" }],
        }),
      },
      async ({ principal, request, params, body }) => {
        const task = params.taskId ?? "";
        const options = withHeaders(body.options ?? {}, request);
        return refusable(async () => {
          const parent = findParent(deps, principal, options);
          if (parent === "forbidden") return error(403, "Unauthorized");
          const requestKey = request.headers.get(REQUEST_KEY);
          const lineage = { ...(parent ? { parent } : {}), ...(requestKey ? { requestKey } : {}) };
          // A one-time token that was refused for anything else has not been used.
          const { run, isCached } = atomically(db, () => {
            if (!usedTokens.claim(principal)) throw new Unprocessable(`Cannot trigger ${task} with ${USED}`);
            return start(deps, principal.environment, task, body.payload, options, lineage);
          });
          const headers = await tokenHeaders(principal.environment, [
            `read:runs:${run.friendlyId}`,
            `write:inputStreams:${run.friendlyId}`,
          ]);
          return Response.json({ id: run.friendlyId, isCached }, { headers });
        });
      },
    ),
  });
}

/** One per call of a client, kept across its own retries and remembered for a day. */
export const REQUEST_KEY = "x-trigger-request-idempotency-key";

export const USED = "a one-time use token as it has already been used.";

/** Headers win over the options that say the same. */
function withHeaders(options: Options, request: Request): Options {
  const key = request.headers.get("idempotency-key");
  const ttl = request.headers.get("idempotency-key-ttl");
  return {
    ...options,
    ...(key ? { idempotencyKey: key } : {}),
    ...(parseKeyTtl(ttl) !== undefined && ttl ? { idempotencyKeyTTL: ttl } : {}),
  };
}

/** The parent named in the options. One of another environment is no parent; one the caller may not write is refused. */
export function findParent(
  { engine }: Pick<TriggerDeps, "engine">,
  principal: EnvironmentPrincipal,
  { parentRunId, resumeParentOnCompletion }: Options,
): StoredRun | undefined | "forbidden" {
  if (parentRunId === undefined) return undefined;
  const parent = engine.runs.find(principal.environment.id, parentRunId);
  const anyOf = [{ type: "runs", id: parentRunId }, ...(parent ? [{ type: "tasks", id: parent.task }] : [])];
  if (!authorize(principal, { action: "write", anyOf })) return "forbidden";
  if (parent && resumeParentOnCompletion && isFinal(parent.status)) {
    throw new Unprocessable(`The parent run ${parentRunId} has already ended (${parent.status})`);
  }
  return parent;
}

interface Lineage {
  parent?: StoredRun;
  requestKey?: string;
  batchId?: string;
}

/** Hands one run to the engine; throws {@link Unprocessable} or an engine's refusal. */
export function start(
  { engine, packets, now }: Pick<TriggerDeps, "engine" | "packets" | "now">,
  environment: Environment,
  task: string,
  payload: unknown,
  options: Options,
  lineage: Lineage,
): { run: StoredRun; isCached: boolean } {
  const request = triggerRequest(task, payload, options, { environment, packets, now: now() });
  const kind = lineage.batchId === undefined ? "trigger" : "batchTrigger";
  return engine.trigger(environment, {
    ...request,
    ...lineage,
    triggerFunction: options.resumeParentOnCompletion ? `${kind}AndWait` : kind,
  });
}

/** 422 for what cannot be carried out, 500 with the trigger routes' own words, and `headers`, for the rest. */
export async function refusable(
  work: () => Promise<Response>,
  headers: Record<string, string> = {},
): Promise<Response> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof Unprocessable) return error(422, thrown.message);
    if (thrown instanceof EngineRefusal) return error(thrown.status, thrown.message);
    throw new RouteFailure(thrown, error(500, "Something went wrong", headers));
  }
}

/** The delegated public token for what was just started, valid 1 h. */
export async function tokenHeaders(
  environment: Environment,
  scopes: string[],
): Promise<Record<string, string>> {
  return {
    "x-trigger-jwt": await mintPublicToken(environment, { scopes }),
    "x-trigger-jwt-claims": JSON.stringify({ sub: environment.id, pub: true, scopes }),
  };
}
