/**
 * The one error family. A client call that does not work out throws a {@link TriggerError}; tools let it rise,
 * and one translator puts it into words. Messages never hold credentials.
 */

export type ErrorCode =
  | "not_configured"
  | "invalid_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "session_closed"
  | "too_large"
  | "unprocessable"
  | "rate_limited"
  | "server_error"
  | "unsupported"
  | "unreachable"
  | "timeout"
  | "cancelled"
  | "contract"
  | "outcome_unknown";

export interface ErrorFacts {
  /** HTTP status, when the server answered. */
  status?: number;
  /** Whether the same call may work later, unchanged. */
  retryable?: boolean;
  /** Unix milliseconds before which trying again is pointless. */
  retryAt?: number;
  /** The server's own words, as data. */
  said?: string;
  /** Method and path, no query, no credentials. */
  request?: string;
  /** What to do about it, when whoever throws knows best. */
  hint?: string;
  cause?: unknown;
}

export class TriggerError extends Error {
  override readonly name = "TriggerError";
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly retryAt: number | undefined;
  readonly said: string | undefined;
  readonly request: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.retryable = facts.retryable ?? false;
    this.retryAt = facts.retryAt;
    this.said = facts.said;
    this.request = facts.request;
    this.hint = facts.hint;
  }
}

export const isTriggerError = (error: unknown): error is TriggerError => error instanceof TriggerError;
