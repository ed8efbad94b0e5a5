/** A session's diagnosis in words: the verdict, how it is known, what to call next. Every line names what it cites. */
import { sessionKey } from "../domain/session.ts";
import { sessionStatus } from "../domain/status.ts";
import type { SessionClass, SessionDiagnosis, SessionUnread } from "../insight/session-diagnosis.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { labelled, short } from "./diagnosis-evidence.ts";
import { render } from "./document.ts";
import { age, counted, dateTime } from "./format.ts";
import { nextLines } from "./next.ts";
import { sessionLine } from "./session.ts";
import { evidenceLine, placeOf } from "./session-evidence.ts";

/** A diagnosis is read at a glance, however much room there is. */
const ENOUGH = 1_000;

export function viewSessionDiagnosis(diagnosis: SessionDiagnosis, context: ViewContext): Answer {
  const { session, verdict, culprit, evidence, next } = diagnosis;
  const key = sessionKey(session);
  const lines = evidence.map((each) => evidenceLine(each, context));
  const text = render(
    [
      sessionLine(session, context),
      `${SAYINGS[verdict.class]} · confidence ${verdict.confidence}`,
      endLine(diagnosis, context),
      {
        rows: lines.map((line, rank) => ({ text: line, rank })),
        omitted: (shown, total) => `… ${counted(total - shown, "line")} left out: max_tokens makes room`,
      },
      unreadLine(diagnosis.unread, context),
      nextLines(next, context),
    ],
    Math.min(context.budget, ENOUGH),
  ).text;
  return {
    text,
    structured: {
      session: key,
      status: sessionStatus(session, context.now),
      verdict,
      culprit: {
        session: key,
        ...(culprit.io !== undefined && { io: culprit.io }),
        ...(culprit.seq !== undefined && { seq: culprit.seq }),
        ...(culprit.runId !== undefined && { run_id: culprit.runId }),
        ...(culprit.toolCallId !== undefined && { tool_call_id: culprit.toolCallId }),
      },
      evidence: evidence.map(placeOf),
      next: [...next],
    },
  };
}

const SAYINGS: Record<SessionClass, string> = {
  ok: "ok: everything is answered and nothing went wrong; the next input starts a run",
  waiting_for_user: "waiting for the user: everything is answered, the agent has nothing to do",
  running: "running: the agent is at it",
  unanswered: "unanswered: no turn has taken the input up",
  run_dead: "run dead: the run behind it ended without finishing its work",
  run_waiting: "run waiting: the run that would answer has not begun",
  empty_turn: "empty turn: it ended without content, as agents do with input they reject",
  tool_error: "tool error: a tool the agent used failed",
  agent_error: "agent error: the turn ended with an error",
  awaiting_approval: "awaiting approval: a tool waits for somebody's yes or no",
  loop: "loop: the agent goes round in circles",
  stuck_after_stop: "stuck after stop: a stop was sent and nothing has moved on since",
  closed: "closed: the session takes no more input",
  expired: "expired: the session takes no more input",
  history_lost: "history lost: older records were trimmed, and nothing stored holds them",
};

function endLine({ session }: SessionDiagnosis, context: ViewContext): string | undefined {
  const { closedAt, closedReason, expiresAt } = session;
  if (closedAt !== undefined) {
    const why = closedReason === undefined ? "no reason given" : `"${short(closedReason, context, 256)}"`;
    return labelled("closed", `${dateTime(closedAt)} (${age(closedAt, context.now)} ago): ${why}`);
  }
  if (expiresAt === undefined || expiresAt >= context.now) return undefined;
  return labelled("expired", `${dateTime(expiresAt)} (${age(expiresAt, context.now)} ago)`);
}

const MISSING: Record<SessionUnread["what"], string> = {
  run: "the state of its run",
  events: "the run's events",
  history: "the stored conversation",
  times: "when the records were written",
};

function unreadLine(unread: readonly SessionUnread[], context: ViewContext): string | undefined {
  if (unread.length === 0) return undefined;
  const parts = new Set(unread.map(({ what, why }) => `${MISSING[what]} (${short(why, context, 30)})`));
  return labelled("unread", [...parts].join(", "));
}
