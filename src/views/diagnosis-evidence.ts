/** What speaks for a verdict, a line each, with the ids it is read from. */
import type { RunSummary } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { Diagnosis, Evidence } from "../insight/diagnosis.ts";
import type { Failure } from "../insight/failure.ts";
import type { SpanNode } from "../insight/spans.ts";
import type { ViewContext } from "./answer.ts";
import { age, clockSeconds, count, counted, dateTime, duration, oneLine } from "./format.ts";
import { changeLine } from "./value-changes.ts";

/** Upstream text on one line. */
export const short = (text: string, context: Pick<ViewContext, "clean">, length = 64): string =>
  oneLine(context.clean(text), length);

/** `capture payment #c3d4`. */
export const spanName = ({ span }: SpanNode, { ids }: Pick<Diagnosis, "ids">, context: ViewContext): string =>
  `${short(span.message, context, 80)} #${short(ids.get(span.id) ?? span.id, context, 32)}`;

export const runName = (run: RunSummary, context: ViewContext): string =>
  `${short(run.id, context)} ${short(run.task, context)}`;

/** `TypeError: Cannot read …`, raw. */
export const titleOf = ({ name, message }: Failure): string =>
  [name, message].filter((part) => part !== undefined && part !== "").join(": ");

/** Text after its label, in one column. */
export const labelled = (label: string, text: string): string => `${label.padEnd(8)} ${text}`;

/** `undefined` where there is nothing to say that other lines do not. */
export function evidenceLine(
  evidence: Evidence,
  diagnosis: Diagnosis,
  context: ViewContext,
): string | undefined {
  const name = (node: SpanNode) => spanName(node, diagnosis, context);
  switch (evidence.kind) {
    case "platform_code":
      return labelled(
        "code",
        `${evidence.code} of ${short(diagnosis.subject.id, context)}${meaning(evidence.code)}`,
      );
    case "symptom":
      return labelled(
        "sign",
        `"${short(evidence.says, context, 80)}"${evidence.node ? ` at ${name(evidence.node)}` : ""}: what it called did not do its part`,
      );
    case "doing":
      return doingLine(evidence, diagnosis, context);
    case "waiting":
      return waitingLine(evidence, diagnosis, context);
    case "queue":
      return queueLine(evidence, diagnosis, context);
    case "delayed":
      return labelled(
        "delayed",
        `until ${dateTime(evidence.until)} (${age(evidence.until, context.now)}): ${short(diagnosis.subject.id, context)} was triggered so`,
      );
    case "expired":
      return labelled(
        "expired",
        `${short(diagnosis.subject.id, context)} waited ${duration(evidence.waitedMs)} without beginning${evidence.ttl === undefined ? "" : `; its ttl is ${short(evidence.ttl, context, 30)}`}`,
      );
    case "no_version":
      return labelled(
        "version",
        `${short(diagnosis.subject.id, context)} waits for a deployed version that has the task ${short(diagnosis.subject.task, context)}: none known to its environment does`,
      );
    case "cancellation":
      return cancellationLine(evidence, diagnosis, context);
    case "group": {
      const { group, wallMs } = evidence;
      return labelled(
        "mostly",
        `${short(group.name, context, 80)} ×${count(group.members.length)}, one after another: ${percent(group.sum, wallMs)} of ${duration(wallMs)}; p50 ${duration(group.p50)}, slowest ${duration(group.max)} ${name(group.slowest)}`,
      );
    }
    case "self_time":
      return labelled(
        "mostly",
        `${name(evidence.node)} alone took ${duration(evidence.node.selfTime)}, ${percent(evidence.node.selfTime, evidence.wallMs)} of ${duration(evidence.wallMs)}`,
      );
    case "usual":
      return labelled(
        "usual",
        `${duration(evidence.median)} for ${counted(evidence.runs, "good run")} of ${short(diagnosis.asked.task, context)}, at most ${duration(evidence.longest)}; ${short(diagnosis.asked.id, context)} ${duration(evidence.wallMs)}`,
      );
    case "swallowed":
      return swallowedLine(evidence.nodes, diagnosis, context);
    case "failed_children":
      return labelled(
        "children",
        `${count(evidence.runs.length)} of ${count(evidence.of)} did not complete: ${runList(evidence.runs, context)}`,
      );
    case "got_over":
      return labelled(
        "retried",
        `${name(evidence.node)} failed; the same was tried again within the attempt and went well`,
      );
    case "lacks":
      return undefined;
  }
}

