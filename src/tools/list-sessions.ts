/** Sessions as rows, newest first: contract api.md 4.3. The API takes one value of each filter. */
import { z } from "zod";
import type { Page } from "../domain/run.ts";
import type { Session, SessionListQuery } from "../domain/session.ts";
import { SESSION_STATUSES } from "../domain/status.ts";
import { viewSessions } from "../views/sessions.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";
import { instantMs, periodMs } from "./window.ts";

/** As many rows as the default budget has room for. */
const DEFAULT_LIMIT = 25;

const input = z.object({
  status: z.enum(SESSION_STATUSES).optional(),
  task: params.task.optional(),
  type: z.string().min(1).max(64).optional(),
  tag: z.string().min(1).max(128).optional(),
  external_id: z.string().min(1).max(256).optional(),
  period: params.period.optional(),
  from: params.instant.optional(),
  to: params.instant.optional(),
  limit: params.limit.optional(),
  cursor: params.cursor.optional(),
});

export type ListSessionsInput = z.output<typeof input>;

export default defineTool({
  name: "list_sessions",
  title: "List sessions",
  summary: "Sessions (chat conversations), newest first, filtered; of all time unless told otherwise.",
  effect: "read",
  toolset: "sessions",
  permission: { action: "read", type: "sessions" },
  input,
  output: z.looseObject({
    sessions: z.array(
      z.looseObject({ id: z.string(), external_id: z.string().optional(), status: z.string() }),
    ),
    cursor: z.string().optional(),
    next: nextCalls.optional(),
  }),
  run: loadSessions,
  view: viewSessions,
});

export function loadSessions(asked: ListSessionsInput, context: ReadContext): Promise<Page<Session>> {
  return context.api.sessions.list(queryOf(asked), callOptions(context));
}

function queryOf(asked: ListSessionsInput): SessionListQuery {
  if (asked.period !== undefined) periodMs(asked.period);
  const query = {
    status: asked.status,
    task: asked.task,
    type: asked.type,
    tag: asked.tag,
    externalId: asked.external_id,
    period: asked.period,
    from: asked.from === undefined ? undefined : instantMs(asked.from, "from"),
    to: asked.to === undefined ? undefined : instantMs(asked.to, "to"),
    limit: asked.limit ?? DEFAULT_LIMIT,
    after: asked.cursor,
  };
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}
