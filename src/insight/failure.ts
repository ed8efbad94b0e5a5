/** What was thrown, and what it says threw it: an error's chain of causes as platform and engine print it. */
import { exceptionsOf } from "../domain/exception.ts";
import type { Run } from "../domain/run.ts";
import type { Span } from "../domain/trace.ts";
import { belowMessage, type Failure } from "./fingerprint.ts";

export type { Failure };

export const failureOfRun = ({ error }: Run): Failure | undefined =>
  error && {
    message: error.message,
    ...(error.name !== undefined && { name: error.name }),
    ...(error.stackTrace !== undefined && { stackTrace: error.stackTrace }),
  };

export function failureOfSpan(span: Span): Failure | undefined {
  const exception = exceptionsOf(span.events)[0];
  return (
    exception && {
      message: exception.message ?? "",
      ...(exception.type !== undefined && { name: exception.type }),
      ...(exception.stack !== undefined && { stackTrace: exception.stack }),
    }
  );
}

/** `Caused by: TypeError: …` as the platform prints causes, `[cause]: TypeError: …` as Node does. */
const CAUSE = /^\s*(?:\[cause\]|caused by)\s*:\s*(\S.*)$/i;
const TITLE = /^(?:Uncaught )?([A-Z][\w$.]{0,80}): ?(.*)$/s;
const MOST_LINES = 1_000;
const MOST_CAUSES = 8;

/** The error itself, then its causes, the innermost last; each with the part of the stack that is its own. */
export function causeChain(failure: Failure): Failure[] {
  // A message may be pages long, and quote another error's causes.
  const lines = belowMessage(failure).split("\n", MOST_LINES);
  const chain: { failure: Failure; stack: string[] }[] = [{ failure, stack: [] }];
  for (const line of lines) {
    const title = chain.length <= MOST_CAUSES ? CAUSE.exec(line)?.[1] : undefined;
    if (title !== undefined) chain.push({ failure: titled(title.replace(/\s*\{$/, "")), stack: [] });
    chain.at(-1)?.stack.push(line);
  }
  return chain.map(({ failure: each, stack }) =>
    each.stackTrace === undefined && stack.length < 2 ? each : { ...each, stackTrace: stack.join("\n") },
  );
}

/** The innermost cause that has something to say. */
export function rootCause(failure: Failure): Failure {
  const chain = causeChain(failure);
  return chain.findLast(({ message, name }) => message !== "" || name !== undefined) ?? failure;
}

function titled(title: string): Failure {
  const [, name, message] = TITLE.exec(title) ?? [];
  return name === undefined ? { message: title } : { name, message: message ?? "" };
}

/** Errors whose whole point is to say that another run failed. */
const WRAPPERS = /^(?:SubtaskUnwrapError|BatchTriggerError|BatchSubtaskError)$/;

export const isSubtaskWrapper = ({ name, message }: Failure): boolean =>
  (name !== undefined && WRAPPERS.test(name)) || /^(?:Error in |Subtask .{0,200} failed)/.test(message);

/** Shorter messages are part of many others by chance. */
const TELLING = 6;

/** Tells of an error whether `outer`, or something `outer` says caused it, is that error handed on. */
export function carrierOf(outer: Failure): (inner: Failure) => boolean {
  const chain = causeChain(outer);
  return (inner) =>
    chain.some(
      ({ message, name }) =>
        (message === inner.message && (name === inner.name || message.length >= TELLING)) ||
        (inner.message.length >= TELLING && message.includes(inner.message)),
    );
}
