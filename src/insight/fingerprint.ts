/**
 * What makes two failures the same failure: the error's name, its message without what varies from run to run, and the
 * function of the reader's own code it came from. Not the line: the same failure in the next version still counts.
 */
import { createHash } from "node:crypto";
import { type Frame, firstOwnFrame, shortFile } from "../domain/frames.ts";
import { normalizeName, QUOTED } from "./names.ts";

/** As runs carry it (contract api.md 1.2), or a span's exception. Raw upstream text. */
export interface Failure {
  name?: string;
  message: string;
  stackTrace?: string;
}

export type { Frame };

export interface Fingerprint {
  /** 16 hex digits; equal keys are the same failure. The task is not part of it. */
  key: string;
  /** `TypeError: Cannot read properties of undefined (reading id)`; raw upstream text, at most 300 characters. */
  title: string;
  /** Absent for platform errors and where no frame is the reader's own. */
  frame?: Frame;
}

/** Total: any text, of any length, gives a fingerprint. */
export function fingerprint(failure: Failure): Fingerprint {
  const code = platformCode(failure);
  if (code !== undefined) return { key: digest("platform", code), title: code };
  const name = failure.name ?? "";
  const shape = messageShape(failure.message);
  const frame = failure.stackTrace === undefined ? undefined : firstOwnFrame(belowMessage(failure));
  return {
    key: digest(name, shape, frame ? `${fileKey(frame.file)} ${functionKey(frame.name)}` : ""),
    title: [name, shape].filter((part) => part !== "").join(": ") || "an error without name and message",
    ...(frame && { frame }),
  };
}

/** Contract api.md 1.2: what the platform says of a run it ended itself. */
const PLATFORM_MESSAGE = /^trigger\.dev internal error \(([A-Z][A-Z\d_]{2,63})\)$/;
/** Codes as span exceptions carry them in place of a name. */
const PLATFORM_NAME =
  /^(?:COULD_NOT_FIND_(?:EXECUTOR|TASK)|COULD_NOT_IMPORT_TASK|CONFIGURED_INCORRECTLY|TASK_[A-Z\d_]{3,60}|HANDLE_ERROR_ERROR|GRACEFUL_EXIT_TIMEOUT|MAX_DURATION_EXCEEDED|DISK_SPACE_EXCEEDED|POD_(?:EVICTED|UNKNOWN_ERROR)|OUTDATED_SDK_VERSION|RECURSIVE_WAIT_DEADLOCK|BATCH_ITEM_COULD_NOT_TRIGGER|PAYLOAD_TOO_LARGE|UNSPECIFIED_ERROR)$/;

/** `TASK_PROCESS_OOM_KILLED`: the code of an error the platform raised itself. */
export function platformCode({ name, message }: Failure): string | undefined {
  return (
    PLATFORM_MESSAGE.exec(message.slice(0, 200).trim())?.[1] ??
    (name !== undefined && PLATFORM_NAME.test(name) ? name : undefined)
  );
}

/** Enough to tell messages apart; they may be megabytes. */
const COMPARED = 1_000;
const LONGEST_SHAPE = 240;

const URLS = /\b([a-z][a-z\d+.-]{1,20}:\/\/)(?:[^\s/@"'`<>]{0,200}@)?([^\s/?#"'`<>()]{1,200})[^\s"'`<>()]*/gi;
const PATHS = /(?<![\w.{}/\\-])(?:~|\.{1,2}|[A-Za-z]:)?(?:[\\/][\w.@+-]{1,100}){2,}[\\/]?(?::\d+)*/g;
/** Names of the code, not values: V8 quotes the property it could not reach. */
const PROPERTY = /\((reading|setting) '([^']{1,60})'\)/g;
/** `cus_8F3kQ2`: what stands behind the prefix is generated. */
const PREFIXED_IDS = /\b([a-z]{2,12})_(?=[A-Za-z]*\d|[a-z]*[A-Z])[A-Za-z\d]{4,100}(?![\w-])/g;
const ADDRESSES = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g;
/** Numbers that tell failures apart: an HTTP status or exit code, and the port that tells one service from another. */
const TELLING =
  /((?:\b(?:status|HTTP|API|code|error|returned|responded|answered)(?:\/\d(?:\.\d)?)?(?: code| with| status)*[ :=(]{1,3}|^)[1-5]\d\d\b(?![.\w])|(?<=\{ip\}|\blocalhost|::1):\d{2,5}\b)/i;

/** The message without what varies: ids, numbers, quoted values, times, addresses, paths. */
function messageShape(message: string): string {
  const text = message
    .slice(0, COMPARED)
    .replace(/\s+/g, " ")
    .trim()
    .replace(PROPERTY, "($1 $2)")
    .replace(URLS, "$1$2")
    .replace(QUOTED, "{…}")
    .replace(PATHS, "{path}")
    .replace(ADDRESSES, "{ip}")
    .replace(PREFIXED_IDS, "$1_{id}");
  // The pieces between are normalised, the telling numbers stand at the odd places.
  return text
    .split(TELLING)
    .map((piece, at) => (at % 2 === 1 ? piece : normalizeName(piece)))
    .join("")
    .slice(0, LONGEST_SHAPE);
}

/** A message may quote another stack; the frames of this failure come after it. */
export function belowMessage({ message, stackTrace = "" }: Failure): string {
  const at = message === "" ? -1 : stackTrace.indexOf(message);
  return at < 0 ? stackTrace : stackTrace.slice(at + message.length);
}

/** The last two names of the path without ending: the same file wherever it was built and installed. */
const fileKey = (file: string): string =>
  shortFile(file)
    .replaceAll("\\", "/")
    .replace(/[?#].*$/, "")
    .replace(/\.[cm]?[jt]sx?$/, "")
    .replace(/chunk-[A-Z\d]{8}$/, "chunk")
    .split("/")
    .slice(-2)
    .join("/");

/** `Object.run [as fn]`, `new run` and `run` are one function. */
const functionKey = (name: string): string =>
  name
    .replace(/ \[as [^\]]*\]$/, "")
    .replace(/^(?:async |new )+/, "")
    .replace(/^(?:Object|Module|exports)\./, "");

/** 16 hex digits of all parts. */
export const digest = (...parts: string[]): string =>
  createHash("sha256").update(parts.join("\u0000")).digest("hex").slice(0, 16);
