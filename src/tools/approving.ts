/** Finds what a tool approval answers: the caller says yes or no, the conversation knows to what. */
import { loadConversation } from "../bridge/conversation.ts";
import type { Approval } from "../bridge/input.ts";
import type { CallOptions, TriggerApi } from "../client/api.ts";
import { call, formatCall } from "../domain/calls.ts";
import { TriggerError } from "../domain/errors.ts";
import { type ToolUse, toolsOf, type UiMessage } from "../domain/message.ts";
import { type Session, sessionKey } from "../domain/session.ts";

export interface Approving {
  answer: Approval;
  /** The assistant message that asked; the turn that follows goes on with it. */
  asking: UiMessage;
}

/** Throws `invalid_request` when nothing waits for approval, or several do and `id` names none of them. */
export async function approvalOf(
  session: Session,
  asked: { approved: boolean; id?: string | undefined; reason?: string | undefined } | undefined,
  api: TriggerApi,
  options: CallOptions,
): Promise<Approving> {
  const { entries } = await loadConversation(api, session, options);
  const asking = entries.findLast(({ message }) => message.role === "assistant")?.message;
  const waiting = asking ? toolsOf(asking.parts).filter((tool) => tool.state === "approval-requested") : [];
  const chosen = choose(waiting, asked?.id, session);
  if (!asking || !asked) throw nothingWaits(session);
  return {
    asking,
    answer: {
      messageId: asking.id ?? "",
      tool: chosen.name,
      callId: chosen.callId,
      approvalId: chosen.approvalId ?? chosen.callId,
      approved: asked.approved,
      ...(asked.reason !== undefined && { reason: asked.reason }),
    },
  };
}

function choose(waiting: ToolUse[], id: string | undefined, session: Session): ToolUse {
  const [only] = waiting;
  if (!only) throw nothingWaits(session);
  if (id === undefined && waiting.length === 1) return only;
  const named = waiting.find((tool) => tool.approvalId === id || tool.callId === id);
  if (named) return named;
  const ids = waiting.map((tool) => `${tool.approvalId ?? tool.callId} (${tool.name})`).join(", ");
  throw new TriggerError("invalid_request", `"approval.id" takes one of what waits for approval: ${ids}.`);
}

const nothingWaits = (session: Session): TriggerError =>
  new TriggerError(
    "invalid_request",
    `Nothing waits for approval in ${sessionKey(session)}: ${formatCall(call("get_session", { session: sessionKey(session) }))} tells where it stands.`,
  );
