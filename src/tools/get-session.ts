/** One session and where it stands: contract api.md 4.4, channels.md 4. */
import { z } from "zod";
import type { ChatInput } from "../bridge/input.ts";
import { lastTurnOf } from "../bridge/last-turn.ts";
import { isBusy, locate, type Position } from "../bridge/position.ts";
import { isTriggerError } from "../domain/errors.ts";
import { textOf } from "../domain/message.ts";
import { type SessionFacts, viewSession, type WaitingInput } from "../views/session.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";

export default defineTool({
  name: "get_session",
  title: "Get session",
  summary:
    "One session: status, current run and its state, where both channels stand, input nobody answered.",
  effect: "read",
  toolset: "sessions",
  permission: { action: "read", type: "sessions" },
  input: z.object({ session: params.session }),
  output: z.looseObject({
    session: z.string(),
    id: z.string(),
    status: z.string(),
    run_id: z.string().optional(),
    run_status: z.string().optional(),
    out_cursor: z.string().optional(),
    in_cursor: z.string().optional(),
    turn_open: z.boolean(),
    last_turn: z.string().optional(),
    unanswered: z.array(z.looseObject({ seq: z.int().optional(), kind: z.string() })),
    next: nextCalls.optional(),
  }),
  run: ({ session }, context) => loadSession(session, context),
  view: viewSession,
});

export async function loadSession(id: string, context: ReadContext): Promise<SessionFacts> {
  const { session, position, out } = await locate(context.api, id, callOptions(context));
  const run = await currentRun(session.currentRunId, context);
  const last = lastTurnOf(out);
  return {
    session,
    ...(run && { run }),
    ...shown(position),
    ...(last && { last }),
    owesAnswer: isBusy(session, position),
  };
}

/** A token for sessions alone may not read runs; that hides the run's state and nothing else. */
async function currentRun(id: string | undefined, context: ReadContext): Promise<SessionFacts["run"]> {
  if (id === undefined) return undefined;
  try {
    return await context.api.runs.retrieve(id, callOptions(context));
  } catch (error) {
    if (isTriggerError(error) && error.code !== "cancelled") return { id, hidden: error.code };
    throw error;
  }
}

function shown({
  out,
  in: inputs,
  unanswered,
  turnsDone,
}: Position): Pick<SessionFacts, "out" | "in" | "unanswered" | "turns"> {
  const lastTurn = out.turns.at(-1);
  return {
    out: {
      ...(out.first !== undefined && { first: out.first }),
      ...(out.last !== undefined && { last: out.last }),
      ...(lastTurn && { lastTurn }),
      open: out.open,
    },
    in: inputs.last === undefined ? {} : { last: inputs.last },
    unanswered: unanswered.map(waiting),
    ...(turnsDone !== undefined && { turns: turnsDone }),
  };
}

const waiting = ({ seq, time, kind, message }: ChatInput): WaitingInput => ({
  ...(seq !== undefined && { seq }),
  ...(time !== undefined && { time }),
  kind,
  text: message ? textOf(message.parts) : "",
});
