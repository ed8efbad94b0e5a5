/** A diagnosis in words: the verdict, where it began and how that is known, the rest by importance, what to call next. */
import { frameText } from "../domain/frames.ts";
import { isTerminal } from "../domain/status.ts";
import type { Diagnosis, Evidence, VerdictClass } from "../insight/diagnosis.ts";
import type { SpanNode } from "../insight/spans.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { attemptsLine } from "./diagnosis-attempts.ts";
import { doubtLines, uncheckedLine } from "./diagnosis-doubts.ts";
import { evidenceLine, gapLine, labelled, runName, short, spanName, titleOf } from "./diagnosis-evidence.ts";
import { sinceLine } from "./diagnosis-history.ts";
import { type Row, render } from "./document.ts";
import { clock, count, counted, duration } from "./format.ts";
import { nextLines } from "./next.ts";
import { queuedMs, waitingMs, wallMs } from "./run-times.ts";

/** A diagnosis is read at a glance, however much room there is. */
const ENOUGH = 1_400;

export function viewDiagnosis(diagnosis: Diagnosis, context: ViewContext): Answer {
  const { verdict, culprit, evidence, next, asked } = diagnosis;
  const rows: Row[] = linesOf(diagnosis, context).flatMap(([rank, text]) =>
    text === undefined ? [] : [{ rank, text }],
  );
  const text = render(
    [
      headOf(diagnosis, context),
      {
        rows,
        omitted: (shown, total) => `… ${counted(total - shown, "line")} left out: max_tokens makes room`,
      },
      nextLines(next, context),
    ],
    Math.min(context.budget, ENOUGH),
  ).text;
  return {
    text,
    structured: {
      run_id: asked.id,
      status: asked.status,
      verdict,
      culprit: { run_id: culprit.runId, ...(culprit.node && { span_id: culprit.node.span.id }) },
      evidence: structuredEvidence(diagnosis, evidence),
      next: [...next],
    },
  };
}

/** In reading order, each with how long it stays when room is short. */
function linesOf(diagnosis: Diagnosis, context: ViewContext): [rank: number, text: string | undefined][] {
  const { evidence } = diagnosis;
  return [
    [0, whatLine(diagnosis, context)],
    [0, whereLine(diagnosis, context)],
    [1, frameLine(diagnosis, context)],
    ...evidence.map((each): [number, string | undefined] => [0, evidenceLine(each, diagnosis, context)]),
    [2, chainLine(diagnosis, context)],
    [3, wrappedLine(diagnosis, context)],
    [1, attemptsLine(diagnosis, context)],
    ...diagnosis.before.map((node, at): [number, string] => [4, beforeLine(node, at, diagnosis, context)]),
    [2, gapLine(diagnosis, context)],
    [4, timeLine(diagnosis, context)],
    [3, sinceLine(diagnosis, context)],
    ...doubtLines(diagnosis, context).map((text): [number, string] => [5, text]),
    [5, uncheckedLine(diagnosis.unread, context)],
  ];
}

const NAMES: Record<VerdictClass, string> = {
  user_code: "user code",
  dependency: "dependency",
  payload: "payload",
  timeout: "timeout (max duration)",
  out_of_memory: "out of memory",
  crash: "crash",
  platform: "platform",
  queue_wait: "queue or concurrency wait",
  delayed: "delayed",
  version: "version or deploy",
  cancelled: "cancelled",
  expired: "expired before it began",
  swallowed_error: "completed with a swallowed error",
  slow: "slow",
  recovered: "recovered",
  running: "still running",
  stalled: "stalled",
  ok: "nothing wrong",
};

function headOf({ asked, verdict }: Diagnosis, context: ViewContext): string {
  return [
    `${runName(asked, context)} ${short(asked.status, context, 30)}`,
    `${NAMES[verdict.class]}, confidence ${verdict.confidence}`,
    context.target,
  ].join(" · ");
}

const LONGEST_TITLE = 300;

function whatLine({ failure, verdict, asked }: Diagnosis, context: ViewContext): string | undefined {
  if (failure) return labelled("error", short(titleOf(failure), context, LONGEST_TITLE));
  if (verdict.class !== "ok") return undefined;
  return labelled(
    "found",
    `nothing failed, no error was logged, nothing took unusually long in ${short(asked.id, context)}`,
  );
}

/** Steps between the first and the last few are counted. */
const MOST_STEPS = 6;

