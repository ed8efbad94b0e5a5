/**
 * What can be done with sessions, contract api.md 4: each keeps a live run of its task, one after another, and all of
 * them read and write the same two channels. Refusals are thrown as {@link EngineRefusal} with the contract's words.
 */
import type { SessionStart } from "../../domain/session.ts";
import { sessionStatus } from "../../domain/status.ts";
import type { ChannelAddress, RecordHeader } from "../store/channels.ts";
import type { Db } from "../store/db.ts";
import {
  canonicalKey,
  createSessionStore,
  friendlyId,
  type SessionFilter,
  type SessionPage,
  type StoredSession,
} from "../store/sessions.ts";
import type { Channels } from "./channels.ts";
import { cuid } from "./ids.ts";
import {
  type Engine,
  EngineRefusal,
  type Environment,
  type StoredRun,
  type TriggerRequest,
} from "./types.ts";

const FINAL: ReadonlySet<string> = new Set([
  "COMPLETED_SUCCESSFULLY",
  "COMPLETED_WITH_ERRORS",
  "CANCELED",
  "CRASHED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
]);

/** Absent keys stay as they are; `metadata: null` clears. */
export interface SessionChange {
  tags?: string[];
  metadata?: Record<string, unknown> | null;
}

export interface Sessions {
  /** By either id form. */
  find(environment: Environment, reference: string): StoredSession | undefined;
  list(
    environment: Environment,
    filter: SessionFilter,
    page: SessionPage,
  ): { rows: StoredSession[]; older: boolean; newer: boolean };
  /** Idempotent on the external id; both ways a live run exists afterwards. Refuses (409) a closed or expired one. */
  create(
    environment: Environment,
    start: SessionStart,
  ): { session: StoredSession; run: StoredRun; created: boolean };
  /** The live run; triggers a continuation when the last one has ended. Refuses (422) as a trigger does. */
  ensureRun(environment: Environment, session: StoredSession): StoredRun;
  update(session: StoredSession, change: SessionChange): StoredSession;
  /** Permanent and write-once: a second call changes nothing. */
  close(session: StoredSession, reason?: string): StoredSession;
  /** Hands the session to a fresh run, if `callingRunId` still holds it. */
  endAndContinue(
    environment: Environment,
    session: StoredSession,
    callingRunId: string,
  ): { run: StoredRun; swapped: boolean };
  /** `closed` or `expired`, or undefined while it takes input. */
  ended(session: StoredSession): "closed" | "expired" | undefined;
}

export interface SessionsOptions {
  db: Db;
  engine: Engine;
  channels: Channels;
  now?: () => number;
}

