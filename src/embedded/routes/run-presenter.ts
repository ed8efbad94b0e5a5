/** Runs as JSON, contract api.md 1.1, 1.2 and 1.6. Missing values are left out, never null. */
import type { Environment, RunReads, StoredError, StoredRun } from "../engine/types.ts";
import { displayedStatus, isFinal, statusFlags, type Vocabulary } from "./status.ts";

/** Values above this many bytes are not inlined but linked to. */
const INLINE_LIMIT = 524_288;

const INTERNAL_METADATA = new Set(["$$streams", "$$streamsVersion", "$$streamsBaseUrl"]);

const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

/** Drops keys without a value; `null` is a value. */
export function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The fields every run has, wherever it appears; lists show the idempotency key as it is stored. */
function commonFields(run: StoredRun, vocabulary: Vocabulary): Record<string, unknown> {
  const status = displayedStatus(run.status, vocabulary);
  return {
    id: run.friendlyId,
    status,
    taskIdentifier: run.task,
    idempotencyKey: run.idempotencyKey,
    version: run.version,
    createdAt: iso(run.createdAt),
    updatedAt: iso(run.updatedAt),
    startedAt: iso(run.startedAt),
    finishedAt: iso(isFinal(run.status) ? (run.completedAt ?? run.updatedAt) : undefined),
    delayedUntil: iso(run.delayUntil),
    ttl: run.ttl,
    expiredAt: iso(run.expiredAt),
    isTest: run.isTest,
    tags: [...run.tags].sort(),
    costInCents: run.costInCents,
    baseCostInCents: run.baseCostInCents,
    durationMs: run.usageDurationMs,
    depth: run.depth,
    metadata: publicMetadata(run.metadata),
    taskKind: run.taskKind,
    region: run.region,
    ...statusFlags(status),
  };
}

export const listItem = (run: StoredRun, env: Environment, vocabulary: Vocabulary) =>
  present({ ...commonFields(run, vocabulary), env: { id: env.id, name: env.slug } });

const relatedRun = (run: StoredRun, vocabulary: Vocabulary) =>
  present({
    ...commonFields(run, vocabulary),
    idempotencyKey: run.idempotencyKeyOptions?.key ?? run.idempotencyKey,
    triggerFunction: run.triggerFunction,
    batchId: run.batchId,
  });

/** `link` makes the presigned URL of a value too large to inline. */
export function runDetail(
  run: StoredRun,
  runs: RunReads,
  vocabulary: Vocabulary,
  link: (field: "payload" | "output") => string,
): Record<string, unknown> {
  const related = (id: string | undefined) => {
    const found = id === undefined ? undefined : runs.byInternalId(id);
    return found === undefined ? undefined : relatedRun(found, vocabulary);
  };
  return present({
    ...relatedRun(run, vocabulary),
    ...value("payload", run.payload, link),
    ...(run.status === "COMPLETED_SUCCESSFULLY" ? value("output", run.output, link) : {}),
    error: run.error && serializedError(run.error),
    attemptCount: run.attemptCount,
    attempts: [],
    relatedRuns: present({
      root: related(run.rootId),
      parent: related(run.parentId),
      children: runs.children(run).map((child) => relatedRun(child, vocabulary)),
    }),
  });
}

function value(
  field: "payload" | "output",
  text: string | undefined,
  link: (field: "payload" | "output") => string,
): Record<string, unknown> {
  if (text === undefined) return {};
  if (Buffer.byteLength(text) > INLINE_LIMIT) return { [`${field}PresignedUrl`]: link(field) };
  return { [field]: JSON.parse(text) };
}

export function serializedError(error: StoredError): Record<string, unknown> {
  switch (error.type) {
    case "BUILT_IN_ERROR":
      return { name: error.name, message: error.message, stackTrace: error.stackTrace };
    case "CUSTOM_ERROR":
    case "STRING_ERROR":
      return { message: error.raw };
    case "INTERNAL_ERROR":
      return present({
        message: `trigger.dev internal error (${error.code})`,
        stackTrace: error.stackTrace,
      });
  }
}

function publicMetadata(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  const metadata = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !INTERNAL_METADATA.has(key)));
}

/** `/result`; undefined for a run it does not speak of: unfinished, EXPIRED and TIMED_OUT ones. */
export function runResult(run: StoredRun): Record<string, unknown> | undefined {
  const head = { id: run.friendlyId, taskIdentifier: run.task };
  switch (run.status) {
    case "COMPLETED_SUCCESSFULLY":
      return present({ ok: true, ...head, output: run.output, outputType: run.outputType });
    case "CANCELED":
      return { ok: false, ...head, error: { type: "INTERNAL_ERROR", code: "TASK_RUN_CANCELLED" } };
    case "COMPLETED_WITH_ERRORS":
    case "CRASHED":
    case "SYSTEM_FAILURE":
      return { ok: false, ...head, error: run.error ?? { type: "STRING_ERROR", raw: "Unknown error" } };
    default:
      return undefined;
  }
}