const percent = (part: number, whole: number): string =>
  `${whole > 0 ? Math.min(100, Math.round((part / whole) * 100)) : 0} %`;

const MOST_RUNS = 3;

export function runList(runs: readonly RunSummary[], context: ViewContext): string {
  const named = runs
    .slice(0, MOST_RUNS)
    .map((run) => `${runName(run, context)} ${short(run.status, context, 30)}`);
  const more = runs.length > MOST_RUNS ? [`${count(runs.length - MOST_RUNS)} more`] : [];
  return [...named, ...more].join(", ");
}

/** What the codes mean for whoever wrote the task; those that say it themselves are left out. */
const MEANINGS: Readonly<Record<string, string>> = {
  TASK_PROCESS_OOM_KILLED: "the process needed more memory than its machine has",
  TASK_PROCESS_MAYBE_OOM_KILLED: "the process was killed, most likely for its memory",
  MAX_DURATION_EXCEEDED: "it executed longer than its maxDuration",
  TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE:
    "the process ended by itself; nothing was thrown that the SDK could catch",
  TASK_PROCESS_SIGSEGV: "a native module or binary touched memory it must not",
  TASK_PROCESS_SIGTERM: "the process was told to end from outside",
  TASK_RUN_STALLED_EXECUTING:
    "the process sent no sign of life: it is gone, or its event loop was blocked by work that never yields",
  TASK_RUN_STALLED_EXECUTING_WITH_WAITPOINTS: "the process sent no sign of life while it waited",
  TASK_RUN_HEARTBEAT_TIMEOUT: "the process sent no sign of life",
  TASK_RUN_UNCAUGHT_EXCEPTION:
    "something threw outside the task's own promise, such as an event emitter without an error listener",
  POD_EVICTED: "the platform took its machine away",
  COULD_NOT_FIND_TASK: "the deployed version does not have the task",
  COULD_NOT_IMPORT_TASK: "the deployed version cannot load the task's file",
  TASK_INPUT_ERROR: "the payload could not be read",
  TASK_OUTPUT_ERROR: "what the task returned could not be stored",
  PAYLOAD_TOO_LARGE: "the payload is larger than the platform takes",
  RECURSIVE_WAIT_DEADLOCK: "it waits for a run that can only begin when it has ended",
};

const meaning = (code: string): string => {
  const said = MEANINGS[code];
  return said === undefined ? "" : `: ${said}`;
};

type Of<Kind extends Evidence["kind"]> = Extract<Evidence, { kind: Kind }>;

function doingLine(
  { node, openMs, quietMs }: Of<"doing">,
  diagnosis: Diagnosis,
  context: ViewContext,
): string {
  const name = spanName(node, diagnosis, context);
  if (openMs === undefined) return labelled("doing", `${name} when it was cut off`);
  return labelled("doing", `${name}, open for ${duration(openMs)}; ${silence(quietMs ?? 0)}`);
}

/** Milliseconds of silence that are no news. */
const SHORT_SILENCE_MS = 60_000;

const silence = (ms: number): string =>
  ms < SHORT_SILENCE_MS
    ? `last sign of life ${duration(ms)} ago`
    : `nothing at all has happened for ${duration(ms)}`;

function waitingLine({ node, on }: Of<"waiting">, diagnosis: Diagnosis, context: ViewContext): string {
  const where = node
    ? `${spanName(node, diagnosis, context)} since ${age(node.start, context.now)}`
    : short(diagnosis.subject.id, context);
  const child = on ? ` for ${runName(on, context)} ${short(on.status, context, 30)}` : "";
  return labelled("waiting", `${where}${child}: a wait the platform knows of, nothing executes meanwhile`);
}

