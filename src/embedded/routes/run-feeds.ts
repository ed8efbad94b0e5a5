/** Realtime run feeds: one run, runs by tag, a batch, contract api.md 3. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { EnvironmentPrincipal } from "../auth/principal.ts";
import { parseDuration } from "../engine/duration.ts";
import type { Engine, StoredRun } from "../engine/types.ts";
import type { Batches } from "../store/batches.ts";
import { type Call, loader, route } from "./builder.ts";
import { csv } from "./csv.ts";
import { messagesOf, offsetOf, schemaOf, timeOf } from "./electric.ts";
import { readRunCheck } from "./run-reads.ts";
import { vocabularyOf } from "./status.ts";

/** How long a live request is held, within 15 %, and how often the store is looked at meanwhile. */
const HOLD_MS = 20_000;
const LOOK_MS = 50;
const WINDOW_MS = 86_400_000;
const MAX_RUNS = 1_000;

const Query = z.object({
  offset: z.string().default("-1"),
  handle: z.string().optional(),
  shape_id: z.string().optional(),
  live: z.string().optional(),
  skipColumns: csv().optional(),
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const UNSAFE_TAG = /[\u0000-\u001f\u007f"\\]/;

const TagsQuery = Query.extend({
  tags: z
    .string()
    .transform((text) => text.split(","))
    .refine((tags) => tags.every((tag) => tag !== "" && !UNSAFE_TAG.test(tag)), { message: "Invalid tag" })
    .optional(),
  createdAt: z.string().optional(),
});

export interface RunFeedDeps {
  gates: Gates;
  engine: Engine;
  batches: Batches;
  now(): number;
}

export function runFeedRoutes(app: Hono, { gates, engine, batches, now }: RunFeedDeps): void {
  const gate = gates.keysAndTokens;

  route(app, "/realtime/v1/runs/:runId", {
    cors: true,
    loader: loader(
      {
        gate,
        query: Query,
        find: ({ principal, params }) => engine.runs.find(principal.environment.id, params.runId ?? ""),
        authorize: (_, run) => readRunCheck(run),
      },
      (call) => {
        const { id } = call.resource;
        return answer(call, `run-${id}`, () => [engine.runs.byInternalId(id) ?? call.resource]);
      },
    ),
  });

  route(app, "/realtime/v1/runs", {
    cors: true,
    loader: loader(
      {
        gate,
        query: TagsQuery,
        authorize: ({ query }) => ({
          action: "read",
          anyOf: [
            { type: "runs" },
            { type: "tags" },
            ...(query.tags ?? []).map((id) => ({ type: "tags", id })),
          ],
        }),
      },
      (call) => {
        const { tags = [], createdAt } = call.query;
        const from = pinnedWindow(call.query.handle ?? call.query.shape_id) ?? windowStart(createdAt, now());
        const { id } = call.principal.environment;
        return answer(
          call,
          `runs_${from}_0_00000000`,
          () => engine.runs.list([id], { from, everyTag: tags }, { size: MAX_RUNS }).rows,
        );
      },
    ),
  });

  route(app, "/realtime/v1/batches/:batchId", {
    cors: true,
    loader: loader(
      {
        gate,
        query: Query,
        retryNotFound: true,
        find: ({ principal, params }) => batches.find(principal.environment.id, params.batchId ?? ""),
        authorize: (_, { id }) => ({ action: "read", anyOf: [{ type: "batch", id }, { type: "runs" }] }),
      },
      (call) => {
        const { id: batch, environmentId } = call.resource;
        return answer(
          call,
          `batch_${batch}_0_00000000`,
          () => engine.runs.list([environmentId], { batch }, { size: MAX_RUNS }).rows,
        );
      },
    ),
  });
}

/** The window's start is pinned in the handle, so that it does not move while a client follows. */
const pinnedWindow = (handle: string | undefined): number | undefined => {
  const match = /^runs_(\d+)_/.exec(handle ?? "");
  return match ? Number(match[1]) : undefined;
};

/** At most a day ago, floored to the minute; what cannot be read counts as the maximum. */
function windowStart(createdAt: string | undefined, now: number): number {
  const wanted = createdAt === undefined ? undefined : parseDuration(createdAt);
  const start = now - Math.min(wanted ?? WINDOW_MS, WINDOW_MS);
  return start - (start % 60_000);
}

type FeedCall = Pick<Call<EnvironmentPrincipal, z.infer<typeof Query>>, "principal" | "request" | "query">;

/** A snapshot, or for a live request the rows changed since its offset; only `up-to-date` when the hold is over. */
async function answer(call: FeedCall, handle: string, read: () => StoredRun[]): Promise<Response> {
  const { query, request, principal } = call;
  const live = query.live === "true" && query.offset !== "-1";
  const runs = live ? await changedRuns(read, query.offset, request.signal) : read();
  const offset = offsetOf(runs);
  const since = live ? timeOf(query.offset) : 0;
  const fresh = offset === query.offset ? [] : runs.filter(({ updatedAt }) => Math.floor(updatedAt) >= since);
  const claimed = principal.kind === "public" ? principal.claims.realtime?.skipColumns : undefined;
  const skipped = claimed ?? query.skipColumns ?? [];
  const messages = messagesOf(fresh, live ? "update" : "insert", skipped, vocabularyOf(request.headers));
  return Response.json(messages, {
    headers: {
      ...shapeHeaders(request, offset, handle),
      ...(live ? { "electric-cursor": String(timeOf(offset)) } : { "electric-schema": schemaOf(skipped) }),
      "cache-control": "no-store",
      "access-control-expose-headers": "*",
    },
  });
}

/** Clients that do not name a version are told the old names. */
const shapeHeaders = (request: Request, offset: string, handle: string): Record<string, string> =>
  request.headers.get("x-trigger-electric-version")
    ? { "electric-offset": offset, "electric-handle": handle }
    : { "electric-chunk-last-offset": offset, "electric-shape-id": handle };

/** The rows as soon as they differ from `known`, or as they are when the hold ends or the client has gone. */
async function changedRuns(read: () => StoredRun[], known: string, gone: AbortSignal): Promise<StoredRun[]> {
  const endsAt = Date.now() + HOLD_MS * (0.85 + 0.3 * Math.random());
  for (;;) {
    const runs = read();
    if (offsetOf(runs) !== known || gone.aborted || Date.now() >= endsAt) return runs;
    await pause(LOOK_MS, gone);
  }
}

const pause = (ms: number, gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    gone.addEventListener("abort", done);
  });
