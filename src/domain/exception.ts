/** Exceptions as spans carry them, contract api.md 1.3: an event `exception` or `attempt_failed` with its properties. */
import type { SpanEvent } from "./trace.ts";

export interface Exception {
  type?: string;
  message?: string;
  stack?: string;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** Raw upstream text; callers clean it. */
export function exceptionsOf(events: readonly SpanEvent[]): Exception[] {
  return events.flatMap((event) => {
    const raw = event.properties.exception;
    if (typeof raw !== "object" || raw === null) return [];
    const { type, message, stacktrace } = raw as Record<string, unknown>;
    const exception = {
      ...(textOf(type) !== undefined && { type: textOf(type) as string }),
      ...(textOf(message) !== undefined && { message: textOf(message) as string }),
      ...(textOf(stacktrace) !== undefined && { stack: textOf(stacktrace) as string }),
    };
    return Object.keys(exception).length > 0 ? [exception] : [];
  });
}

/** `TypeError: Cannot read …`, raw. */
export const exceptionTitle = ({ type, message }: Exception): string =>
  [type, message].filter((part) => part !== undefined).join(": ");

/** The same of a run's error, contract api.md 1.2, where either part may be empty; raw. */
export const failureTitle = ({ name, message }: { name?: string; message: string }): string =>
  [name, message].filter((part) => part !== undefined && part !== "").join(": ");
