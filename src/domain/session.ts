/** Sessions, contract api.md 4.1. Times are Unix milliseconds. */

export interface SessionTriggerConfig {
  basePayload: Record<string, unknown>;
  machine?: string;
  queue?: string;
  tags?: string[];
  maxAttempts?: number;
  maxDuration?: number;
  lockToVersion?: string;
  region?: string;
  idleTimeoutInSeconds?: number;
  /** Names of concurrency limits every run holds. */
  concurrency?: string[];
  concurrencyKey?: string;
  externalDeploymentId?: string;
  /** A duration, or seconds. */
  ttl?: string | number;
}

export interface Session {
  id: string;
  externalId?: string;
  type: string;
  task: string;
  /** Absent in lists. */
  triggerConfig?: SessionTriggerConfig;
  /** The last run claimed by the session; it may have ended. */
  currentRunId?: string;
  tags: string[];
  metadata?: Record<string, unknown>;
  closedAt?: number;
  closedReason?: string;
  expiresAt?: number;
  createdAt: number;
  updatedAt: number;
}

export interface StartedSession extends Session {
  runId: string;
  /** False when the external id was already known. */
  created: boolean;
  /** Scoped to this session, valid 1 h. A credential: never shown. */
  publicAccessToken: string;
}

export interface SessionListQuery {
  type?: string;
  tag?: string;
  task?: string;
  externalId?: string;
  status?: string;
  period?: string;
  from?: number;
  to?: number;
  limit?: number;
  after?: string;
  before?: string;
}

export interface SessionStart {
  type: string;
  task: string;
  triggerConfig: SessionTriggerConfig;
  externalId?: string;
  tags?: string[];
  metadata?: Record<string, unknown>;
  expiresAt?: number;
}

/** What no path can hold or no reader would see: an external id with it cannot be copied out of an answer. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Bidi_Control}]/u;

/** What other calls in place of the session are addressed by: the external id when it has one that can be typed. */
export const sessionKey = ({ id, externalId }: { id: string; externalId?: string }): string =>
  externalId === undefined || UNSEEN.test(externalId) ? id : externalId;
