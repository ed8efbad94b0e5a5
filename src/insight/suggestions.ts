/** What to call after a diagnosis: at most three calls, each as it stands. */
import { type Call, call } from "../domain/calls.ts";
import { isTerminal } from "../domain/status.ts";
import type { Case } from "./case.ts";
import type { Finding } from "./diagnosis.ts";
import type { ShortIds } from "./short-ids.ts";

const MOST = 3;

export function nextCalls(run: Case, finding: Finding, ids: ShortIds): Call[] {
  return [...lookCloser(finding, ids), ...byClass(run, finding), ...compare(run)].slice(0, MOST);
}

function lookCloser({ node }: Finding, ids: ShortIds): Call[] {
  if (!node) return [];
  const { id, runId } = node.span;
  return [call("get_span", { run_id: runId, span_id: ids.get(id) ?? id })];
}

/** A machine larger than most tasks have. */
const LARGER_MACHINE = "large-1x";

function byClass({ run, asked, facts }: Case, finding: Finding): Call[] {
  const run_id = asked.id;
  switch (finding.class) {
    case "dependency":
    case "platform":
    case "crash":
    case "expired":
      return [call("replay_run", { run_id })];
    case "out_of_memory":
      return [call("replay_run", { run_id, machine: LARGER_MACHINE })];
    case "queue_wait":
      return isTerminal(run.status)
        ? [call("get_run_trace", { run_id: run.id })]
        : [
            call("list_runs", { status: ["EXECUTING", "DEQUEUED"], task: run.task, period: "30d" }),
            call("follow_run", { run_id }),
          ];
    case "delayed":
      return [call("reschedule_run", { run_id: run.id, delay: "1m" })];
    case "version":
      return isTerminal(run.status)
        ? []
        : [call("list_runs", { task: run.task, period: "30d", limit: 10 }), call("follow_run", { run_id })];
    case "cancelled":
      return [
        ...(finding.runId !== undefined ? [call("get_run", { run_id: finding.runId })] : []),
        call("replay_run", { run_id }),
      ];
    case "stalled":
      return [call("follow_run", { run_id }), call("cancel_run", { run_id: run.id })];
    case "running":
      return [call("follow_run", { run_id })];
    case "slow":
      return [call("get_run_trace", { run_id: run.id, view: "critical_path" })];
    case "recovered":
    case "swallowed_error":
      return [call("search_run_events", { run_id: finding.node?.span.runId ?? run.id, level: "WARN" })];
    case "ok":
      return [call("get_run", { run_id })];
    default:
      return facts.chain.length > 1 && !finding.node ? [call("get_run", { run_id: run.id })] : [];
  }
}

const compare = ({ asked, facts }: Case): Call[] =>
  facts.good ? [call("compare_runs", { run_id: asked.id, other_run_id: facts.good.id })] : [];
