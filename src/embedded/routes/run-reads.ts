/** Reading one run: detail, trace in both forms, events, span, contract api.md 1.2 to 1.5. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { Check, EnvironmentPrincipal } from "../auth/principal.ts";
import type { Engine, StoredRun, StoredSpan } from "../engine/types.ts";
import { type Call, loader, route } from "./builder.ts";
import type { Packets } from "./packets.ts";
import { error } from "./replies.ts";
import { runDetail } from "./run-presenter.ts";
import { attemptFailures, runEvent, spanDetail, traceSpan, traceTree } from "./span-presenter.ts";
import { vocabularyOf } from "./status.ts";

const TRACE_LIMIT = 10_000;
/** The paged form is for what the tree cuts off; even it ends somewhere. */
const PAGED_TRACE_LIMIT = 100_000;
const EVENTS_LIMIT = 25_000;
const TRIGGERED_RUNS_LIMIT = 50;

const TraceQuery = z.object({
  "page[size]": z.coerce.number().int().min(1).max(TRACE_LIMIT).optional(),
  "page[after]": z.string().optional(),
});

export interface RunReadDeps {
  gates: Gates;
  engine: Engine;
  packets: Packets;
  /** Without it the query is ignored, as by the older server. */
  pagedTraces: boolean;
}

type RunCall = Pick<Call<EnvironmentPrincipal>, "principal" | "params">;

/** Whoever may read the run by its id, its task, one of its tags or its batch. */
export const readRunCheck = (run: StoredRun): Check => ({
  action: "read",
  anyOf: [
    { type: "runs", id: run.friendlyId },
    { type: "tasks", id: run.task },
    ...run.tags.map((id) => ({ type: "tags", id })),
    ...(run.batchId ? [{ type: "batch", id: run.batchId }] : []),
  ],
});

export function runReadRoutes(app: Hono, { gates, engine, packets, pagedTraces }: RunReadDeps): void {
  const ofRun = {
    gate: gates.keysAndTokens,
    find: ({ principal, params }: RunCall) => engine.runs.find(principal.environment.id, params.runId ?? ""),
    retryNotFound: true,
    authorize: (_: unknown, run: StoredRun) => readRunCheck(run),
  };

  route(app, "/api/v3/runs/:runId", {
    cors: true,
    loader: loader(ofRun, ({ request, resource: run }) =>
      Response.json(
        runDetail(run, engine.runs, vocabularyOf(request.headers), (field) =>
          packets.linkTo(request, run, field),
        ),
      ),
    ),
  });

  route(app, "/api/v1/runs/:runId/trace", {
    cors: true,
    loader: loader({ ...ofRun, query: TraceQuery }, ({ query, resource: run }) => {
      if (pagedTraces && (query["page[size]"] !== undefined || query["page[after]"] !== undefined)) {
        return Response.json(
          tracePage(engine, run, query["page[size]"] ?? TRACE_LIMIT, query["page[after]"]),
        );
      }
      const { spans, truncated } = engine.runs.subtree(run, TRACE_LIMIT);
      const tree = traceTree(run, spans, truncated);
      return tree === undefined ? error(404, "Trace not found") : Response.json(tree);
    }),
  });

  route(app, "/api/v1/runs/:runId/events", {
    cors: true,
    loader: loader(ofRun, ({ resource: run }) =>
      Response.json({ events: engine.runs.own(run, EVENTS_LIMIT).map(runEvent) }),
    ),
  });

  route(app, "/api/v1/runs/:runId/spans/:spanId", {
    cors: true,
    loader: loader(ofRun, ({ params, resource: run }) => {
      const span = engine.runs.span(run, params.spanId ?? "");
      if (span === undefined) return error(404, "Span not found");
      const triggered = engine.runs.triggeredBy(run, span.spanId, TRIGGERED_RUNS_LIMIT);
      return Response.json(spanDetail(run, span, triggered));
    }),
  });
}

/** Spans after the cursor by (start time, span id), so that spans arriving meanwhile move nothing already read. */
function tracePage(engine: Engine, run: StoredRun, size: number, cursor: string | undefined) {
  const { spans, truncated } = engine.runs.subtree(run, PAGED_TRACE_LIMIT);
  const sorted = [...spans].sort(byPosition);
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const start = after === undefined ? 0 : sorted.findIndex((span) => byPosition(span, after) > 0);
  const page = start === -1 ? [] : sorted.slice(start, start + size);
  const last = page.at(-1);
  const hasMore = last !== undefined && last !== sorted.at(-1);
  return {
    data: page.map((span) => traceSpan(run, span)),
    attemptFailures: attemptFailures(page),
    pagination: {
      ...(hasMore ? { next: writeCursor(last) } : {}),
      ...(truncated ? { truncated: true } : {}),
    },
  };
}

type Position = Pick<StoredSpan, "startTime" | "spanId">;

const byPosition = (a: Position, b: Position): number =>
  a.startTime - b.startTime || (a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : 0);

const writeCursor = ({ startTime, spanId }: Position): string =>
  Buffer.from(`${startTime}:${spanId}`).toString("base64url");

function readCursor(cursor: string): Position | undefined {
  const match = /^([\d.]+):([0-9a-f]+)$/.exec(Buffer.from(cursor, "base64url").toString("utf8"));
  return match ? { startTime: Number(match[1]), spanId: match[2] ?? "" } : undefined;
}
