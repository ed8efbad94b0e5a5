/** Conversations that went wrong, or only look so, and what a good engineer says about each. */
import type { TriggerApi } from "../../src/client/api.ts";
import type { SessionClass } from "../../src/insight/session-diagnosis.ts";
import { BEGIN, DEAF, END, failedCall, HOUR, MINUTE, trimmed, type World } from "./world.ts";

export interface Expected {
  culprit?: Record<string, unknown>;
  /** What the answer has to say. */
  says: RegExp[];
  /** Tools among the calls it suggests. */
  next?: string[];
  /** How much later it is looked at, milliseconds. */
  later?: number;
  /** Looked at through this. */
  api?: TriggerApi;
}

export interface Situation {
  name: string;
  story: string;
  class: SessionClass;
  confidence?: "high" | "medium" | "low";
  /** On an API whose worker does nothing. */
  idle?: boolean;
  make(world: World): Promise<Expected>;
}

export const situations: Situation[] = [
  {
    name: "rested",
    story: "answered, and its run has ended in peace",
    class: "ok",
    async make(world) {
      await world.chat("where is order 4821?", 1);
      const run_id = await world.currentRun();
      await world.settled(run_id);
      return {
        culprit: { io: "out", seq: await world.lastTurnEnd(), run_id },
        says: [/COMPLETED/, /turn 1 completed/],
        next: ["send_session_message"],
      };
    },
  },
  {
    name: "attentive",
    story: "answered, and its run waits for what the user says next",
    class: "waiting_for_user",
    async make(world) {
      await world.chat("where is order 4821?");
      const run_id = await world.currentRun();
      return {
        culprit: { io: "out", seq: await world.lastTurnEnd(), run_id },
        says: [/turn 1 completed .*"It shipped/],
        next: ["send_session_message"],
      };
    },
  },
  {
    name: "stopped",
    story: "the user stopped the turn, and the agent obeyed",
    class: "waiting_for_user",
    async make(world) {
      await world.makeLive();
      await world.hears("tell me everything");
      await world.stops();
      const seq = await world.writes(...BEGIN, { type: "abort", reason: "stop" }, END);
      return { culprit: { io: "out", seq }, says: [/was stopped/], later: HOUR };
    },
  },
  {
    name: "talking",
    story: "the agent is in the middle of its answer",
    class: "running",
    confidence: "high",
    async make(world) {
      const run_id = await world.makeLive();
      await world.hears("where is order 4821?");
      const seq = await world.writes(...BEGIN);
      return {
        culprit: { io: "out", seq, run_id },
        says: [/is not over/, /EXECUTING/],
        next: ["follow_session"],
      };
    },
  },
  {
    name: "slow tool",
    story: "a tool call has been open for ten minutes",
    class: "running",
    confidence: "low",
    async make(world) {
      const run_id = await world.makeLive();
      await world.hears("where is order 4821?");
      const [call = {}] = failedCall("c1");
      const seq = await world.writes(...BEGIN, call);
      return {
        culprit: { io: "out", seq, run_id, tool_call_id: "c1" },
        says: [/\.out 4 is the last record, 10m/, /lookupOrder \{"id":4821\} \(c1\)/],
        next: ["follow_session", "diagnose_run"],
        later: 10 * MINUTE,
      };
    },
  },
  {
    name: "just asked",
    story: "a message came a moment ago, and the agent is about to take it up",
    class: "running",
    confidence: "medium",
    async make(world) {
      await world.makeLive();
      const seq = await world.hears("hello");
      return { culprit: { io: "in", seq }, says: [/\.in 0 message "hello"/], next: ["follow_session"] };
    },
  },
  {
    name: "deaf",
    story: "the run is alive, and has not read its input for ten minutes",
    class: "unanswered",
    confidence: "high",
    async make(world) {
      const run_id = await world.makeLive();
      const seq = await world.hears("anybody there?");
      return {
        culprit: { io: "in", seq, run_id },
        says: [/\.in 0 message "anybody there\?" 10m ago · no turn has consumed it/, /EXECUTING/],
        next: ["diagnose_run", "read_session_channel"],
        later: 10 * MINUTE,
      };
    },
  },
  {
    name: "ignored",
    story: "the run completed without a word on the first message",
    class: "unanswered",
    confidence: "high",
    async make(world) {
      const run_id = await world.make({ task: "send-welcome-email", message: "hello?" });
      await world.settled(run_id);
      return { culprit: { run_id }, says: [/first message/, /COMPLETED/] };
    },
  },
  {
    name: "broken before a word",
    story: "the run threw before it could answer the first message",
    class: "run_dead",
    confidence: "high",
    async make(world) {
      const payload = { orderId: 1, amount: 5, customer: { id: "cus_1", cards: [] } };
      const run_id = await world.make({ task: "process-order", message: "charge me", payload });
      await world.settled(run_id);
      return {
        culprit: { run_id },
        says: [/FAILED, ended .*: TypeError: Cannot read/, /diagnose_run tells/],
        next: ["diagnose_run"],
      };
    },
  },
  {
    name: "timed out in mid-sentence",
    story: "the run ran into its max duration while it wrote its answer",
    class: "run_dead",
    confidence: "high",
    async make(world) {
      const run_id = await world.makeLive({ maxDuration: 2 });
      await world.hears("where is order 4821?");
      const seq = await world.writes(...BEGIN);
      await world.settled(run_id);
      return {
        culprit: { io: "out", seq, run_id },
        says: [/TIMED_OUT/, /is not over "Let me see"/],
        next: ["diagnose_run"],
      };
    },
  },
  {
    name: "cancelled",
    story: "somebody cancelled the run in the middle of a turn",
    class: "run_dead",
    async make(world) {
      const run_id = await world.makeLive();
      await world.hears("where is order 4821?");
      const seq = await world.writes(...BEGIN);
      await world.api.runs.cancel(run_id);
      await world.settled(run_id);
      return { culprit: { io: "out", seq, run_id }, says: [/CANCELED/] };
    },
  },
  {
    name: "undeployed",
    story: "no deployed version has the task",
    class: "run_waiting",
    confidence: "high",
    async make(world) {
      const run_id = await world.make({ task: "agent-of-tomorrow", message: "hello?" });
      return {
        culprit: { run_id },
        says: [/PENDING_VERSION/, /no deployed version has its task/],
        next: ["diagnose_run", "follow_session"],
      };
    },
  },
  {
    name: "queued",
    story: "the run has waited in its queue for an hour",
    class: "run_waiting",
    confidence: "high",
    idle: true,
    async make(world) {
      const run_id = await world.make({ task: "support-agent" });
      await world.hears("hello?");
      return { culprit: { run_id }, says: [/QUEUED/, /\.in 0 message "hello\?"/], later: HOUR };
    },
  },
  {
    name: "rejected",
    story: "the agent refused what came with the message, and logged why",
    class: "empty_turn",
    async make(world) {
      await world.chat("where is order 4821?");
      await world.say("hi", "not an object");
      const run_id = await world.currentRun();
      return {
        culprit: { io: "out", seq: await world.lastTurnEnd(), run_id },
        says: [/ended without content/, /input rejected: metadata does not match/, /\.in 1 message "hi"/],
        next: ["search_run_events"],
      };
    },
  },
  {
    name: "broken tool",
    story: "the agent answered, but what it was asked for failed",
    class: "tool_error",
    async make(world) {
      await world.chat("cancel order 4821");
      const run_id = await world.currentRun();
      const seq = await world.place(({ type }) => type === "tool-output-error");
      return {
        culprit: { io: "out", seq, run_id, tool_call_id: "call_1" },
        says: [/cancelOrder \{"id":4821\} → error "carrier API 503"/, /failed "cancelOrder"/],
        next: ["get_span", "search_run_events"],
      };
    },
  },
  {
    name: "crashed turn",
    story: "the turn threw, and the agent lives on",
    class: "agent_error",
    async make(world) {
      await world.chat("crash, please");
      const run_id = await world.currentRun();
      const seq = await world.place(({ type }) => type === "error");
      return {
        culprit: { io: "out", seq, run_id },
        says: [/"The support desk crashed, as it was asked to\."/, /turn 1 failed/],
        next: ["get_span", "send_session_message"],
      };
    },
  },
  {
    name: "asking",
    story: "a refund waits for somebody's yes",
    class: "awaiting_approval",
    async make(world) {
      await world.chat("refund order 4821");
      const seq = await world.place(({ type }) => type === "tool-approval-request");
      return {
        culprit: { io: "out", seq, run_id: await world.currentRun(), tool_call_id: "call_1" },
        says: [/refundOrder \{"id":4821\} → needs approval/, /"approval":\{"approved":true\}/],
        next: ["send_session_message"],
      };
    },
  },
  {
    name: "in circles",
    story: "the agent calls the same failing tool again and again",
    class: "loop",
    async make(world) {
      const run_id = await world.makeLive();
      await world.hears("where is order 4821?");
      const calls = ["c1", "c2", "c3", "c4"].flatMap(failedCall);
      const seq = await world.writes(...BEGIN, ...calls);
      await world.reaches(run_id, (status) => status === "EXECUTING");
      return {
        culprit: { io: "out", seq, run_id, tool_call_id: "c4" },
        says: [/4× the same call.*lookupOrder.*ETIMEDOUT/],
        next: ["send_session_message"],
      };
    },
  },
  {
    name: "parrot",
    story: "the agent says the same to whatever it is asked",
    class: "loop",
    async make(world) {
      await world.chat("tell me a joke");
      await world.say("do you like rain?");
      await world.say("what is your name?");
      return {
        culprit: { io: "out", seq: await world.lastTurnEnd() },
        says: [/3× the same answer to different messages/],
      };
    },
  },
  {
    name: "wedged",
    story: "a stop came in the middle of a turn, and the turn never ended",
    class: "stuck_after_stop",
    confidence: "high",
    async make(world) {
      const run_id = await world.makeLive();
      await world.hears("tell me everything");
      await world.writes(...BEGIN);
      const seq = await world.stops();
      return {
        culprit: { io: "in", seq, run_id },
        says: [/\.in 1 stop 10m ago/, /turn 1 is not over/],
        next: ["diagnose_run", "cancel_run"],
        later: 10 * MINUTE,
      };
    },
  },
  {
    name: "closed",
    story: "somebody closed it",
    class: "closed",
    async make(world) {
      await world.chat("thanks");
      await world.api.sessions.close(world.session, "case solved");
      return {
        culprit: { io: "out", seq: await world.lastTurnEnd() },
        says: [/closed .*: "case solved"/],
        next: ["start_session"],
      };
    },
  },
  {
    name: "expired",
    story: "its time was up an hour ago, with a message waiting",
    class: "expired",
    idle: true,
    async make(world) {
      const run_id = await world.make({ task: DEAF, expiresAt: Date.now() + HOUR });
      await world.hears("too late?");
      return {
        culprit: { run_id },
        says: [/expired .*\(1h ago\)/, /"too late\?".* no turn has consumed it/],
        later: 2 * HOUR + MINUTE,
      };
    },
  },
  {
    name: "forgotten",
    story: "older turns were trimmed, and nothing stored has them",
    class: "history_lost",
    async make(world) {
      await world.chat("where is order 4821?");
      const seq = await world.lastTurnEnd();
      await world.say("thanks");
      return {
        culprit: { io: "out", seq, run_id: await world.currentRun() },
        says: [new RegExp(`\\.out 0 to ${seq}: trimmed`)],
        api: trimmed(world.api, seq + 1),
      };
    },
  },
];