export function createSessions({ db, engine, channels, now = Date.now }: SessionsOptions): Sessions {
  const store = createSessionStore(db);

  /** The row as it is now: a caller's copy may be older than a request that overtook it. */
  const current = (session: StoredSession): StoredSession => store.byId(session.id) ?? session;

  function touch(session: StoredSession, change: Partial<StoredSession>): StoredSession {
    const changed = { ...current(session), ...change, updatedAt: now() };
    store.save(changed);
    return changed;
  }

  function ended(session: StoredSession) {
    const status = sessionStatus(current(session), now());
    return status === "ACTIVE" ? undefined : status === "CLOSED" ? ("closed" as const) : ("expired" as const);
  }

  function liveRun(environment: Environment, session: StoredSession): StoredRun | undefined {
    if (session.currentRunId === undefined || session.currentRunId === session.leftRunId) return undefined;
    const run = engine.runs.find(environment.id, session.currentRunId);
    return run === undefined || FINAL.has(run.status) ? undefined : run;
  }

  const startRun = (environment: Environment, session: StoredSession): StoredRun =>
    engine.trigger(environment, runRequest(session)).run;

  function ensureRun(environment: Environment, given: StoredSession): StoredRun {
    const session = current(given);
    const live = liveRun(environment, session);
    if (live !== undefined) return live;
    const run = startRun(environment, session);
    touch(session, { currentRunId: run.friendlyId });
    return run;
  }

  function findOrInsert(environment: Environment, start: SessionStart) {
    const known = start.externalId && store.find(environment.id, start.externalId);
    if (known) return { session: touch(known, { triggerConfig: start.triggerConfig }), created: false };
    const session = newSession(environment, start, now());
    store.insert(session);
    return { session, created: true };
  }

  return {
    find: (environment, reference) => store.find(environment.id, reference),
    list: (environment, filter, page) => store.list(environment.id, filter, page, now()),
    ended,
    ensureRun,

    create(environment, start) {
      const { session, created } = findOrInsert(environment, start);
      const end = ended(session);
      if (end !== undefined && !created) {
        const message = `Session is ${end}; use a different externalId to create a new session`;
        throw new EngineRefusal(409, message);
      }
      const run = ensureRun(environment, session);
      return { session: { ...session, currentRunId: run.friendlyId }, run, created };
    },

    update(session, { tags, metadata }) {
      if (metadata === null) store.clearMetadata(session.id);
      return touch(session, { ...(tags && { tags }), ...(metadata && { metadata }) });
    },

    close(given, reason) {
      const session = current(given);
      if (session.closedAt !== undefined) return session;
      const closed = touch(session, {
        closedAt: now(),
        ...(reason !== undefined && { closedReason: reason }),
      });
      channels.append(channelOf(closed, "out"), { headers: closedHeaders(reason) });
      channels.wake(channelOf(closed, "in"));
      return closed;
    },

    endAndContinue(environment, given, callingRunId) {
      const session = current(given);
      const end = ended(session);
      if (end !== undefined) {
        const article = end === "closed" ? "a" : "an";
        throw new EngineRefusal(400, `Cannot end-and-continue ${article} ${end} session`);
      }
      if (engine.runs.find(environment.id, callingRunId) === undefined) {
        throw new EngineRefusal(404, "callingRunId not found in this environment");
      }
      if (session.currentRunId !== callingRunId) {
        return { run: ensureRun(environment, session), swapped: false };
      }
      const run = startRun(environment, session);
      touch(session, { currentRunId: run.friendlyId, leftRunId: callingRunId });
      channels.wake(channelOf(session, "in"));
      return { run, swapped: true };
    },
  };
}

/** Both id forms of a session, all its runs, come to these channels. */
export const channelOf = (session: StoredSession, io: "in" | "out"): ChannelAddress => ({
  environmentId: session.environmentId,
  key: canonicalKey(session),
  io,
});

function newSession(environment: Environment, start: SessionStart, at: number): StoredSession {
  const { externalId, metadata, expiresAt, type, task, triggerConfig, tags = [] } = start;
  return {
    id: cuid(),
    environmentId: environment.id,
    type,
    task,
    triggerConfig,
    tags,
    createdAt: at,
    updatedAt: at,
    ...(externalId !== undefined && { externalId }),
    ...(metadata !== undefined && { metadata }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** Payload assembly, contract api.md 4.2: a continuation does not repeat the first message. */
function runRequest(session: StoredSession): TriggerRequest {
  const { basePayload, idleTimeoutInSeconds, ttl, ...options } = session.triggerConfig;
  const payload: Record<string, unknown> = { ...basePayload, sessionId: friendlyId(session) };
  if (idleTimeoutInSeconds !== undefined) payload.idleTimeoutInSeconds = idleTimeoutInSeconds;
  if (session.currentRunId !== undefined) {
    Object.assign(payload, { continuation: true, previousRunId: session.currentRunId });
    for (const key of ["message", "messages", "trigger"]) delete payload[key];
  }
  return {
    task: session.task,
    payload: JSON.stringify(payload),
    sessionId: session.id,
    ...options,
    ...(ttl !== undefined && { ttl: typeof ttl === "number" ? `${ttl}s` : ttl }),
  };
}

/** Newer servers announce the end to whoever reads `.out`, contract channels.md 4. */
function closedHeaders(reason: string | undefined): RecordHeader[] {
  const headers: RecordHeader[] = [["trigger-control", "session-closed"]];
  if (reason !== undefined) headers.push(["session-closed-reason", reason]);
  return headers;
}
