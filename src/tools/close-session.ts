/** Closes a session for good: contract api.md 4.6. */
import { z } from "zod";
import { type Call, call, formatCall } from "../domain/calls.ts";
import { isTriggerError } from "../domain/errors.ts";
import { sessionKey } from "../domain/session.ts";
import { isTerminal } from "../domain/status.ts";
import { render } from "../views/document.ts";
import { age, oneLine } from "../views/format.ts";
import { sessionLine } from "../views/session.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions } from "./reading.ts";

export default defineTool({
  name: "close_session",
  title: "Close session",
  summary: "Close a session for good: it takes no more input. Its conversation stays readable.",
  effect: "destructive",
  idempotent: true,
  toolset: "sessions",
  permission: { action: "admin", type: "sessions" },
  input: z.object({ session: params.session, reason: z.string().min(1).max(256).optional() }),
  output: z.looseObject({
    session: z.string(),
    id: z.string(),
    status: z.string(),
    already_closed: z.boolean(),
    next: nextCalls.optional(),
  }),

  async run({ session: id, reason }, context) {
    const before = await context.api.sessions.retrieve(id, callOptions(context));
    const session = await context.api.sessions.close(id, reason, callOptions(context));
    return {
      session,
      already: before.closedAt !== undefined,
      run: await liveRun(session.currentRunId, context),
    };
  },

  view({ session, already, run }, context) {
    const next: Call[] = run ? [call("cancel_run", { run_id: run.id })] : [];
    const reason =
      session.closedReason === undefined ? "" : ` · ${oneLine(context.clean(session.closedReason), 256)}`;
    return {
      text: render(
        [
          `${already ? `was closed already, ${age(session.closedAt, context.now)} ago:` : "closed"} ${sessionLine(session, context)}${reason}`,
          // Closing neither cancels the run nor tells it.
          run &&
            `Its run ${oneLine(context.clean(run.id), 64)} is still ${oneLine(context.clean(run.status), 40)} and ends when it notices; to end it now:`,
          next.length > 0 ? `next ${next.map(formatCall).join("\n     ")}` : undefined,
        ],
        context.budget,
      ).text,
      structured: {
        session: sessionKey(session),
        id: session.id,
        status: "CLOSED",
        already_closed: already,
        ...(run && { run_id: run.id, run_status: run.status }),
        next,
      },
    };
  },
});

/** The session's run, if it is seen to go on. The session is closed by now, so not seeing it is no failure. */
async function liveRun(id: string | undefined, context: ToolContext) {
  if (id === undefined) return undefined;
  try {
    const run = await context.api.runs.retrieve(id, callOptions(context));
    return isTerminal(run.status) ? undefined : { id: run.id, status: run.status };
  } catch (error) {
    if (isTriggerError(error)) return undefined;
    throw error;
  }
}
