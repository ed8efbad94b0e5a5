/** Replaces a session's tags or metadata: contract api.md 4.5. */
import { z } from "zod";
import { call, formatCall } from "../domain/calls.ts";
import { TriggerError } from "../domain/errors.ts";
import { sessionKey } from "../domain/session.ts";
import { render } from "../views/document.ts";
import { oneLine } from "../views/format.ts";
import { viewJson } from "../views/json.ts";
import { sessionLine } from "../views/session.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions } from "./reading.ts";

export default defineTool({
  name: "update_session",
  title: "Update session",
  summary: "Replace a session's tags or metadata (null clears it). Works on closed sessions.",
  effect: "write",
  idempotent: true,
  toolset: "sessions",
  permission: { action: "admin", type: "sessions" },
  input: z.object({
    session: params.session,
    tags: z.array(z.string().min(1).max(128)).max(10).optional(),
    metadata: params.object.nullable().optional(),
  }),
  output: z.looseObject({
    session: z.string(),
    id: z.string(),
    tags: z.array(z.string()),
    next: nextCalls.optional(),
  }),

  async run({ session, tags, metadata }, context) {
    if (tags === undefined && metadata === undefined) {
      throw new TriggerError("invalid_request", 'Nothing to change: give "tags", "metadata" or both.');
    }
    return context.api.sessions.update(
      session,
      { ...(tags !== undefined && { tags }), ...(metadata !== undefined && { metadata }) },
      callOptions(context),
    );
  },

  view(session, context) {
    const next = [call("get_session", { session: sessionKey(session) })];
    const tags = session.tags.length === 0 ? "none" : oneLine(context.clean(session.tags.join(", ")), 1_500);
    const metadata = session.metadata
      ? viewJson(session.metadata, Math.floor(context.budget / 2), context.clean)
      : "none";
    return {
      text: render(
        [
          `updated ${sessionLine(session, context)}`,
          `tags ${tags}`,
          `metadata ${metadata}`,
          `next ${next.map(formatCall).join("\n     ")}`,
        ],
        context.budget,
      ).text,
      structured: { session: sessionKey(session), id: session.id, tags: session.tags, next },
    };
  },
});
