/** Traces, events and spans as JSON, contract api.md 1.3 to 1.5. Stored milliseconds become what each route speaks. */
import type { StoredRun, StoredSpan } from "../engine/types.ts";
import { present } from "./run-presenter.ts";

const NS_PER_MS = 1_000_000;

const iso = (time: number): string => new Date(time).toISOString();
const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * NS_PER_MS);

const spanEvents = (span: StoredSpan) =>
  span.events.map(({ name, time, properties }) => ({ name, time: iso(time), properties }));

const flags = (span: StoredSpan) => ({
  isError: span.isError,
  isPartial: span.isPartial,
  isCancelled: span.isCancelled,
});

interface TraceNode {
  id: string;
  parentId?: string;
  runId: string;
  data: Record<string, unknown>;
  children: TraceNode[];
}

function traceNode(span: StoredSpan, isRoot: boolean): TraceNode {
  const data = present({
    message: span.message,
    duration: nanoseconds(span.duration),
    ...flags(span),
    startTime: iso(span.startTime),
    level: span.level,
    events: spanEvents(span),
    attemptNumber: span.attempt,
  });
  const parent = isRoot || span.parentId === undefined ? {} : { parentId: span.parentId };
  return { id: span.spanId, ...parent, runId: span.runId, data, children: [] };
}

/**
 * The tree below the run's own span; undefined while that span is not there yet. A span whose parent is missing (cut
 * off by the cap) hangs under the root, so that nothing that was read is lost.
 */
export function traceTree(run: StoredRun, spans: StoredSpan[], truncated: boolean) {
  const nodes = new Map(spans.map((span) => [span.spanId, traceNode(span, span.spanId === run.spanId)]));
  const root = nodes.get(run.spanId);
  if (root === undefined) return undefined;
  for (const node of nodes.values()) {
    if (node === root) continue;
    (nodes.get(node.parentId ?? "") ?? root).children.push(node);
  }
  return { trace: { traceId: run.traceId, rootSpan: root, ...(truncated ? { isTruncated: true } : {}) } };
}

/** A flat span of the paged form; like the tree, it is rooted at the run's own span. */
export const traceSpan = (run: StoredRun, span: StoredSpan) =>
  present({
    id: span.spanId,
    parentId: span.spanId === run.spanId ? undefined : span.parentId,
    runId: span.runId,
    message: span.message,
    startTime: iso(span.startTime),
    duration: nanoseconds(span.duration),
    ...flags(span),
    level: span.level,
    attemptNumber: span.attempt,
  });

/** Where attempts failed, told by the `attempt_failed` events of a page's spans. */
export const attemptFailures = (spans: StoredSpan[]) =>
  spans.flatMap(({ spanId, runId, attempt, events }) =>
    events.flatMap(({ name, properties }) => {
      const attemptNumber = properties.attemptNumber ?? attempt;
      if (name !== "attempt_failed" || typeof attemptNumber !== "number") return [];
      return [{ spanId, attemptNumber, runId }];
    }),
  );

/** `startTime` is a decimal string of epoch nanoseconds with millisecond precision. */
export const runEvent = (span: StoredSpan) => ({
  spanId: span.spanId,
  parentId: span.parentId ?? null,
  runId: span.runId,
  message: span.message,
  style: span.style,
  events: spanEvents(span),
  startTime: String(BigInt(Math.floor(span.startTime)) * BigInt(NS_PER_MS)),
  duration: nanoseconds(span.duration),
  ...flags(span),
  kind: "UNSPECIFIED",
  attemptNumber: span.attempt ?? null,
  level: span.level,
});

/** `runId` echoes the run asked about, even when the span belongs to another run of the trace. */
export function spanDetail(run: StoredRun, span: StoredSpan, triggered: StoredRun[]) {
  return {
    spanId: span.spanId,
    parentId: span.parentId ?? null,
    runId: run.friendlyId,
    message: span.message,
    ...flags(span),
    level: span.level,
    startTime: iso(span.startTime),
    durationMs: nanoseconds(span.duration) / NS_PER_MS,
    ...present({
      properties: Object.keys(span.properties).length > 0 ? nested(span.properties) : undefined,
      events: span.events.length > 0 ? spanEvents(span) : undefined,
      entityType: span.entityType,
      triggeredRuns: triggered.length > 0 ? triggered.map(triggeredRun) : undefined,
    }),
  };
}

const triggeredRun = (run: StoredRun) => ({
  runId: run.friendlyId,
  taskIdentifier: run.task,
  status: run.status,
  createdAt: iso(run.createdAt),
});

/**
 * Attributes are stored under dotted names and told as nested objects; a name that clashes
 * with a shallower one stays dotted.
 */
function nested(properties: Record<string, unknown>): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  const depth = ([name]: [string, unknown]) => name.split(".").length;
  for (const [name, value] of Object.entries(properties).sort((a, b) => depth(a) - depth(b))) {
    const path = name.split(".");
    const leaf = path.pop() ?? name;
    let place: Record<string, unknown> | undefined = tree;
    for (const step of path) place = place && child(place, step);
    if (place && !Object.hasOwn(place, leaf)) place[leaf] = value;
    else tree[name] = value;
  }
  return tree;
}

/** The object under `step`, made when absent; undefined when something else is there or the name is unsafe. */
function child(place: Record<string, unknown>, step: string): Record<string, unknown> | undefined {
  if (step === "__proto__") return undefined;
  if (!Object.hasOwn(place, step)) place[step] = {};
  const found = place[step];
  return typeof found === "object" && found !== null && !Array.isArray(found)
    ? (found as Record<string, unknown>)
    : undefined;
}
