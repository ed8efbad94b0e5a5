/** What to call after a session's diagnosis: at most three calls, each as it stands. */
import { type Call, call } from "../domain/calls.ts";
import { sessionKey } from "../domain/session.ts";
import { isTerminal } from "../domain/status.ts";
import type { SessionCase, SessionFinding } from "./session-diagnosis.ts";

const MOST = 3;

export const sessionCalls = (facts: SessionCase, finding: SessionFinding): Call[] =>
  byClass(facts, finding).slice(0, MOST);

function byClass(facts: SessionCase, finding: SessionFinding): Call[] {
  const session = sessionKey(facts.session);
  const { runId: run_id } = finding.culprit;
  const read = (io: "in" | "out") => call("read_session_channel", { session, io, ...after(finding, io) });
  const ofRun = (tool: "diagnose_run" | "cancel_run") =>
    run_id === undefined ? [] : [call(tool, { run_id })];
  const send = call("send_session_message", { session, message: "…" });
  const follow = call("follow_session", { session, after: lastTurnEnd(facts) });
  const transcript = call("get_session_transcript", { session });
  switch (finding.class) {
    case "running":
      return finding.confidence === "high" ? [follow] : [follow, ...ofRun("diagnose_run")];
    case "run_dead":
      return [...ofRun("diagnose_run"), read("out"), send];
    case "run_waiting":
      return [...ofRun("diagnose_run"), follow];
    case "unanswered":
      // A run that has ended takes nothing up any more; a further message starts another.
      return [...ofRun("diagnose_run"), read("in"), hasEnded(facts) ? send : follow];
    case "stuck_after_stop":
      return [...ofRun("diagnose_run"), read("out"), ...ofRun("cancel_run")];
    case "loop": {
      const stop = call("send_session_message", { session, kind: "stop" });
      return [...(facts.owesAnswer ? [stop] : []), read("out"), ...logs(finding, "INFO")];
    }
    case "empty_turn":
      return [...spans(finding), ...logs(finding, "WARN"), read("in")];
    case "tool_error":
      return [...spans(finding), ...logs(finding, "WARN"), send];
    case "agent_error": {
      const again = call("send_session_message", { session, kind: "regenerate" });
      return [...spans(finding), ...logs(finding, "WARN"), again];
    }
    case "awaiting_approval":
      return [yes(session, finding), read("out")];
    case "closed":
    case "expired":
      return [read("out"), call("start_session", { task: facts.session.task })];
    case "history_lost":
      return [transcript, call("read_session_channel", { session, io: "in" })];
    case "ok":
    case "waiting_for_user":
      return [transcript, send];
  }
}

const hasEnded = ({ run }: SessionCase): boolean => run === undefined || isTerminal(run.status);

/** From just before the record in question. */
function after({ culprit }: SessionFinding, io: "in" | "out") {
  const { seq = 0 } = culprit;
  return culprit.io === io && seq > 0 ? { after: String(seq - 1) } : {};
}

const lastTurnEnd = ({ turns }: SessionCase): string => {
  const end = turns.findLast(({ state }) => state !== "running")?.last;
  return end === undefined ? "start" : String(end);
};

function spans({ evidence }: SessionFinding): Call[] {
  const failed = evidence.findLast((each) => each.kind === "event" && each.event.isError);
  if (failed?.kind !== "event") return [];
  return [call("get_span", { run_id: failed.event.runId, span_id: failed.event.id })];
}

const logs = ({ culprit: { runId } }: SessionFinding, level: string): Call[] =>
  runId === undefined ? [] : [call("search_run_events", { run_id: runId, level })];

/** Only where several wait the one that is meant has to be named. */
function yes(session: string, { evidence }: SessionFinding): Call {
  const asked = evidence.find((each) => each.kind === "tool");
  const waiting =
    asked?.kind === "tool" ? asked.turn.tools.filter(({ state }) => state === "approval-requested") : [];
  const [tool] = waiting;
  const id = waiting.length > 1 && tool ? { id: tool.approvalId ?? tool.callId } : {};
  return call("send_session_message", { session, kind: "approval", approval: { approved: true, ...id } });
}
