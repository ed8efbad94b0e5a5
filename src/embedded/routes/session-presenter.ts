/** The session object on the wire, contract api.md 4.1. */
import { friendlyId, type StoredSession } from "../store/sessions.ts";

export function presentSession(session: StoredSession) {
  const date = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return {
    id: friendlyId(session),
    externalId: session.externalId ?? null,
    type: session.type,
    taskIdentifier: session.task,
    triggerConfig: session.triggerConfig,
    currentRunId: session.currentRunId ?? null,
    tags: session.tags,
    metadata: session.metadata ?? null,
    closedAt: date(session.closedAt),
    closedReason: session.closedReason ?? null,
    expiresAt: date(session.expiresAt),
    createdAt: date(session.createdAt),
    updatedAt: date(session.updatedAt),
  };
}

/** Without `triggerConfig`, as lists show it. */
export function listed(session: StoredSession) {
  const { triggerConfig: _, ...item } = presentSession(session);
  return item;
}
