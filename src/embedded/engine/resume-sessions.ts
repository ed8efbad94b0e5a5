/** Conversations that an earlier process left in the middle go on when the next one starts. */
import { header } from "../store/channels.ts";
import type { Db } from "../store/db.ts";
import type { EnvironmentStore } from "../store/environments.ts";
import { createSessionStore, type StoredSession } from "../store/sessions.ts";
import type { Channels } from "./channels.ts";
import { channelOf, type Sessions } from "./sessions.ts";

interface ResumeDeps {
  db: Db;
  sessions: Sessions;
  channels: Channels;
  environments: EnvironmentStore;
}

/**
 * A fresh run for every session whose run died with its process and left input unanswered: that input was
 * acknowledged, and whoever sent it may be waiting. Runs that ended in any other way wait for the next input, as the
 * API has it (contract api.md 5.4).
 */
export function resumeSessions({ db, sessions, channels, environments }: ResumeDeps): void {
  for (const session of createSessionStore(db).died()) {
    const environment = environments.byId(session.environmentId);
    if (environment === undefined || sessions.ended(session) || isAnswered(session, channels)) continue;
    sessions.ensureRun(environment, session);
  }
}

/** Whether the last `turn-complete` has reached the newest input. */
function isAnswered(session: StoredSession, channels: Channels): boolean {
  const lastTurn = channels.lastControl(channelOf(session, "out"), "turn-complete");
  const committed = Number((lastTurn && header(lastTurn, "session-in-event-id")) ?? -1);
  return channels.tail(channelOf(session, "in")).seq <= committed + 1;
}
