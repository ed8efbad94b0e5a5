/** Run statuses in the current vocabulary, contract api.md 0.5. */
export const RUN_STATUSES = [
  "PENDING_VERSION",
  "DELAYED",
  "QUEUED",
  "DEQUEUED",
  "EXECUTING",
  "WAITING",
  "COMPLETED",
  "CANCELED",
  "FAILED",
  "CRASHED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];

/** A server may show others, which it cannot be asked for. */
export const isRunStatus = (status: string): status is RunStatus =>
  (RUN_STATUSES as readonly string[]).includes(status);

const TERMINAL: ReadonlySet<string> = new Set([
  "COMPLETED",
  "CANCELED",
  "FAILED",
  "CRASHED",
  "INTERRUPTED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
]);

const BAD_ENDS: ReadonlySet<string> = new Set([
  "FAILED",
  "CRASHED",
  "INTERRUPTED",
  "SYSTEM_FAILURE",
  "TIMED_OUT",
]);

/** Whether the run can still change. The wire's `isCompleted` misses EXPIRED and TIMED_OUT, so it is never asked. */
export const isTerminal = (status: string): boolean => TERMINAL.has(status);

/** Ended by going wrong: not CANCELED (somebody's wish) and not EXPIRED (never began). */
export const isBadEnd = (status: string): boolean => BAD_ENDS.has(status);

export const SESSION_STATUSES = ["ACTIVE", "CLOSED", "EXPIRED"] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** Session status is not a wire field; contract api.md 0.6 derives it. Times are Unix milliseconds. */
export function sessionStatus(
  session: { closedAt?: number; expiresAt?: number },
  now: number,
): SessionStatus {
  if (session.closedAt !== undefined) return "CLOSED";
  if (session.expiresAt !== undefined && session.expiresAt < now) return "EXPIRED";
  return "ACTIVE";
}

/** Stored spellings that differ from the shown ones, contract api.md 0.5. */
const SHOWN: ReadonlyMap<string, RunStatus> = new Map([
  ["WAITING_FOR_DEPLOY", "PENDING_VERSION"],
  ["PENDING", "QUEUED"],
  ["RETRYING_AFTER_FAILURE", "EXECUTING"],
  ["WAITING_TO_RESUME", "WAITING"],
  ["PAUSED", "WAITING"],
  ["COMPLETED_SUCCESSFULLY", "COMPLETED"],
  ["COMPLETED_WITH_ERRORS", "FAILED"],
  ["INTERRUPTED", "FAILED"],
]);

/** A stored status in the current vocabulary; what is not known stays as it is. */
export const shownStatus = (stored: string): string => SHOWN.get(stored) ?? stored;
