/** What goes on `.in` of a chat agent, contract channels.md 7: making it and reading it back. */
import { asMessage, isObject, type UiMessage } from "../domain/message.ts";
import type { ChannelRecord } from "../domain/record.ts";

export type InputKind = "message" | "action" | "approval" | "regenerate" | "stop";

/** One input as found on the channel. Approvals read as messages of the assistant. */
export interface ChatInput {
  seq?: number;
  /** Unix milliseconds. */
  time?: number;
  partId?: string;
  /** Starts a turn; a stop or a hand-over does not. */
  asksForTurn: boolean;
  /** `message`, `stop`, … and for messages with another trigger than `submit-message` that trigger. */
  kind: string;
  message?: UiMessage;
}

/** The answer to a tool that asked for approval. */
export interface Approval {
  /** The assistant message that asked. */
  messageId: string;
  tool: string;
  callId: string;
  approvalId: string;
  approved: boolean;
  reason?: string;
}

/** The body to append: one JSON object, not wrapped. `chatId` is the session's external id. */
export function chatInput(
  chatId: string,
  input:
    | { kind: "message"; id: string; text: string }
    | { kind: "action"; action: unknown }
    | { kind: "approval"; approval: Approval }
    | { kind: "regenerate"; messageId?: string }
    | { kind: "stop"; message?: string },
  clientData?: unknown,
): string {
  if (input.kind === "stop") {
    return JSON.stringify({ kind: "stop", ...(input.message !== undefined && { message: input.message }) });
  }
  return JSON.stringify({
    kind: "message",
    payload: { chatId, ...wirePayload(input), ...(clientData !== undefined && { metadata: clientData }) },
  });
}

function wirePayload(
  input: Exclude<Parameters<typeof chatInput>[1], { kind: "stop" }>,
): Record<string, unknown> {
  switch (input.kind) {
    case "message":
      return { trigger: "submit-message", message: userMessage(input.id, input.text), messageId: input.id };
    case "action":
      return { trigger: "action", action: input.action };
    case "regenerate":
      return {
        trigger: "regenerate-message",
        ...(input.messageId !== undefined && { messageId: input.messageId }),
      };
    case "approval":
      return {
        trigger: "submit-message",
        message: approvalMessage(input.approval),
        messageId: input.approval.messageId,
      };
  }
}

export const userMessage = (id: string, text: string): UiMessage => ({
  id,
  role: "user",
  parts: [{ type: "text", text }],
});

const approvalMessage = ({ messageId, tool, callId, approvalId, approved, reason }: Approval): UiMessage => ({
  id: messageId,
  role: "assistant",
  parts: [
    {
      type: `tool-${tool}`,
      toolCallId: callId,
      state: "approval-responded",
      approval: { id: approvalId, approved, ...(reason !== undefined && { reason }) },
    },
  ],
});

/** A record of `.in` as a chat input; other tasks' records read as inputs of kind `data`. */
export function readInput(record: ChannelRecord): ChatInput | undefined {
  if (record.kind !== "data") return undefined;
  const at = {
    ...(record.seq !== undefined && { seq: record.seq }),
    ...(record.timestamp !== undefined && { time: record.timestamp }),
    ...(record.partId !== undefined && { partId: record.partId }),
  };
  const data = record.data;
  if (!isObject(data) || typeof data.kind !== "string") return { ...at, kind: "data", asksForTurn: false };
  if (data.kind !== "message") return { ...at, kind: data.kind, asksForTurn: false };
  const payload = isObject(data.payload) ? data.payload : {};
  const trigger = typeof payload.trigger === "string" ? payload.trigger : "submit-message";
  const message = asMessage(payload.message);
  return {
    ...at,
    kind: trigger === "submit-message" ? "message" : trigger,
    asksForTurn: TURN_TRIGGERS.has(trigger),
    ...(message && { message }),
  };
}

const TURN_TRIGGERS: ReadonlySet<string> = new Set(["submit-message", "regenerate-message", "action"]);

/** The first message, when the session was created with one (channels.md 7: it is not repeated on `.in`). */
export function firstMessage(basePayload: Record<string, unknown> | undefined): UiMessage | undefined {
  if (!basePayload || (basePayload.trigger ?? "submit-message") !== "submit-message") return undefined;
  return asMessage(basePayload.message);
}
