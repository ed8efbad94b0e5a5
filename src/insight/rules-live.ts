/** Verdicts on runs that have not ended: not begun and why, going on, or going on in appearance only. */
import type { RunSummary } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { Case } from "./case.ts";
import type { Evidence, Finding } from "./diagnosis.ts";
import { usualWall } from "./history.ts";
import { endOf, isLog } from "./propagation.ts";
import type { SpanNode } from "./spans.ts";
import { isWait } from "./waits.ts";

const MINUTE = 60_000;
/** Silence of this length is long for any work that writes spans or logs at all. */
const LONG_SILENCE_MS = 5 * MINUTE;
/** Shorter silence is telling only in a task whose good runs are over much sooner. */
const TELLING_SILENCE_MS = MINUTE;
const MUCH_LONGER = 5;
/** Times the longest good run within which even a long silence is no news. */
const A_LITTLE_LONGER = 1.5;

export function diagnoseLive(run: Case): Finding {
  switch (run.run.status) {
    case "PENDING_VERSION":
      return { class: "version", confidence: "high", evidence: [{ kind: "no_version" }] };
    case "DELAYED":
      return delayed(run);
    case "QUEUED":
      return queued(run);
    case "DEQUEUED":
      return ageOf(run) > LONG_SILENCE_MS ? neverBegan(run) : queued(run);
    default:
      return goingOn(run);
  }
}

function delayed({ run }: Case): Finding {
  const evidence: Evidence[] =
    run.delayedUntil === undefined ? [] : [{ kind: "delayed", until: run.delayedUntil }];
  return { class: "delayed", confidence: "high", evidence };
}

/** Milliseconds since it could have begun. */
const ageOf = ({ run, facts }: Case): number =>
  Math.max(0, facts.now - Math.max(run.createdAt, run.delayedUntil ?? run.createdAt));

function queued(run: Case): Finding {
  const { queue, neighbours } = run.facts;
  const executing = (queue?.executing ?? []).filter(({ id }) => id !== run.run.id);
  const ahead = (neighbours?.runs ?? []).filter(
    ({ id, status, task, createdAt }) =>
      id !== run.run.id && task === run.run.task && status === "QUEUED" && createdAt < run.run.createdAt,
  );
  const holders = executing.filter(({ task }) => task === run.run.task);
  return {
    class: "queue_wait",
    confidence: holders.length > 0 ? "high" : executing.length > 0 ? "medium" : "low",
    evidence: [
      {
        kind: "queue",
        queue: { executing, whole: queue?.whole ?? false },
        task: run.run.task,
        ahead: ahead.length,
        waitedMs: ageOf(run),
      },
    ],
  };
}

const neverBegan = (run: Case): Finding => ({
  class: "stalled",
  confidence: "medium",
  evidence: run.head ? [{ kind: "doing", node: run.head, openMs: ageOf(run), quietMs: ageOf(run) }] : [],
});

function goingOn(run: Case): Finding {
  const open = openSpan(run);
  const child = run.run.children.find(({ status }) => !isTerminal(status));
  const quietMs = silenceOf(run);
  if (isWaiting(run, open, child) && !isForgotten(run, open, child, quietMs)) {
    return { class: "running", confidence: "high", ...withNode(open), evidence: [waiting(open, child)] };
  }
  const doing: Evidence[] = open
    ? [{ kind: "doing", node: open, openMs: Math.max(0, run.facts.now - open.start), quietMs }]
    : [];
  const usual = usualWall(run.facts.neighbours?.runs ?? [], run.run.id);
  const wallMs = Math.max(0, run.facts.now - (run.run.startedAt ?? run.run.createdAt));
  const evidence: Evidence[] = usual ? [...doing, { kind: "usual", wallMs, ...usual }] : doing;
  if (!isTooQuiet(quietMs, wallMs, usual?.longest)) {
    return { class: "running", confidence: open ? "high" : "medium", ...withNode(open), evidence };
  }
  return { class: "stalled", confidence: usual ? "high" : "medium", ...withNode(open), evidence };
}

/** The platform says that it waits, and there is something it can wait for; or it waits between two attempts. */
const isWaiting = ({ run, head }: Case, open: SpanNode | undefined, child: RunSummary | undefined): boolean =>
  (open !== undefined && isWait(open)) ||
  (run.status === "WAITING" && (child !== undefined || (open !== undefined && open !== head)));

/** It waits for child runs that have all ended long ago. */
const isForgotten = (
  { run }: Case,
  open: SpanNode | undefined,
  child: RunSummary | undefined,
  quietMs: number,
): boolean =>
  quietMs >= LONG_SILENCE_MS &&
  child === undefined &&
  run.children.length > 0 &&
  open !== undefined &&
  /AndWait\b/.test(open.span.message);

const waiting = (node: SpanNode | undefined, on: RunSummary | undefined): Evidence => ({
  kind: "waiting",
  ...(node && { node }),
  ...(on && { on }),
});

const withNode = (node: SpanNode | undefined) => (node ? { node } : {});

/** A task that is known to work for so long in silence is not stalled yet. */
function isTooQuiet(quietMs: number, wallMs: number, longest: number | undefined): boolean {
  if (quietMs >= LONG_SILENCE_MS) return longest === undefined || wallMs > longest * A_LITTLE_LONGER;
  return quietMs >= TELLING_SILENCE_MS && longest !== undefined && wallMs > longest * MUCH_LONGER;
}

/** Milliseconds since the run was last seen to do anything; the platform's own changes of the run count. */
function silenceOf({ run, index, facts }: Case): number {
  let last = Math.max(run.startedAt ?? run.createdAt, run.updatedAt);
  for (const node of index?.nodes ?? []) {
    const at = endOf(node);
    if (at > last && at <= facts.now) last = at;
  }
  return Math.max(0, facts.now - last);
}

/** The deepest open span below the head, the one that began last where there are several. */
function openSpan({ head, index, run }: Case): SpanNode | undefined {
  let best: SpanNode | undefined;
  for (const node of index?.nodes ?? []) {
    if (!node.span.isPartial || node.span.runId !== run.id || isLog(node)) continue;
    if (node === head && best) continue;
    if (!best || node.depth > best.depth || (node.depth === best.depth && node.start >= best.start))
      best = node;
  }
  return best;
}
