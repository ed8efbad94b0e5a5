/** The support agent's conversation: which input means what, and how each turn is made, ended and kept. */
import { z } from "zod";
import { dataRecord } from "../engine/channels.ts";
import { channelOf } from "../engine/sessions.ts";
import type { UIMessage } from "../engine/snapshots.ts";
import { canonicalKey } from "../store/sessions.ts";
import type { ChatPayload, Received } from "./chat-inbox.ts";
import { type ChatTurn, createChatTurn, Stopped } from "./chat-turn.ts";
import { openTurnEnd, type TurnEndParts } from "./chat-turn-end.ts";
import { planReply, type ToolCall, tellDenial, tellFailure, tellResult, useTool } from "./support-desk.ts";

export interface ConversationParts extends TurnEndParts {
  /** Stretches the pauses between words. */
  pace?: number;
}

export interface Conversation {
  /** Answers one input; false when it asks the run to end. */
  handle(received: Received): Promise<boolean>;
  /** Answers what the run was started with, unless an earlier attempt has. */
  open(message: UIMessage, metadata: unknown): Promise<void>;
}

type FinishReason = "stop" | "tool-calls";

/** What callers may send along with a message: anything, as long as these have their types. */
const ClientData = z
  .looseObject({
    userId: z.string().min(1).exactOptional(),
    plan: z.enum(["free", "pro"]).exactOptional(),
    locale: z.string().exactOptional(),
  })
  .nullish();

const Action = z.discriminatedUnion("type", [
  z.object({ type: z.literal("clear-history") }),
  z.object({ type: z.literal("escalate"), to: z.string().default("the second line") }),
]);

const Approval = z.object({ approved: z.boolean(), reason: z.string().exactOptional() });

const TOOL_MS = 180;