function whereLine(diagnosis: Diagnosis, context: ViewContext): string | undefined {
  const { culprit, path } = diagnosis;
  if (!culprit.node) return culpritRunLine(diagnosis, context);
  const between = path.slice(1, -1);
  const kept = between.slice(-(MOST_STEPS - 2));
  const cut = between.length > kept.length ? [`… ${count(between.length - kept.length)} spans`] : [];
  const steps = [
    ...(path.length > 1 && path[0] ? [short(path[0].span.message, context, 80)] : []),
    ...cut,
    ...kept.map(({ span }) => short(span.message, context, 60)),
    spanName(culprit.node, diagnosis, context),
  ];
  return labelled("where", `${short(culprit.runId, context)} ${steps.join(" › ")}`);
}

/** Where no span is to blame, and what is said elsewhere does not name the run. */
function culpritRunLine(
  { asked, subject, culprit, verdict }: Diagnosis,
  context: ViewContext,
): string | undefined {
  if (culprit.runId === asked.id || verdict.class === "cancelled") return undefined;
  const isSubject = culprit.runId === subject.id;
  return labelled("where", isSubject ? runName(subject, context) : short(culprit.runId, context));
}

const frameLine = ({ frame }: Diagnosis, context: ViewContext): string | undefined =>
  frame && labelled("frame", short(frameText(frame), context, 200));

/** From the run that was asked about to where it began. */
function chainLine(diagnosis: Diagnosis, context: ViewContext): string | undefined {
  const { chain, culprit, asked } = diagnosis;
  if (chain.length < 2) return undefined;
  const runs = chain.map((run) => runName(run, context)).join(" ← child ");
  const from = culprit.node ? ` ← #${short(diagnosis.ids.get(culprit.node.span.id) ?? "", context, 32)}` : "";
  const wraps = isTerminal(asked.status) ? "; the parents' own errors only pass it on" : "";
  return labelled("chain", `${runs}${from}${wraps}`);
}

const MOST_WRAPPERS = 3;

function wrappedLine({ wrappers, asked }: Diagnosis, context: ViewContext): string | undefined {
  if (wrappers.length === 0) return undefined;
  const told = wrappers.slice(0, MOST_WRAPPERS).map((each) => `"${short(titleOf(each), context, 120)}"`);
  const more = wrappers.length > MOST_WRAPPERS ? ` and ${count(wrappers.length - MOST_WRAPPERS)} more` : "";
  return labelled("ended", `${short(asked.id, context)} with ${told.join(", caused by ")}${more}`);
}

/** Log lines are somebody else's words: quoted, and never taken for ours. */
function beforeLine(node: SpanNode, at: number, diagnosis: Diagnosis, context: ViewContext): string {
  const { span, start } = node;
  const id = short(diagnosis.ids.get(span.id) ?? "", context, 32);
  const label = at > 0 ? "" : isTerminal(diagnosis.subject.status) ? "before" : "log";
  return labelled(
    label,
    `${clock(start)} ${short(span.level, context, 12)} "${short(span.message, context, 160)}" (#${id})`,
  );
}

function timeLine({ asked }: Diagnosis, context: ViewContext): string | undefined {
  const [queued, wall, waiting] = [queuedMs(asked), wallMs(asked), waitingMs(asked)];
  if (queued === undefined) return undefined;
  return labelled(
    "time",
    [
      `${short(asked.id, context)} queued ${duration(queued)}`,
      `executing ${duration(asked.durationMs)}`,
      waiting ? `waiting ${duration(waiting)}` : undefined,
      wall === undefined ? undefined : `in all ${duration(wall)}`,
      asked.version === undefined ? undefined : `version ${short(asked.version, context)}`,
    ]
      .filter((part) => part !== undefined)
      .join(" · "),
  );
}

/** Ids only: the text says what they mean. */
function structuredEvidence(diagnosis: Diagnosis, evidence: readonly Evidence[]): Record<string, string>[] {
  const cited = evidence.map((each): Record<string, string> => {
    const node = "node" in each ? each.node : each.kind === "group" ? each.group.slowest : undefined;
    return {
      kind: each.kind,
      run_id: node?.span.runId ?? diagnosis.subject.id,
      ...(node && { span_id: node.span.id }),
    };
  });
  const logs = diagnosis.before.map(({ span }) => ({ kind: "log", run_id: span.runId, span_id: span.id }));
  return [...cited, ...logs];
}
