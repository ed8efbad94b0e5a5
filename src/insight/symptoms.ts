/** What an error's own words say about whose fault it is. Words are weak evidence, codes of the platform strong. */
import { isObject } from "../domain/message.ts";
import { type Failure, isSubtaskWrapper } from "./failure.ts";
import { platformCode } from "./fingerprint.ts";

export type PlatformClass =
  | "out_of_memory"
  | "timeout"
  | "crash"
  | "platform"
  | "version"
  | "payload"
  | "cancelled"
  | "user_code";

/** What the platform's codes mean; one that is not here is the platform's own business. */
const CODES: Readonly<Record<string, PlatformClass>> = {
  TASK_PROCESS_OOM_KILLED: "out_of_memory",
  TASK_PROCESS_MAYBE_OOM_KILLED: "out_of_memory",
  MAX_DURATION_EXCEEDED: "timeout",
  TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE: "crash",
  TASK_PROCESS_SIGSEGV: "crash",
  TASK_PROCESS_SIGTERM: "crash",
  TASK_PROCESS_SIGKILL_TIMEOUT: "crash",
  TASK_RUN_CRASHED: "crash",
  TASK_RUN_UNCAUGHT_EXCEPTION: "crash",
  DISK_SPACE_EXCEEDED: "crash",
  COULD_NOT_FIND_TASK: "version",
  COULD_NOT_IMPORT_TASK: "version",
  OUTDATED_SDK_VERSION: "version",
  CONFIGURED_INCORRECTLY: "version",
  TASK_INPUT_ERROR: "payload",
  TASK_OUTPUT_ERROR: "user_code",
  PAYLOAD_TOO_LARGE: "payload",
  TASK_RUN_CANCELLED: "cancelled",
  TASK_EXECUTION_ABORTED: "cancelled",
  TASK_MIDDLEWARE_ERROR: "user_code",
  HANDLE_ERROR_ERROR: "user_code",
  TASK_DID_CONCURRENT_WAIT: "user_code",
  RECURSIVE_WAIT_DEADLOCK: "user_code",
};

export interface PlatformVerdict {
  code: string;
  class: PlatformClass;
}

export function platformVerdict(failure: Failure): PlatformVerdict | undefined {
  const code = platformCode(failure);
  return code === undefined ? undefined : { code, class: CODES[code] ?? "platform" };
}

/** Names of mistakes in a program; what they say of networks is accidental. */
const PROGRAM_ERRORS = /^(?:TypeError|ReferenceError|SyntaxError|RangeError|AssertionError)$/;

export const isProgramError = ({ name = "" }: Failure): boolean => PROGRAM_ERRORS.test(name);

const OUT_OF_MEMORY =
  /heap out of memory|Reached heap limit|\bout of memory\b|OutOfMemoryError|MANUAL_OOM_KILL_ERROR|\bexit(?:ed)?(?: with)? code 137\b|killed with signal SIGKILL|\bENOMEM\b/i;

/** The message as a whole, and the beginning of the stack, where the engine's last words stand. */
export const saysOutOfMemory = ({ name = "", message, stackTrace = "" }: Failure): boolean =>
  OUT_OF_MEMORY.test(name) ||
  OUT_OF_MEMORY.test(message.slice(0, 4_000)) ||
  /FATAL ERROR.{0,200}heap/i.test(stackTrace.slice(0, 4_000));

const CRASHED =
  /\b(?:SIGSEGV|SIGABRT|SIGBUS|SIGILL|SIGTERM)\b|segmentation fault|process exited with (?:non-zero )?code|unexpected exit with code/i;

export const saysCrash = ({ name = "", message }: Failure): boolean =>
  name === "UnexpectedExitError" || CRASHED.test(message.slice(0, 4_000));

/** Codes of sockets, names and databases that could not be reached. */
const NETWORK_CODE =
  /\b(?:ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ESOCKETTIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH|UND_ERR_[A-Z_]{3,40}|ERR_TLS[A-Z_]{0,40}|CERT_HAS_EXPIRED|P1001|P1002|P1008|P1017|P2024)\b/;
const NETWORK_PHRASE =
  /socket hang up|fetch failed|network (?:error|timeout)|connection (?:refused|reset|terminated|closed|timed out|error)|getaddrinfo|too many (?:connections|clients|requests)|rate.?limit(?:ed|s|ing)?\b|service unavailable|bad gateway|gateway time-?out|temporarily unavailable|overloaded|timed out|timeout of \d{1,9} ?ms exceeded|deadline exceeded|due to timeout|internal server error/i;