function queueLine(
  { queue, task, ahead, waitedMs }: Of<"queue">,
  { subject }: Diagnosis,
  context: ViewContext,
): string {
  const own = queue.executing.filter((run) => run.task === task);
  const others = queue.executing.filter((run) => run.task !== task);
  const parts = [
    `${short(subject.id, context)} waited ${duration(waitedMs)}`,
    own.length > 0
      ? `${counted(own.length, "run")} of ${short(task, context)} ${isTerminal(subject.status) ? "had" : own.length === 1 ? "has" : "have"} the room: ${holders(own, context)}`
      : `no other run of ${short(task, context)} ${isTerminal(subject.status) ? "that executed meanwhile was found" : "executes"}`,
    ahead > 0 ? `${counted(ahead, "run")} queued before it` : undefined,
    others.length > 0
      ? `${queue.whole ? "" : "at least "}${counted(others.length, "run")} of other tasks execute: ${holders(others, context)}`
      : undefined,
    queue.executing.length === 0 && !isTerminal(subject.status)
      ? "a paused queue, a limit of the environment, or (in dev) no worker that is connected"
      : undefined,
  ];
  return labelled("queue", parts.filter((part) => part !== undefined).join("; "));
}

const holders = (runs: readonly RunSummary[], context: ViewContext): string => {
  const oldest = [...runs].sort((a, b) => (a.startedAt ?? a.createdAt) - (b.startedAt ?? b.createdAt));
  const named = oldest.slice(0, MOST_RUNS).map((run) => `${runName(run, context)} ${heldFor(run, context)}`);
  return [...named, ...(runs.length > MOST_RUNS ? ["…"] : [])].join(", ");
};

const heldFor = ({ startedAt, createdAt, finishedAt }: RunSummary, context: ViewContext): string => {
  const from = startedAt ?? createdAt;
  return finishedAt === undefined
    ? `since ${age(from, context.now)}`
    : `from ${clockSeconds(from)} to ${clockSeconds(finishedAt)}`;
};

function cancellationLine(
  { reason, by, node }: Of<"cancellation">,
  diagnosis: Diagnosis,
  context: ViewContext,
): string {
  const said = reason === undefined ? "no reason was given" : `reason "${short(reason, context, 200)}"`;
  const whose = by
    ? `with its parent ${runName(by, context)} ${short(by.status, context, 30)}`
    : `by itself, not with a parent`;
  const doing = node ? `; it was at ${spanName(node, diagnosis, context)}` : "";
  return labelled("cancel", `${short(diagnosis.subject.id, context)} ${whose}: ${said}${doing}`);
}

function swallowedLine(nodes: readonly SpanNode[], diagnosis: Diagnosis, context: ViewContext): string {
  const named = nodes.slice(0, MOST_RUNS).map((node) => spanName(node, diagnosis, context));
  const more = nodes.length > MOST_RUNS ? `, ${count(nodes.length - MOST_RUNS)} more` : "";
  return labelled(
    "errors",
    `${counted(nodes.length, "error")} in a run that completed: ${named.join(", ")}${more}`,
  );
}

const MOST_PLACES = 3;

/** `customer.cards  [] → [1 item] (payload here → in the good run_…)`. */
export function gapLine({ gap, evidence }: Diagnosis, context: ViewContext): string | undefined {
  const lacks = evidence.find((each) => each.kind === "lacks");
  const places = lacks?.places ?? gap?.shape ?? [];
  if (!gap || places.length === 0) return undefined;
  const told = places.slice(0, MOST_PLACES).map((place) => changeLine(place, context.clean));
  const more = places.length > MOST_PLACES ? `; ${count(places.length - MOST_PLACES)} more places` : "";
  const reached = lacks ? "; the error reached for it" : "";
  return labelled(
    "input",
    `${told.join("; ")}${more} (payload here → in the good ${short(gap.good.id, context)})${reached}`,
  );
}
