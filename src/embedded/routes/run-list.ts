/** The run list in both its forms, contract api.md 1.1. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import type { Check } from "../auth/principal.ts";
import { parseDuration } from "../engine/duration.ts";
import type { Engine, Environment, RunFilter, RunPageRequest } from "../engine/types.ts";
import { loader, route } from "./builder.ts";
import { csv } from "./csv.ts";
import { parseMoment } from "./durations.ts";
import { error } from "./replies.ts";
import { listItem } from "./run-presenter.ts";
import { STATUS_FILTERS, storedStatuses, type Vocabulary, vocabularyOf } from "./status.ts";

/** Without any `createdAt` filter only this much of the past is listed. */
const DEFAULT_WINDOW_MS = 7 * 86_400_000;

const MACHINES = ["micro", "small-1x", "small-2x", "medium-1x", "medium-2x", "large-1x", "large-2x"];

const Moment = z.string().transform((text, context) => {
  const moment = parseMoment(text);
  if (moment === undefined) context.addIssue({ code: "custom", message: "Invalid date" });
  return moment ?? 0;
});

const Query = z.object({
  "page[size]": z.coerce.number().int().min(1).max(100).default(25),
  "page[after]": z.string().optional(),
  "page[before]": z.string().optional(),
  "filter[status]": csv((status) => STATUS_FILTERS.has(status), "Invalid status values").optional(),
  "filter[taskIdentifier]": csv().optional(),
  "filter[version]": csv().optional(),
  "filter[tag]": csv().optional(),
  "filter[bulkAction]": z.string().optional(),
  "filter[schedule]": z.string().optional(),
  "filter[error]": z.string().optional(),
  "filter[isTest]": z.enum(["true", "false"]).optional(),
  "filter[createdAt][from]": Moment.optional(),
  "filter[createdAt][to]": Moment.optional(),
  "filter[createdAt][period]": z.string().optional(),
  "filter[batch]": z.string().optional(),
  "filter[queue]": csv().optional(),
  "filter[region]": csv().optional(),
  "filter[machine]": csv((machine) => MACHINES.includes(machine), "Invalid machine values").optional(),
  "filter[env]": csv().optional(),
});

type ListQuery = z.infer<typeof Query>;

export interface RunListDeps {
  gates: Gates;
  engine: Engine;
  /** The project's environments when the user belongs to it. */
  projectEnvironments(userId: string, projectRef: string): Environment[] | undefined;
  now(): number;
}

export function runListRoutes(app: Hono, deps: RunListDeps): void {
  const { gates, engine } = deps;

  route(app, "/api/v1/runs", {
    cors: true,
    loader: loader(
      { gate: gates.keysAndTokens, query: Query, authorize: ({ query }) => listCheck(query) },
      ({ principal, query, request }) =>
        answer(engine, principal.environment, query, vocabularyOf(request.headers), deps.now()),
    ),
  });

  route(app, "/api/v1/projects/:projectRef/runs", {
    cors: true,
    loader: loader(
      {
        gate: gates.personal,
        query: Query,
        authorize: () => ({ action: "read", anyOf: [{ type: "runs" }] }),
      },
      ({ principal, params, query, request }) => {
        const environments = deps.projectEnvironments(principal.userId, params.projectRef ?? "");
        if (environments === undefined) return error(404, "Project not found");
        const environment = environments.find(({ slug }) => query["filter[env]"]?.includes(slug));
        // The real server throws here and answers 500; only the first match is listed.
        if (environment === undefined) return error(500, "Internal Server Error");
        return answer(engine, environment, query, vocabularyOf(request.headers), deps.now());
      },
    ),
  });
}

function listCheck(query: ListQuery): Check {
  const or = [{ type: "runs" }, { type: "tasks" }];
  const tasks = query["filter[taskIdentifier]"] ?? [];
  return { action: "read", every: tasks.map((id) => ({ type: "tasks", id })), or };
}

function answer(
  engine: Engine,
  environment: Environment,
  query: ListQuery,
  vocabulary: Vocabulary,
  now: number,
): Response {
  const filter = runFilter(query, now);
  const selectsNothing = filter.statuses?.length === 0;
  const { rows, older, newer } = selectsNothing
    ? { rows: [], older: false, newer: false }
    : engine.runs.list([environment.id], filter, pageRequest(engine, environment, query));
  const first = rows[0];
  const last = rows.at(-1);
  return Response.json({
    data: rows.map((run) => listItem(run, environment, vocabulary)),
    pagination: {
      ...(older && last ? { next: writeCursor(last) } : {}),
      ...(newer && first ? { previous: writeCursor(first) } : {}),
    },
  });
}

function runFilter(query: ListQuery, now: number): RunFilter {
  const statuses = query["filter[status]"];
  const isTest = query["filter[isTest]"];
  const optional = {
    statuses: statuses && storedStatuses(statuses),
    tasks: query["filter[taskIdentifier]"],
    versions: query["filter[version]"],
    tags: query["filter[tag]"],
    schedule: query["filter[schedule]"],
    errorId: query["filter[error]"],
    batch: query["filter[batch]"],
    bulkAction: query["filter[bulkAction]"],
    queues: query["filter[queue]"],
    machines: query["filter[machine]"],
    regions: query["filter[region]"],
    isTest: isTest && isTest === "true",
    ...window(query, now),
  };
  return Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as RunFilter;
}

/** `period` and `from` are combined; a period nobody can read removes the lower bound instead of failing. */
function window(query: ListQuery, now: number): { from?: number; to?: number } {
  const from = query["filter[createdAt][from]"];
  const to = query["filter[createdAt][to]"];
  const period = query["filter[createdAt][period]"];
  if (from === undefined && to === undefined && period === undefined)
    return { from: now - DEFAULT_WINDOW_MS };
  const duration = period === undefined ? undefined : parseDuration(period);
  const bounds = [from, duration === undefined ? undefined : now - duration].filter(
    (bound) => bound !== undefined,
  );
  return {
    ...(bounds.length > 0 ? { from: Math.max(...bounds) } : {}),
    ...(to === undefined ? {} : { to: Math.min(to, now) }),
  };
}

interface Position {
  createdAt: number;
  id: string;
}

const writeCursor = ({ createdAt, id }: Position): string =>
  Buffer.from(JSON.stringify({ c: createdAt, r: id })).toString("base64url");

/** `before` wins when both are given. */
function pageRequest(engine: Engine, environment: Environment, query: ListQuery): RunPageRequest {
  const size = query["page[size]"];
  const position = (cursor: string | undefined) => cursor && readCursor(engine, environment, cursor);
  const before = position(query["page[before]"]);
  if (before) return { size, before };
  const after = position(query["page[after]"]);
  return after ? { size, after } : { size };
}

/** Our own cursor, or a bare run id of either kind; anything else is no cursor. */
function readCursor(engine: Engine, environment: Environment, cursor: string): Position | undefined {
  const own = /^run_/.test(cursor)
    ? engine.runs.find(environment.id, cursor)
    : engine.runs.byInternalId(cursor);
  if (own !== undefined && own.environmentId === environment.id) return own;
  try {
    const { c, r } = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return typeof c === "number" && typeof r === "string" ? { createdAt: c, id: r } : undefined;
  } catch {
    return undefined;
  }
}
