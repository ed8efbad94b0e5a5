/** How a turn ends: the control record, a fresh token, the snapshot, and the trim of the turn before. */
import { mintPublicToken } from "../auth/tokens.ts";
import type { Channels } from "../engine/channels.ts";
import { channelOf } from "../engine/sessions.ts";
import { saveSnapshot, type UIMessage } from "../engine/snapshots.ts";
import type { TaskContext } from "../engine/types.ts";
import type { RecordHeader } from "../store/channels.ts";
import type { Db } from "../store/db.ts";
import type { Objects } from "../store/objects.ts";
import { canonicalKey, type SessionStore, type StoredSession } from "../store/sessions.ts";
import { atomically } from "../store/transaction.ts";
import type { Inbox } from "./chat-inbox.ts";

export interface TurnEndParts {
  db: Db;
  channels: Channels;
  objects: Objects;
  sessions: SessionStore;
  context: TaskContext;
  session: StoredSession;
  inbox: Inbox;
  /** The history so far; owned by the conversation from here on. */
  messages: UIMessage[];
  /** Position of the last `turn-complete` on `.out`. */
  lastTurnSeq?: number;
}

export function openTurnEnd(parts: TurnEndParts) {
  const { db, channels, objects, sessions, context, session, inbox, messages } = parts;
  const output = channelOf(session, "out");
  let { lastTurnSeq } = parts;

  function headers(token: string | undefined): RecordHeader[] {
    const { committed, consumed } = inbox.position();
    const { closedAt, closedReason } = sessions.byId(session.id) ?? session;
    const all: [name: string, value: string | undefined][] = [
      ["trigger-control", "turn-complete"],
      ["public-access-token", token],
      ["session-in-event-id", committed < 0 ? undefined : String(committed)],
      ["session-in-consumed-id", consumed < 0 ? undefined : String(consumed)],
      ["session-closed", closedAt === undefined ? undefined : "true"],
      ["session-closed-reason", closedReason],
    ];
    return all.flatMap(([name, value]): RecordHeader[] => (value === undefined ? [] : [[name, value]]));
  }

  /** Scopes as contract channels.md 9 has them. */
  function sessionToken(): Promise<string> {
    const [key, runId] = [canonicalKey(session), context.run.friendlyId];
    const scopes = [
      `read:runs:${runId}`,
      `read:sessions:${key}`,
      `write:inputStreams:${runId}`,
      `write:sessions:${key}`,
    ];
    return mintPublicToken(context.environment, { scopes }, "1h");
  }

  return {
    /** Record and snapshot are stored together: a run that continues sees both or neither. */
    async complete(withToken: boolean): Promise<true> {
      const token = withToken ? await sessionToken() : undefined;
      const { committed } = inbox.position();
      atomically(db, () => {
        const seq = channels.append(output, { headers: headers(token) })?.seq;
        saveSnapshot(objects, context.environment, session, {
          version: 1,
          savedAt: Date.now(),
          messages,
          lastOutEventId: String(seq),
          ...(committed >= 0 && { lastInEventId: String(committed) }),
        });
        if (lastTurnSeq !== undefined) channels.trim(output, lastTurnSeq);
        lastTurnSeq = seq;
      });
      return true;
    },
  };
}
