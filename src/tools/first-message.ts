/**
 * The first message of a session goes on its `.in` like all others: in the payload (contract api.md 4.2) it would be lost
 * as soon as somebody else creates the session again, and not be sent at all where the session exists unused.
 */
import { createHash } from "node:crypto";
import { chatInput, firstMessage } from "../bridge/input.ts";
import type { Position } from "../bridge/position.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import { type Appended, appendInput } from "./appending.ts";
import type { ToolContext } from "./define.ts";

/** Where the message is on `.in`, now or from an earlier call; `undefined` when something else was said before it. */
export async function sayFirst(
  message: string,
  clientData: unknown,
  { session, position }: { session: Session; position: Position },
  context: ToolContext,
  { deadline }: { deadline: number },
): Promise<Appended | undefined> {
  const key = sessionKey(session);
  const id = messageId(key, message);
  const known = position.in.inputs.find(({ partId }) => partId === id);
  if (known) return { ...(known.seq !== undefined && { seq: known.seq }), repeated: true };
  if (hasBegun(session, position)) return undefined;
  const { metadata } = session.triggerConfig?.basePayload ?? {};
  const body = chatInput(key, { kind: "message", id, text: message }, clientData ?? metadata);
  const hint = `Call again with "external_id":${JSON.stringify(key)}: then it is sent once at most.`;
  return appendInput({ session: key, body, key: id, hint }, context, deadline);
}

/** One message in one session has one id, so that repeating the call says it once. */
const messageId = (session: string, message: string): string =>
  createHash("sha256")
    .update(JSON.stringify([session, message]))
    .digest("base64url")
    .slice(0, 24);

const hasBegun = ({ triggerConfig }: Session, { in: { inputs }, out }: Position): boolean =>
  inputs.some(({ asksForTurn }) => asksForTurn) ||
  out.turns.length > 0 ||
  firstMessage(triggerConfig?.basePayload) !== undefined;
