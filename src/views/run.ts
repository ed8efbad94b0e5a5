/** One run as a reader wants it: how it went, why it failed, what went in and came out, who belongs to it. */
import { type Call, call } from "../domain/calls.ts";
import { failureTitle } from "../domain/exception.ts";
import { isSessionFriendlyId } from "../domain/ids.ts";
import { isObject } from "../domain/message.ts";
import type { Run, RunSummary } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { markLines } from "./fence.ts";
import { age, cost, count, counted, dateTime, duration, oneLine } from "./format.ts";
import type { Part } from "./parts.ts";
import { queuedMs, waitingMs, wallMs } from "./run-times.ts";
import { byStatus } from "./runs.ts";
import { renderSections } from "./sections.ts";
import { viewStack } from "./stack.ts";
import { clipToTokens, tokens } from "./tokens.ts";

/** Of the budget, what the error may take. */
const ERROR_SHARE = 0.35;

export function viewRun(run: Run, context: ViewContext): Answer {
  const next = nextOf(run);
  const { values, aside } = valuesOf(run);
  const text = renderSections(
    [
      { text: headLine(run, context), rank: 0 },
      { text: timeLine(run, context), rank: 2 },
      { text: attemptLine(run, context), rank: 3 },
      { text: originLine(run, context), rank: 4 },
      { text: errorLines(run, context), rank: 1 },
      { text: relatedLines(run, context), rank: 2 },
      ...aside.map((line) => ({ text: line, rank: 3 })),
    ],
    values,
    next,
    call("get_run", { run_id: run.id }),
    context,
  );
  return {
    text,
    structured: {
      run_id: run.id,
      status: run.status,
      attempts: run.attemptCount,
      ...(run.children.length > 0 && { children: tally(run.children) }),
      next,
    },
  };
}

const short = (text: string, context: ViewContext, length = 64): string =>
  oneLine(context.clean(text), length);

