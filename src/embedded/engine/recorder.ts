/** Writes down what one attempt does: its spans, nested as the task nests them, and its logs. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "./clock.ts";
import { RunStopped, toStoredError } from "./failure.ts";
import { cancelSpan, closeSpan, failAttempt, failSpan, openSpan } from "./spans.ts";
import type { TraceWriter } from "./trace-writer.ts";
import type { StoredError, StoredRun, StoredSpan } from "./types.ts";

const currentSpan = new AsyncLocalStorage<StoredSpan>();

type SpanOptions = Pick<StoredSpan, "message"> &
  Partial<Pick<StoredSpan, "properties" | "style" | "entityType">>;

export type AttemptEnd =
  | { kind: "completed" }
  | { kind: "failed"; error: StoredError }
  | { kind: "cancelled"; reason: string };

export interface Recorder {
  /** Runs `work` inside a new span of the current one; the span ends with it, and as it does. */
  span<T>(options: SpanOptions, work: (span: StoredSpan) => Promise<T>): Promise<T>;
  set(span: StoredSpan, properties: Record<string, unknown>): void;
  log(level: StoredSpan["level"], message: string, properties: Record<string, unknown>): void;
  /** Runs the task itself inside the attempt's span. */
  inside<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the attempt and what it left open; whatever the task still does is no longer recorded. */
  end(how: AttemptEnd): void;
}

export function createRecorder(run: StoredRun, trace: TraceWriter, now: Clock): Recorder {
  const attempt = run.attemptCount;
  const open = new Set<StoredSpan>();
  let ended = false;

  const begin = (options: SpanOptions, parent: StoredSpan | undefined): StoredSpan => {
    const span = openSpan(run, {
      ...options,
      attempt,
      startTime: now(),
      ...(parent && { parentId: parent.spanId }),
    });
    if (ended) return span;
    open.add(span);
    trace.write(span);
    return span;
  };

  /** Does nothing for a span that has already ended. */
  const finish = (span: StoredSpan, close: (span: StoredSpan, at: number) => void) => {
    if (!open.delete(span)) return;
    close(span, now());
    trace.write(span);
  };

  const root = begin(
    { message: `Attempt ${attempt}`, style: { icon: "attempt" }, entityType: "attempt" },
    undefined,
  );
  const parent = () => currentSpan.getStore() ?? root;

  return {
    span: async (options, work) => {
      const span = begin(options, parent());
      try {
        const result = await currentSpan.run(span, () => work(span));
        finish(span, closeSpan);
        return result;
      } catch (error) {
        finish(span, endingFor(error));
        throw error;
      }
    },

    set: (span, properties) => {
      if (!open.has(span)) return;
      Object.assign(span.properties, properties);
      trace.write(span);
    },

    log: (level, message, properties) => {
      if (ended) return;
      const fields = { message, properties, attempt, level, startTime: now(), parentId: parent().spanId };
      trace.write(openSpan(run, { ...fields, kind: "log", isPartial: false }));
    },

    inside: (work) => currentSpan.run(root, work),

    end: (how) => {
      ended = true;
      for (const span of [...open].reverse()) finish(span, endingLike(how, span === root));
    },
  };
}

type Close = (span: StoredSpan, at: number) => void;

function endingFor(error: unknown): Close {
  if (error instanceof RunStopped && error.why === "cancelled") {
    return (span, at) => cancelSpan(span, at, error.message);
  }
  return (span, at) => failSpan(span, at, toStoredError(error));
}

function endingLike(how: AttemptEnd, isAttempt: boolean): Close {
  if (how.kind === "completed") return closeSpan;
  if (how.kind === "cancelled") return (span, at) => cancelSpan(span, at, how.reason);
  return (span, at) => (isAttempt ? failAttempt : failSpan)(span, at, how.error);
}
