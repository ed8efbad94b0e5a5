/** What went wrong in a run: from whatever was thrown to what is stored, contract api.md 1.3 and 1.6. */
import { createHash } from "node:crypto";
import { cleanStack, firstOwnFrame } from "./stack.ts";
import type { StoredError, StoredRun, StoredStatus } from "./types.ts";

/** Raised in a parent whose child did not succeed; the child's error is in the message and the cause. */
export class SubtaskUnwrapError extends Error {
  override readonly name = "SubtaskUnwrapError";
  readonly taskId: string;
  readonly runId: string;

  constructor(child: StoredRun, error: StoredError) {
    super(`Error in ${child.task}: ${messageOf(error)}`, { cause: error });
    this.taskId = child.task;
    this.runId = child.friendlyId;
  }
}

/** Why a run's signal was aborted. None of these is retried. */
export class RunStopped extends Error {
  override readonly name: string = "RunStopped";
  readonly why: "cancelled" | "max-duration" | "closing";

  constructor(why: RunStopped["why"], message: string) {
    super(message);
    this.why = why;
  }
}

export function toStoredError(error: unknown): StoredError {
  if (error instanceof RunStopped && error.why === "max-duration") {
    return { type: "INTERNAL_ERROR", code: "MAX_DURATION_EXCEEDED", message: error.message };
  }
  if (error instanceof Error) {
    const { name, message, stack = "" } = error;
    return { type: "BUILT_IN_ERROR", name, message, stackTrace: cleanStack(stack) };
  }
  if (typeof error === "string") return { type: "STRING_ERROR", raw: error };
  return { type: "CUSTOM_ERROR", raw: JSON.stringify(error) ?? String(error) };
}

export const CANCELLED: StoredError = { type: "INTERNAL_ERROR", code: "TASK_RUN_CANCELLED" };

export function messageOf(error: StoredError): string {
  if (error.type === "BUILT_IN_ERROR") return error.message;
  return error.type === "INTERNAL_ERROR" ? (error.message ?? error.code) : error.raw;
}

/** The `exception` property of span events. */
export function exceptionOf(error: StoredError): Record<string, unknown> {
  const type =
    error.type === "BUILT_IN_ERROR" ? error.name : error.type === "INTERNAL_ERROR" ? error.code : "Error";
  const stacktrace = "stackTrace" in error ? error.stackTrace : undefined;
  return { type, message: messageOf(error), ...(stacktrace && { stacktrace }) };
}

/** The status a run ends with when this was its last word. */
export function statusAfter(error: StoredError): StoredStatus {
  if (error.type !== "INTERNAL_ERROR") return "COMPLETED_WITH_ERRORS";
  if (error.code === "MAX_DURATION_EXCEEDED") return "TIMED_OUT";
  return error.code === "TASK_RUN_STALLED_EXECUTING" ? "SYSTEM_FAILURE" : "CRASHED";
}

/** `error_<fingerprint>`: the same for failures of one kind at one place, whatever ids and numbers they mention. */
export function errorIdOf(error: StoredError): string {
  const { type, stacktrace = "" } = exceptionOf(error) as { type: string; stacktrace?: string };
  const parts = [type, normalised(messageOf(error)), firstOwnFrame(stacktrace) ?? ""];
  return `error_${createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16)}`;
}

const normalised = (message: string): string =>
  message
    .replace(/\b(run|session|batch|waitpoint)_[0-9a-z]+/g, "<id>")
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/gi, "<uuid>")
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, "<hex>")
    .replace(/\d+/g, "<n>");
