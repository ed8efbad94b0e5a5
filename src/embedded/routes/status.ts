/** The two run status vocabularies, contract api.md 0.5. */
import type { StoredStatus } from "../engine/types.ts";

export type Vocabulary = "current" | "legacy";

const CURRENT_VERSION = "2025-07-16";

export const vocabularyOf = (headers: Headers): Vocabulary =>
  headers.get("x-trigger-api-version") === CURRENT_VERSION ? "current" : "legacy";

/** Stored status: how each vocabulary shows it, and the filter values that select it. */
const TABLE: Record<StoredStatus, { current: string; legacy: string; filters: string[] }> = {
  DELAYED: { current: "DELAYED", legacy: "DELAYED", filters: ["DELAYED"] },
  PENDING_VERSION: { current: "PENDING_VERSION", legacy: "PENDING_VERSION", filters: ["PENDING_VERSION"] },
  PENDING: { current: "QUEUED", legacy: "QUEUED", filters: ["QUEUED"] },
  DEQUEUED: { current: "DEQUEUED", legacy: "EXECUTING", filters: ["DEQUEUED"] },
  EXECUTING: { current: "EXECUTING", legacy: "EXECUTING", filters: ["EXECUTING"] },
  RETRYING_AFTER_FAILURE: { current: "EXECUTING", legacy: "REATTEMPTING", filters: ["REATTEMPTING"] },
  WAITING_TO_RESUME: { current: "WAITING", legacy: "FROZEN", filters: ["WAITING", "FROZEN"] },
  COMPLETED_SUCCESSFULLY: { current: "COMPLETED", legacy: "COMPLETED", filters: ["COMPLETED"] },
  COMPLETED_WITH_ERRORS: { current: "FAILED", legacy: "FAILED", filters: ["FAILED"] },
  CANCELED: { current: "CANCELED", legacy: "CANCELED", filters: ["CANCELED"] },
  CRASHED: { current: "CRASHED", legacy: "CRASHED", filters: ["CRASHED"] },
  SYSTEM_FAILURE: { current: "SYSTEM_FAILURE", legacy: "SYSTEM_FAILURE", filters: ["SYSTEM_FAILURE"] },
  EXPIRED: { current: "EXPIRED", legacy: "EXPIRED", filters: ["EXPIRED"] },
  TIMED_OUT: { current: "TIMED_OUT", legacy: "TIMED_OUT", filters: ["TIMED_OUT"] },
};

/** Known to the API, though nothing here is ever stored as one: they select no run. */
const UNUSED_FILTERS = ["WAITING_FOR_DEPLOY", "INTERRUPTED"];

const ENTRIES = Object.entries(TABLE) as [StoredStatus, (typeof TABLE)[StoredStatus]][];

export const STATUS_FILTERS: ReadonlySet<string> = new Set([
  ...ENTRIES.flatMap(([, { filters }]) => filters),
  ...UNUSED_FILTERS,
]);

export const displayedStatus = (stored: StoredStatus, vocabulary: Vocabulary): string =>
  TABLE[stored][vocabulary];

/** Not the inverse of the display: a retrying run shows as EXECUTING and is not selected by it. */
export const storedStatuses = (filters: string[]): StoredStatus[] =>
  ENTRIES.filter(([, row]) => row.filters.some((filter) => filters.includes(filter))).map(
    ([stored]) => stored,
  );

const FINAL: ReadonlySet<StoredStatus> = new Set<StoredStatus>([
  "COMPLETED_SUCCESSFULLY",
  "COMPLETED_WITH_ERRORS",
  "CANCELED",
  "CRASHED",
  "SYSTEM_FAILURE",
  "EXPIRED",
  "TIMED_OUT",
]);

export const isFinal = (stored: StoredStatus): boolean => FINAL.has(stored);

const QUEUED = new Set(["QUEUED", "WAITING_FOR_DEPLOY", "DELAYED", "PENDING_VERSION"]);
const EXECUTING = new Set(["EXECUTING", "REATTEMPTING", "FROZEN", "DEQUEUED"]);
const COMPLETED = new Set(["COMPLETED", "CANCELED", "FAILED", "CRASHED", "INTERRUPTED", "SYSTEM_FAILURE"]);

/** Computed from the displayed status. EXPIRED and TIMED_OUT set none of them. */
export const statusFlags = (displayed: string): Record<string, boolean> => ({
  isQueued: QUEUED.has(displayed),
  isExecuting: EXECUTING.has(displayed),
  isWaiting: displayed === "WAITING",
  isCompleted: COMPLETED.has(displayed),
  isFailed: COMPLETED.has(displayed) && displayed !== "COMPLETED",
  isSuccess: displayed === "COMPLETED",
  isCancelled: displayed === "CANCELED",
});
