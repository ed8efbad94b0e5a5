/** How runs are told, and the rows they begin as. All times are milliseconds. */
import type { StoredError, StoredRun, StoredStatus } from "../../src/embedded/engine/types.ts";
import { BASE_COST_IN_CENTS } from "../../src/embedded/engine/usage.ts";
import type { World } from "./builder.ts";
import type { Run } from "./run.ts";

/** When everybody looks. */
export const NOW = Date.UTC(2026, 10, 20, 12);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface RunPlan {
  /** How long before {@link NOW} it was triggered. */
  ago: number;
  /** From the trigger to the first attempt. */
  queued?: number;
  payload?: unknown;
  output?: unknown;
  version?: string;
  tags?: string[];
  queue?: string;
  machine?: string;
  metadata?: Record<string, unknown>;
  maxDuration?: number;
  ttl?: string;
  /** From {@link NOW} to the moment a delayed run may begin. */
  delayedFor?: number;
  lockedToVersion?: string;
  /** Of a run that has not begun, or is being retried; otherwise the last attempt decides. */
  status?: Extract<
    StoredStatus,
    "DELAYED" | "PENDING_VERSION" | "PENDING" | "EXPIRED" | "RETRYING_AFTER_FAILURE"
  >;
  /** The run was cancelled at the end of what it did, and what was open with it. */
  cancelled?: string;
  /** What of its worker's clock is too much. */
  skew?: number;
}

export type ChildPlan = Omit<RunPlan, "ago">;

export interface SpanPlan {
  /** After the beginning of the span around it; otherwise when the one before it ended. */
  at?: number;
  /** Otherwise as long as what is in it. */
  took?: number;
  props?: Record<string, unknown>;
  /** Thrown here; what was thrown inside is wrapped by it. */
  error?: StoredError;
  /** What is thrown inside goes no further. */
  caught?: boolean;
  /** Has not ended. */
  open?: boolean;
}

/** Where a run came from, besides its plan. */
export interface Origin extends ChildPlan {
  createdAt: number;
  parent?: Run;
  parentSpanId?: string;
  batchId?: string;
  triggerFunction?: StoredRun["triggerFunction"];
}

/** `value` as JSON text under `key`; nothing when there is none. */
export const json = <K extends string>(key: K, value: unknown): { [key in K]?: string } =>
  (value === undefined ? {} : { [key]: JSON.stringify(value) }) as { [key in K]?: string };

export function newRow(world: World, task: string, plan: Origin): StoredRun {
  const {
    createdAt,
    parent,
    parentSpanId,
    batchId,
    version = "20261118.2",
    delayedFor,
    lockedToVersion,
  } = plan;
  const id = world.cuid(createdAt);
  const begins = plan.status === undefined || plan.status === "RETRYING_AFTER_FAILURE";
  return {
    id,
    friendlyId: `run_${id}`,
    task,
    environmentId: "",
    taskKind: "STANDARD",
    status: "PENDING",
    payloadType: "application/json",
    outputType: "application/json",
    metadataType: "application/json",
    tags: plan.tags ?? [],
    queue: plan.queue ?? `task/${task}`,
    machine: plan.machine ?? "small-1x",
    region: "us-east-1",
    createdAt,
    updatedAt: createdAt,
    attemptCount: 0,
    priority: 0,
    isTest: false,
    depth: parent ? parent.row.depth + 1 : 0,
    triggerFunction: plan.triggerFunction ?? "trigger",
    traceId: parent?.row.traceId ?? world.hex(32),
    spanId: world.hex(16),
    usageDurationMs: 0,
    costInCents: 0,
    baseCostInCents: BASE_COST_IN_CENTS,
    ...json("payload", plan.payload),
    ...json("metadata", plan.metadata),
    ...(begins && { version }),
    ...(plan.status !== "DELAYED" && { queuedAt: createdAt }),
    ...(parent && { parentId: parent.row.id, rootId: parent.row.rootId ?? parent.row.id }),
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...(batchId !== undefined && { batchId }),
    ...(delayedFor !== undefined && { delayUntil: NOW + delayedFor }),
    ...(lockedToVersion !== undefined && { lockedToVersion }),
    ...(plan.ttl !== undefined && { ttl: plan.ttl }),
    ...(plan.maxDuration !== undefined && { maxDuration: plan.maxDuration }),
  };
}