function headLine(run: Run, context: ViewContext): string {
  const wall = wallMs(run);
  const took = isTerminal(run.status)
    ? wall === undefined
      ? ""
      : ` after ${duration(wall)}`
    : run.startedAt === undefined
      ? ` for ${age(run.createdAt, context.now)}`
      : `, started ${age(run.startedAt, context.now)} ago`;
  const ended = run.finishedAt === undefined ? undefined : `ended ${age(run.finishedAt, context.now)} ago`;
  return [
    `${short(run.id, context)} ${short(run.task, context, 128)} ${short(run.status, context, 30)}${took}`,
    context.target,
    ended,
    run.isTest ? "test run" : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

/** Milliseconds; shorter waits are the rounding of two clocks. */
const TOLD_FROM = 10;

function timeLine(run: Run, context: ViewContext): string {
  const queued = queuedMs(run);
  const waiting = waitingMs(run);
  const ahead =
    run.delayedUntil !== undefined && run.delayedUntil > context.now
      ? ` (in ${duration(run.delayedUntil - context.now)})`
      : "";
  return [
    `time     created ${dateTime(run.createdAt)}`,
    run.delayedUntil === undefined ? undefined : `delayed until ${dateTime(run.delayedUntil)}${ahead}`,
    queued === undefined ? "not started" : `queued ${duration(queued)}`,
    // The API counts execution at the end of an attempt: until then it would read as none.
    queued === undefined || (!isTerminal(run.status) && run.durationMs === 0)
      ? undefined
      : `executing ${duration(run.durationMs)}`,
    waiting !== undefined && waiting >= TOLD_FROM
      ? `waiting ${duration(waiting)} (waits, back-offs)`
      : undefined,
    run.expiredAt === undefined ? undefined : `expired ${dateTime(run.expiredAt)}`,
    run.ttl === undefined ? undefined : `ttl ${short(run.ttl, context)}`,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

function attemptLine(run: Run, context: ViewContext): string {
  const tags = run.tags.length === 0 ? undefined : `tags ${short(run.tags.join(", "), context, 400)}`;
  return [
    `attempts ${count(run.attemptCount)}`,
    run.version === undefined ? "no version yet" : `version ${short(run.version, context)}`,
    run.region === undefined ? undefined : `region ${short(run.region, context)}`,
    run.taskKind === undefined || run.taskKind === "STANDARD"
      ? undefined
      : `kind ${short(run.taskKind, context)}`,
    run.costInCents + run.baseCostInCents > 0
      ? `cost ${cost(run.costInCents + run.baseCostInCents)}${run.costInCents > 0 ? ` (${cost(run.baseCostInCents)} per-run base)` : ""}`
      : undefined,
    tags,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

/** What started it, as far as it says more than that somebody triggered it. */
function originLine(run: Run, context: ViewContext): string | undefined {
  const parts = [
    run.triggerFunction === undefined || run.triggerFunction === "trigger"
      ? undefined
      : `by ${short(run.triggerFunction, context)}`,
    run.schedule === undefined
      ? undefined
      : `schedule ${short([run.schedule.id, run.schedule.cron, run.schedule.externalId].filter(Boolean).join(" "), context, 160)}`,
    run.batchId === undefined ? undefined : `batch ${short(run.batchId, context)}`,
    run.idempotencyKey === undefined
      ? undefined
      : `idempotency key ${short(run.idempotencyKey, context, 120)}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `origin   ${parts.join(" · ")}`;
}

function errorLines(run: Run, context: ViewContext): string | undefined {
  const { error } = run;
  if (!error) return undefined;
  const share = Math.floor(context.budget * ERROR_SHARE);
  const title = failureTitle(error);
  const head = `error    ${clipToTokens(markLines(context.clean(title)), Math.floor(share / 2))}${inPlainWords(title, run)}`;
  if (error.stackTrace === undefined) return head;
  const stack = viewStack(context.clean(error.stackTrace));
  const frames = stack.lines.filter((line) => line.startsWith("    "));
  if (frames.length === 0) return head;
  return `${head}\n${clipToTokens(frames.join("\n"), Math.max(0, share - tokens(head)))}`;
}

/** The API calls these internal errors (1.2); they are the run's own limits. */
const LIMITS: [code: RegExp, words: string][] = [
  [/MAX_DURATION_EXCEEDED/, "it ran longer than its maxDuration allows"],
  [/OOM_KILLED|OUT_OF_MEMORY/, "it needed more memory than its machine has"],
];

function inPlainWords(title: string, run: Run): string {
  const words = LIMITS.find(([code]) => code.test(title))?.[1];
  if (words === undefined) return "";
  return `: ${words}, not a fault of the platform${run.durationMs > 0 ? `; it had executed for ${duration(run.durationMs)}` : ""}`;
}

const MOST_CHILDREN = 5;

function relatedLines(run: Run, context: ViewContext): string | undefined {
  const named = (related: RunSummary): string =>
    `${short(related.id, context)} ${short(related.task, context)} ${short(related.status, context, 30)}`;
  const failed = run.children.filter((child) => isBadEnd(child.status));
  const lines = [
    run.root && run.root.id !== run.parent?.id && run.root.id !== run.id
      ? `root ${named(run.root)}`
      : undefined,
    run.parent ? `parent ${named(run.parent)}` : undefined,
    run.children.length > 0
      ? `${counted(run.children.length, "child", "children")} (${byStatus(run.children, context)})`
      : undefined,
    ...failed.slice(0, MOST_CHILDREN).map((child) => `  failed ${named(child)}`),
    failed.length > MOST_CHILDREN
      ? `  … ${count(failed.length - MOST_CHILDREN)} more failed children`
      : undefined,
  ].filter((line) => line !== undefined);
  return lines.length === 0 ? undefined : `related  ${lines.join("\n         ")}`;
}

/** Absent is not falsy: `0`, `false`, `""` and `null` are shown, what is absent is said to be. */
function valuesOf(run: Run): { values: Part[]; aside: string[] } {
  const values: Part[] = [];
  const aside: string[] = [];
  const offloaded = (label: string): string =>
    `${label.padEnd(8)} offloaded to object storage for its size; its download link is a credential and is not shown`;
  if (run.metadata !== undefined && Object.keys(run.metadata).length > 0) {
    values.push({ label: "metadata", value: run.metadata });
  }
  if (run.payload !== undefined) values.push({ label: "payload", value: run.payload });
  else aside.push(run.payloadPresignedUrl === undefined ? "payload  none" : offloaded("payload"));
  if (run.output !== undefined) values.push({ label: "output", value: run.output });
  else if (run.outputPresignedUrl !== undefined) aside.push(offloaded("output"));
  else if (run.status === "COMPLETED") aside.push("output   none");
  return { values, aside };
}

function tally(runs: readonly RunSummary[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of runs) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function nextOf(run: Run): Call[] {
  const failed = run.children.find((child) => isBadEnd(child.status));
  const bad = isBadEnd(run.status);
  return [
    ...(run.attemptCount > 0 || run.startedAt !== undefined
      ? [call("get_run_trace", { run_id: run.id, ...((bad || retried(run)) && { view: "errors" }) })]
      : []),
    ...(failed ? [call("get_run", { run_id: failed.id })] : []),
    ...(bad && run.startedAt !== undefined
      ? [call("search_run_events", { run_id: run.id, level: "WARN" })]
      : []),
    ...sessionOf(run),
    ...(run.status === "DELAYED" ? [call("reschedule_run", { run_id: run.id, delay: "1h" })] : []),
    ...(run.status === "DELAYED" || run.status === "PENDING_VERSION"
      ? [call("cancel_run", { run_id: run.id })]
      : []),
    ...(run.status === "EXPIRED" ? [call("replay_run", { run_id: run.id })] : []),
  ];
}

/** It recovered: what failed first is the interesting part. */
const retried = (run: Run): boolean => run.status === "COMPLETED" && run.attemptCount > 1;

/** The conversation a chat agent's run belongs to: its payload names it (channels.md 7). */
function sessionOf({ taskKind, payload }: Run): Call[] {
  if (taskKind !== "AGENT" || !isObject(payload) || typeof payload.sessionId !== "string") return [];
  return isSessionFriendlyId(payload.sessionId) ? [call("get_session", { session: payload.sessionId })] : [];
}
