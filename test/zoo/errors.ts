/** What tasks throw and the platform reports, as it is stored: contract api.md 1.6. */
import type { StoredError } from "../../src/embedded/engine/types.ts";

/** What stands below the author's own frames in every stack of a deployed task. */
const LIBRARY_FRAMES = [
  "executor (/app/node_modules/@trigger.dev/core/dist/esm/v3/workers/taskExecutor.js:218:33)",
  "/app/node_modules/@trigger.dev/core/dist/esm/v3/tracer.js:71:30",
  "process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
];

type Thrown = Extract<StoredError, { type: "BUILT_IN_ERROR" }>;

/**
 * An error with its own frames (`capturePayment src/trigger/charge.ts:42:18`), innermost first. A `cause` is printed
 * below the stack, as Node does.
 */
export function thrown(name: string, message: string, frames: string[], cause?: Thrown): Thrown {
  const own = frames.map((frame) => frame.replace(/^(\S+) (.*)$/, "$1 (/app/$2)"));
  const stack = [`${name}: ${message}`, ...[...own, ...LIBRARY_FRAMES].map((frame) => `    at ${frame}`)];
  if (cause) stack.push(`  [cause]: ${cause.stackTrace.replaceAll("\n", "\n  ")}`);
  return { type: "BUILT_IN_ERROR", name, message, stackTrace: stack.join("\n") };
}

/** A failure the platform found; callers of the API see its code only. */
export const internal = (code: string, message?: string): StoredError => ({
  type: "INTERNAL_ERROR",
  code,
  ...(message !== undefined && { message }),
});

export const text = (raw: string): StoredError => ({ type: "STRING_ERROR", raw });
