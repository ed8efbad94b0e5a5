/** Batch triggers: the single v2 call and the two-phase v3 form, contract api.md 2.7. */
import type { Hono } from "hono";
import { z } from "zod";
import { authorize, type Check, type EnvironmentPrincipal } from "../auth/principal.ts";
import type { TokenBuckets } from "../auth/token-bucket.ts";
import { cuid } from "../engine/ids.ts";
import { EngineRefusal, type StoredRun } from "../engine/types.ts";
import type { Batches, StoredBatch } from "../store/batches.ts";
import { atomically } from "../store/transaction.ts";
import { action, route } from "./builder.ts";
import { lines } from "./lines.ts";
import { error, itemsRefused } from "./replies.ts";
import { IdempotencyKey, TriggerOptions, Unprocessable } from "./run-options.ts";
import {
  findParent,
  REQUEST_KEY,
  refusable,
  start,
  TRIGGER_BODY_LIMIT,
  type TriggerDeps,
  tokenHeaders,
  USED,
} from "./trigger.ts";

const V2_ITEMS = 500;
const V2_BODY_LIMIT = 1_000_000;
const V3_ITEMS = 1_000;
const V3_BODY_LIMIT = 131_072;

const Item = z.object({
  task: z.string(),
  payload: z.unknown().optional(),
  options: TriggerOptions.optional(),
});
const V2Body = z.object({ items: z.array(Item) });
const V3Item = Item.extend({ index: z.number().int().nonnegative() });
const V3Body = z.object({
  runCount: z.number().int().positive().max(V3_ITEMS),
  taskIdentifiers: z.array(z.string().min(1)).min(1).optional(),
  parentRunId: z.string().optional(),
  resumeParentOnCompletion: z.boolean().optional(),
  idempotencyKey: IdempotencyKey.optional(),
});

export interface BatchDeps extends TriggerDeps {
  batches: Batches;
  /** Counts items, not requests: one bucket per environment. */
  itemBuckets: TokenBuckets;
}

const REQUEST_KEY_TTL_MS = 86_400_000;

/** The client is told not to send a failed batch again, contract api.md 2.7. */
const NO_RETRY = { "x-should-retry": "false" };

const newBatchId = (): string => `batch_${cuid()}`;
const everyTask = (ids: string[]) => [...new Set(ids)].map((id) => ({ type: "tasks", id }));

export function batchRoutes(app: Hono, deps: BatchDeps): void {
  const { gates, batches, usedTokens, itemBuckets } = deps;

  route(app, "/api/v2/tasks/batch", {
    cors: true,
    action: action(
      {
        gate: gates.keysAndTokens,
        method: "POST",
        maxBody: V2_BODY_LIMIT,
        body: V2Body,
        authorize: ({ body }) => ({
          action: "batchTrigger",
          every: everyTask(body.items.map(({ task }) => task)),
          or: [{ type: "tasks" }],
        }),
      },
      ({ principal, request, body }) => {
        if (body.items.length === 0) return error(400, "Batch cannot be triggered with no items");
        if (body.items.length > V2_ITEMS) return error(400, tooManyItems(body.items.length));
        return refusable(async () => {
          const { id: environmentId } = principal.environment;
          const requestKey = request.headers.get(REQUEST_KEY);
          const known =
            requestKey && batches.byRequest(environmentId, requestKey, deps.now() - REQUEST_KEY_TTL_MS);
          if (known) return accepted(principal, known, { runCount: known.runCount });
          const batch = newBatch(principal, body.items.length);
          atomically(deps.db, () => {
            if (!usedTokens.claim(principal)) throw new Unprocessable(`Cannot batch trigger with ${USED}`);
            batches.create(batch);
            if (requestKey) batches.rememberRequest(batch, requestKey, deps.now());
            body.items.forEach((item, index) => {
              startItem(deps, principal, batch, { ...item, index });
            });
          });
          return accepted(principal, batch, { runCount: batch.runCount });
        }, NO_RETRY);
      },
    ),
  });

  route(app, "/api/v3/batches", {
    cors: true,
    action: action(
      {
        gate: gates.keysAndTokens,
        method: "POST",
        maxBody: V3_BODY_LIMIT,
        body: V3Body,
        authorize: ({ body }) => ({
          action: "batchTrigger",
          every: everyTask(body.taskIdentifiers ?? []),
          or: [{ type: "batch" }, { type: "tasks" }],
        }),
      },
      ({ principal, request, body }) =>
        refusable(async () => {
          const write = request.headers.get("x-trigger-client") === "browser";
          const known =
            body.idempotencyKey && batches.byIdempotencyKey(principal.environment.id, body.idempotencyKey);
          if (known)
            return accepted(
              principal,
              known,
              { runCount: known.runCount, isCached: true },
              { status: 200, write },
            );
          const budget = itemBuckets.take(principal.environment.id, body.runCount);
          if (!budget.allowed) return itemsRefused(budget, deps.now());
          if (!usedTokens.claim(principal)) throw new Unprocessable(`Cannot batch trigger with ${USED}`);
          const batch = { ...newBatch(principal, body.runCount), ...inherited(body) };
          batches.create(batch);
          return accepted(principal, batch, { runCount: batch.runCount, isCached: false }, { write });
        }),
    ),
  });

  route(app, "/api/v3/batches/:batchId/items", {
    cors: true,
    withoutLoader: 405,
    action: action(
      {
        gate: gates.keysAndTokens,
        method: "POST",
        authorize: ({ principal, params }) => itemsCheck(principal, params.batchId ?? ""),
      },
      ({ principal, request, params }) => {
        const type = request.headers.get("content-type") ?? "";
        if (!/^application\/(x-)?ndjson\b/.test(type)) {
          return error(415, "Content-Type must be application/x-ndjson or application/ndjson");
        }
        const batch = batches.find(principal.environment.id, params.batchId ?? "");
        if (batch === undefined) return error(422, "Batch not found");
        return refusable(() => streamItems(deps, principal, batch, request));
      },
    ),
  });
}

