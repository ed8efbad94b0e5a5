/** What a request that did not work out comes to: the error to throw, and whether trying again makes sense. */
import { type ErrorCode, TriggerError } from "../domain/errors.ts";
import type { HttpResponse } from "./transport.ts";

export interface Failure {
  error: TriggerError;
  /** The answer leaves hope for the same request (retries.md 2); whether it may be repeated is another question. */
  again: boolean;
  /** Milliseconds the server wants to be left alone. */
  waitMs?: number;
  /** The request may have had its effect, although nobody was told. */
  doubtful: boolean;
}

const SAID_LIMIT = 1_000;

/** Reads any of the error dialects of api.md 0.3. `secret` is cut out of the server's words, should it echo it. */
export function failureOfAnswer(
  request: string,
  response: Pick<HttpResponse, "status" | "header">,
  text: string,
  now: number,
  secret?: string,
): Failure {
  const { status } = response;
  const body = parseObject(text);
  const heard = words(body, text);
  const said = (secret ? heard.replaceAll(secret, "[credential]") : heard).slice(0, SAID_LIMIT);
  const code = codeOf(status, body, said);
  const waitMs = code === "session_closed" ? undefined : waitAsked(response, now);
  const again = code !== "session_closed" && worthRepeating(response);
  return {
    error: new TriggerError(code, said === "" ? `${request} answered ${status}.` : said, {
      status,
      request,
      said,
      retryable: again,
      ...(waitMs !== undefined && { retryAt: now + waitMs }),
    }),
    again,
    ...(waitMs !== undefined && { waitMs }),
    // A gateway that gave up does not know what the server behind it went on to do.
    doubtful: status === 408 || status === 502 || status === 504,
  };
}

/** Failed before a single byte of the request can have left. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The certificate did not convince, which no repetition changes. */
const UNTRUSTED = /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** The connection failed or broke. The cause is kept as its code: messages of sockets name addresses, not secrets. */
export function failureOfConnection(request: string, cause: unknown): Failure {
  const code = errorCode(cause);
  if (code === "UND_ERR_INVALID_ARG") {
    const error = new TriggerError("invalid_request", `${request} holds a value no HTTP header can carry.`, {
      request,
    });
    return { error, again: false, doubtful: false };
  }
  if (code === "UND_ERR_DESTROYED") {
    return { error: cancelled(request, "the client was closed"), again: false, doubtful: false };
  }
  const untrusted = UNTRUSTED.test(code ?? "");
  const neverSent = untrusted || NEVER_SENT.has(code ?? "");
  const error = new TriggerError("unreachable", `${request}: ${describe(code, neverSent)}.`, {
    request,
    retryable: !untrusted,
    cause,
  });
  return { error, again: !untrusted, doubtful: !neverSent };
}

export function failureOfTimeout(request: string, ms: number): Failure {
  const error = new TriggerError("timeout", `${request} was not answered within ${Math.round(ms)} ms.`, {
    request,
    retryable: true,
  });
  return { error, again: true, doubtful: true };
}

export const cancelled = (request: string, why = "the caller went away"): TriggerError =>
  new TriggerError("cancelled", `${request} was cancelled: ${why}.`, { request });

/** Never "success" and never "failure" for something that may have happened. */
export const outcomeUnknown = (request: string, cause: TriggerError): TriggerError =>
  new TriggerError("outcome_unknown", `${request} was sent, but no answer came back: it may have happened.`, {
    request,
    cause,
    ...(cause.status !== undefined && { status: cause.status }),
  });

/** A 2xx whose body is not what the contract says: repeating it would only ask for the same again. */
export const contractError = (request: string, problem: string): TriggerError =>
  new TriggerError("contract", `${request} answered something unexpected: ${problem}.`, { request });

function describe(code: string | undefined, neverSent: boolean): string {
  if (code === undefined) return "the connection broke";
  return neverSent ? `the server cannot be reached (${code})` : `the connection broke (${code})`;
}

function errorCode(cause: unknown): string | undefined {
  if (cause instanceof AggregateError) return errorCode(cause.errors[0]);
  if (!(cause instanceof Error)) return undefined;
  const { code } = cause as NodeJS.ErrnoException;
  return typeof code === "string" ? code : errorCode(cause.cause);
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "unsupported",
  408: "timeout",
  409: "conflict",
  413: "too_large",
  415: "unsupported",
  422: "unprocessable",
  429: "rate_limited",
  501: "unsupported",
};

function codeOf(status: number, body: Record<string, unknown>, said: string): ErrorCode {
  // 409 with a code from newer servers, 400 or 409 with a sentence from the others (api.md 6, point 1).
  if (status === 409 || status === 400) {
    if (body.code === "session_closed") return "session_closed";
    if (/\b(closed|expired) session\b|\bsession is (closed|expired)\b/i.test(said)) return "session_closed";
  }
  if (status < 400) return "contract";
  return CODES[status] ?? (status >= 500 ? "server_error" : "invalid_request");
}

function worthRepeating(response: Pick<HttpResponse, "status" | "header">): boolean {
  const told = response.header("x-should-retry");
  if (told === "true") return true;
  if (told === "false") return false;
  const { status } = response;
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** `Retry-After` in seconds or as a date, else the reset of the bucket in seconds or milliseconds (retries.md 1). */
function waitAsked(response: Pick<HttpResponse, "status" | "header">, now: number): number | undefined {
  const { status } = response;
  if (status !== 429 && status !== 503) return undefined;
  const after = response.header("retry-after")?.trim();
  if (after) {
    const ms = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now;
    if (Number.isFinite(ms)) return Math.max(0, ms);
  }
  const reset = Number(response.header("x-ratelimit-reset") || Number.NaN);
  if (!Number.isFinite(reset)) return undefined;
  const ms = (reset < 1e11 ? reset * 1000 : reset) - now;
  return ms > 0 ? ms : undefined;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `error`, else `error.message`, else `detail`, else the raw text; then what validation had to say. */
function words(body: Record<string, unknown>, text: string): string {
  const { error, detail } = body;
  let said = text.trim();
  if (typeof error === "string") said = error;
  else if (isObject(error) && typeof error.message === "string") said = error.message;
  else if (typeof detail === "string") said = detail;
  else if (/^<(!doctype|html)/i.test(said)) said = "";
  const issues = [body.details, body.issues].find(Array.isArray) ?? [];
  const found = issues.slice(0, 5).filter(isObject).map(issueWords);
  return [said, ...found].filter((part) => part !== "").join("; ");
}

function issueWords(issue: Record<string, unknown>): string {
  const path = Array.isArray(issue.path) ? issue.path.join(".") : "";
  const message = typeof issue.message === "string" ? issue.message : "";
  return path === "" ? message : `${path}: ${message}`;
}