const NETWORK_NAME =
  /^(?:FetchError|ConnectTimeoutError|HeadersTimeoutError|BodyTimeoutError|SocketError|TimeoutError|APIConnectionError|APIConnectionTimeoutError|InternalServerError|RateLimitError|ServiceUnavailableError|PrismaClientInitializationError|MongoNetworkError|ThrottlingException)$/;
const HTTP_STATUS =
  /(?:\b(?:status(?: code)?|HTTP(?:\/\d(?:\.\d)?)?|responded(?: with)?|answered(?: with)?|returned|got|received|code|error|failed(?: with)?)[ :=(]{1,3}|^)(5\d\d|429|408)\b(?![.\w])/i;

/** The word or code that says something else did not answer as it should; `undefined` when nothing does. */
export function saysDependency(failure: Failure): string | undefined {
  const message = failure.message.slice(0, 4_000);
  const code = NETWORK_CODE.exec(message)?.[0];
  if (code !== undefined) return code;
  if (isSubtaskWrapper(failure)) return undefined;
  if (isProgramError(failure)) return /^fetch failed$/.test(message) ? message : undefined;
  const status = HTTP_STATUS.exec(message)?.[1];
  if (status !== undefined) return `HTTP ${status}`;
  if (failure.name !== undefined && NETWORK_NAME.test(failure.name)) return failure.name;
  return NETWORK_PHRASE.exec(message)?.[0];
}

const REFUSED =
  /\b(?:login|log-in|authentication|authorization) failed\b|\baccess denied\b|\bpermission denied for\b|\binvalid (?:api key|credentials)\b|\bincorrect api key\b|(?:\b(?:status(?: code)?|HTTP|responded(?: with)?|returned|error)[ :=(]{1,3}|^)(?:401|403)\b(?![.\w])/i;

/** The words that say something else did not let it in. Whether the key or the lock is wrong, they do not say. */
export const saysRefused = (failure: Failure): string | undefined =>
  isProgramError(failure) || isSubtaskWrapper(failure)
    ? undefined
    : REFUSED.exec(failure.message.slice(0, 4_000))?.[0];

/** Statuses with which a server says that it, not the question, is the trouble. */
export const isServerTrouble = (status: number): boolean => status >= 500 || status === 429 || status === 408;

const STATUS_KEY = /(?:^|\.)http\.(?:response\.)?status(?:_?code)?$/i;
const DEEPEST = 4;

/** The HTTP status among a span's attributes, nested (`http: { status_code }`) or flat (`http.status_code`). */
export function httpStatusOf(
  properties: Record<string, unknown> | undefined,
  above = "",
  depth = 0,
): number | undefined {
  for (const [key, value] of Object.entries(properties ?? {})) {
    const path = `${above}${key}`;
    if (isObject(value)) {
      const inside = depth < DEEPEST ? httpStatusOf(value, `${path}.`, depth + 1) : undefined;
      if (inside !== undefined) return inside;
      continue;
    }
    const status = STATUS_KEY.test(path) ? Number(value) : Number.NaN;
    if (Number.isInteger(status) && status >= 100 && status < 600) return status;
  }
  return undefined;
}

const VALIDATION_NAME =
  /(?:^|\.)(?:ZodError|\$?ZodError|ValiError|ValidationError|SchemaError|YupError|ArkErrors|StructError|TaskPayloadParsedError|BadPayloadError|InvalidPayloadError)$/;
const PAYLOAD_PHRASE =
  /parsing payload with schema failed|\b(?:invalid|malformed|unexpected|missing|bad)\b.{0,60}\b(?:payload|input)\b|\b(?:payload|input)\b.{0,80}\b(?:is (?:missing|required|invalid|not)|must (?:be|have)|should (?:be|have)|required|expected|does not match)/i;

export interface PayloadSymptom {
  /** Whether the words name the payload itself, not just something invalid. */
  certain: boolean;
}

export function saysPayload(failure: Failure): PayloadSymptom | undefined {
  const message = failure.message.slice(0, 4_000);
  const name = failure.name ?? "";
  if (name === "TaskPayloadParsedError" || /parsing payload with schema failed/i.test(message))
    return { certain: true };
  if (VALIDATION_NAME.test(name)) return { certain: PAYLOAD_PHRASE.test(message) };
  return PAYLOAD_PHRASE.test(message) && !isProgramError(failure) ? { certain: true } : undefined;
}