/** Either the right to trigger batches, or the right to write this one (which browser clients are given). */
function itemsCheck(principal: EnvironmentPrincipal, id: string): Check {
  const write: Check = { action: "write", anyOf: [{ type: "batch", id }] };
  if (authorize(principal, write)) return write;
  return { action: "batchTrigger", anyOf: [{ type: "batch", id }, { type: "tasks" }] };
}

async function streamItems(
  deps: BatchDeps,
  principal: EnvironmentPrincipal,
  batch: StoredBatch,
  request: Request,
): Promise<Response> {
  let itemsAccepted = 0;
  let itemsDeduplicated = 0;
  for await (const line of lines(request, TRIGGER_BODY_LIMIT)) {
    if (line === undefined) return error(413, "Batch item too large");
    if (line.trim() === "") continue;
    const item = parseItem(line);
    if (item instanceof Response) return item;
    if (item.index >= batch.runCount) throw new Unprocessable(`Item index ${item.index} is out of range`);
    if (deps.batches.hasItem(batch.id, item.index)) itemsDeduplicated++;
    else {
      atomically(deps.db, () => startItem(deps, principal, batch, item));
      itemsAccepted++;
    }
  }
  const enqueuedCount = deps.batches.countItems(batch.id);
  const sealed = enqueuedCount === batch.runCount;
  return Response.json({
    id: batch.id,
    itemsAccepted,
    itemsDeduplicated,
    sealed,
    ...(sealed ? {} : { enqueuedCount, expectedCount: batch.runCount }),
  });
}

type BatchItem = z.infer<typeof V3Item>;

function parseItem(line: string): BatchItem | Response {
  try {
    const parsed = V3Item.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : error(400, `Invalid item: ${parsed.error.issues[0]?.message}`);
  } catch {
    return error(400, "Invalid JSON");
  }
}

function startItem(
  deps: BatchDeps,
  principal: EnvironmentPrincipal,
  batch: StoredBatch,
  item: BatchItem,
): StoredRun {
  const options = { ...item.options, ...(batch.resumeParent ? { resumeParentOnCompletion: true } : {}) };
  const parentRunId = options.parentRunId ?? batch.parentRunId;
  const parent = findParent(deps, principal, { ...options, ...(parentRunId ? { parentRunId } : {}) });
  if (parent === "forbidden") throw new EngineRefusal(403, "Unauthorized");
  const lineage = { batchId: batch.id, ...(parent ? { parent } : {}) };
  const { run } = start(deps, principal.environment, item.task, item.payload, options, lineage);
  deps.batches.addItem(batch.id, item.index, run.friendlyId);
  return run;
}

const newBatch = (principal: EnvironmentPrincipal, runCount: number): StoredBatch => ({
  id: newBatchId(),
  environmentId: principal.environment.id,
  runCount,
  resumeParent: false,
});

const inherited = (body: z.infer<typeof V3Body>): Partial<StoredBatch> => ({
  ...(body.idempotencyKey ? { idempotencyKey: body.idempotencyKey } : {}),
  ...(body.parentRunId ? { parentRunId: body.parentRunId } : {}),
  resumeParent: body.resumeParentOnCompletion ?? false,
});

/** `x-trigger-jwt-claims` of a batch has only `sub` and `pub`. With `write` the token may also send its items. */
async function accepted(
  { environment }: EnvironmentPrincipal,
  batch: StoredBatch,
  facts: Record<string, unknown>,
  { status = 202, write = false }: { status?: number; write?: boolean } = {},
): Promise<Response> {
  const scopes = [`read:batch:${batch.id}`, ...(write ? [`write:batch:${batch.id}`] : [])];
  const headers = {
    ...(await tokenHeaders(environment, scopes)),
    "x-trigger-jwt-claims": JSON.stringify({ sub: environment.id, pub: true }),
  };
  const key = batch.idempotencyKey && "isCached" in facts ? { idempotencyKey: batch.idempotencyKey } : {};
  return Response.json({ id: batch.id, ...facts, ...key }, { status, headers });
}

const tooManyItems = (count: number): string =>
  `Batch size of ${count} is too large. Maximum allowed batch size is ${V2_ITEMS}.`;