export function openConversation(parts: ConversationParts): Conversation {
  const { channels, context, session, inbox, messages, pace = 1 } = parts;
  const output = channelOf(session, "out");
  const { complete } = openTurnEnd(parts);
  let turns = Math.max(0, ...messages.map((message) => Number(message.metadata?.turn ?? 0)));

  async function pause(durationMs: number): Promise<void> {
    await context.work(durationMs * pace);
    if (inbox.stopped()) throw new Stopped();
  }

  const newMessage = (): UIMessage => ({ id: `msg_${turns + 1}`, role: "assistant", parts: [] });

  /** One turn around `work`: streamed, traced, and ended however it ends. */
  async function respond(
    message: UIMessage,
    work: (turn: ChatTurn) => Promise<FinishReason>,
  ): Promise<boolean> {
    turns += 1;
    const startedAt = Date.now();
    const runId = context.run.friendlyId;
    message.metadata = { ...message.metadata, turn: turns, runId, createdAt: startedAt };
    if (!messages.includes(message)) messages.push(message);
    const write = (chunk: object) => void channels.append(output, dataRecord(chunk));
    const turn = createChatTurn({ message, write, pause });
    try {
      await context.span(
        `turn ${turns}`,
        { "chat.turn": turns, "chat.id": canonicalKey(session) },
        async (span) => {
          try {
            turn.start();
            turn.startStep();
            const reason = await work(turn);
            turn.finishStep();
            turn.finish(reason, { durationMs: Date.now() - startedAt });
            span.set({ "chat.finish_reason": reason });
          } catch (error) {
            if (!(error instanceof Stopped)) throw error;
            turn.abort();
            span.set({ "chat.finish_reason": "stopped" });
          }
        },
      );
      return await complete(true);
    } catch (error) {
      context.signal.throwIfAborted();
      turn.fail(error instanceof Error ? error.message : String(error));
      return await complete(false);
    }
  }

  /** Nothing to say to this input: the turn ends without content. */
  function reject(why: string): Promise<boolean> {
    context.log("WARN", `input rejected: ${why}`);
    return complete(true);
  }

  /** Runs the tool in a span of its own; a tool that fails fails its span, not the turn. */
  async function runTool(turn: ChatTurn, call: ToolCall, toolCallId: string): Promise<string> {
    const properties = {
      "ai.toolCall.name": call.name,
      "ai.toolCall.id": toolCallId,
      "ai.toolCall.args": call.input,
    };
    try {
      const result = await context.span(call.name, properties, async (span) => {
        await context.work(TOOL_MS * pace);
        const answer = useTool(call);
        span.set({ "ai.toolCall.result": answer });
        return answer;
      });
      turn.toolAnswered(toolCallId, result);
      return tellResult(call, result);
    } catch (error) {
      context.signal.throwIfAborted();
      turn.toolFailed(toolCallId, error instanceof Error ? error.message : String(error));
      return tellFailure(call);
    }
  }

  async function answer(turn: ChatTurn): Promise<FinishReason> {
    const asked = messages.filter(({ role }) => role === "user").map(textOf);
    const plan = planReply(asked.at(-1) ?? "", asked.slice(0, -1));
    if (plan.kind === "crash") throw new Error(plan.message);
    await turn.think(plan.thought);
    if (plan.kind === "say") {
      await turn.say(plan.text);
      return "stop";
    }
    const toolCallId = `call_${turns}`;
    if (plan.kind === "approval") {
      await turn.say(plan.text);
      await turn.callTool({ ...plan.call, toolCallId });
      turn.requestApproval(toolCallId, `approval_${turns}`);
      return "tool-calls";
    }
    await turn.callTool({ ...plan.call, toolCallId });
    const told = await runTool(turn, plan.call, toolCallId);
    turn.finishStep();
    turn.startStep();
    await turn.say(told);
    return "stop";
  }

  function submit(message: UIMessage): Promise<boolean> {
    const edited = messages.findIndex(({ id }) => id === message.id);
    if (edited >= 0) messages.splice(edited);
    messages.push({ ...message, metadata: { ...message.metadata, createdAt: Date.now() } });
    return respond(newMessage(), answer);
  }

  function regenerate(): Promise<boolean> {
    const asked = messages.findLastIndex(({ role }) => role === "user");
    if (asked < 0) return reject("there is no message to answer again");
    messages.splice(asked + 1);
    return respond(newMessage(), answer);
  }

  /** A slim assistant message that answers a request for approval (contract channels.md 7). */
  function decide(reply: UIMessage): Promise<boolean> {
    const message = messages.find(({ id }) => id === reply.id);
    const given = reply.parts.find(({ state }) => state === "approval-responded");
    const asked = message?.parts.find(
      ({ toolCallId, state }) => toolCallId === given?.toolCallId && state === "approval-requested",
    );
    const approval = Approval.safeParse(given?.approval);
    if (message === undefined || asked === undefined || !approval.success) {
      return reject("no such approval is being waited for");
    }
    const call: ToolCall = { name: "refundOrder", input: z.object({ id: z.number() }).parse(asked.input) };
    const toolCallId = String(asked.toolCallId);
    Object.assign(asked, {
      state: "approval-responded",
      approval: { ...Object(asked.approval), ...approval.data },
    });
    return respond(message, async (turn) => {
      if (!approval.data.approved) turn.toolDenied(toolCallId);
      await turn.say(approval.data.approved ? await runTool(turn, call, toolCallId) : tellDenial(call));
      return "stop";
    });
  }

  function act(requested: unknown): Promise<boolean> {
    const action = Action.safeParse(requested);
    if (!action.success) return reject("unknown action");
    if (action.data.type === "clear-history") messages.length = 0;
    const text =
      action.data.type === "escalate"
        ? `I have passed this on to ${action.data.to}. They answer within a day.`
        : "Let us start over. What can I do for you?";
    return respond(newMessage(), async (turn) => {
      await turn.say(text);
      return "stop";
    });
  }

  function handlePayload({ trigger, message, metadata, action }: ChatPayload): Promise<boolean> {
    if (!ClientData.safeParse(metadata).success) return reject("metadata does not match its schema");
    if (trigger === "action") return act(action);
    if (trigger === "regenerate-message") return regenerate();
    if (trigger === "submit-message" && message?.role === "user") return submit(message);
    if (trigger === "submit-message" && message?.role === "assistant") return decide(message);
    return reject(`nothing to answer in a ${trigger}`);
  }

  return {
    async handle({ input }) {
      if (input === undefined) return reject("it cannot be read");
      // A stop with no turn running, and a hand-over this agent never asks for, need no answer.
      if (input.kind !== "message") return true;
      if (input.payload === undefined) return reject("a message without a payload");
      if (input.payload.trigger === "close") {
        await complete(true);
        return false;
      }
      return handlePayload(input.payload);
    },
    async open(message, metadata) {
      if (messages.some(({ id }) => id === message.id)) return;
      await handlePayload({ trigger: "submit-message", message, metadata, action: undefined });
    },
  };
}

const textOf = ({ parts }: UIMessage): string =>
  parts.flatMap(({ type, text }) => (type === "text" && typeof text === "string" ? [text] : [])).join(" ");
