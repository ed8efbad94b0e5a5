/**
 * Facts in, diagnosis out: pure, no clock, no chance, the same words for the same run. Where the run stands decides
 * which rules are asked; they find the verdict and where it began, and the rest is told around it.
 */
import { isBadEnd, isTerminal } from "../domain/status.ts";
import { failedAlike } from "./attempts.ts";
import { type Case, openCase } from "./case.ts";
import type { Diagnosis, Evidence, Facts, Finding, TraceDoubts } from "./diagnosis.ts";
import {
  carrierOf,
  causeChain,
  type Failure,
  failureOfRun,
  failureOfSpan,
  isSubtaskWrapper,
} from "./failure.ts";
import { type Frame, fingerprint, platformCode } from "./fingerprint.ts";
import { historyOf } from "./history.ts";
import { payloadGap } from "./payload-gap.ts";
import { endOf, isLog } from "./propagation.ts";
import { diagnoseCancelled, diagnoseCompleted, diagnoseExpired } from "./rules-ended.ts";
import { diagnoseFailed } from "./rules-failed.ts";
import { diagnoseLive } from "./rules-live.ts";
import { shortIds } from "./short-ids.ts";
import type { SpanNode } from "./spans.ts";
import { nextCalls } from "./suggestions.ts";

export function diagnose(facts: Facts): Diagnosis {
  const run = openCase(facts);
  const finding = verdictOn(run);
  const { node } = finding;
  const alike = failedAlike(run.failed);
  const gap = gapOf(run);
  const failed = isBadEnd(run.asked.status);
  const history = failed && facts.neighbours ? historyOf(run.asked, facts.neighbours, facts.good) : undefined;
  const frame = frameOf(run, finding.failure);
  const ids = run.index?.shortIds ?? shortIds([]);
  const culprit = { runId: finding.runId ?? node?.span.runId ?? run.run.id, ...(node && { node }) };
  return {
    verdict: { class: finding.class, confidence: confidenceIn(finding, run) },
    asked: run.asked,
    subject: run.run,
    culprit,
    path: node ? pathInRun(node) : [],
    chain: facts.chain.map((each) => each.run),
    ...(finding.failure && { failure: finding.failure }),
    ...(frame && { frame }),
    wrappers: wrappersOf(run, finding.failure),
    attempts: run.attempts,
    ...(alike !== undefined && { alike }),
    before: logsBefore(run, finding),
    evidence: [...finding.evidence, ...failedSiblings(run)],
    ...(gap && { gap }),
    ...(history && { history }),
    doubts: doubtsOf(run),
    unread: facts.unread,
    ids,
    next: nextCalls(run, finding, ids),
  };
}

function verdictOn(run: Case): Finding {
  const { status } = run.run;
  if (!isTerminal(status)) return diagnoseLive(run);
  if (status === "CANCELED") return diagnoseCancelled(run);
  if (status === "EXPIRED") return diagnoseExpired(run);
  return status === "COMPLETED" ? diagnoseCompleted(run) : diagnoseFailed(run);
}

/** That a child run is to blame is a guess when neither the words nor the kind of the parent's error say so. */
function confidenceIn(finding: Finding, { asked, facts }: Case): Finding["confidence"] {
  const thrown = failureOfRun(asked);
  if (facts.chain.length === 1 || !thrown || finding.confidence !== "high") return finding.confidence;
  const passedOn = causeChain(thrown).some(isSubtaskWrapper);
  return passedOn || (finding.failure && carrierOf(thrown)(finding.failure)) ? "high" : "medium";
}

/** Of a parent that failed by one of several children. */
function failedSiblings({ asked, facts }: Case): Evidence[] {
  if (facts.chain.length === 1 || !isBadEnd(asked.status) || asked.children.length < 2) return [];
  const runs = asked.children.filter(({ status }) => isTerminal(status) && status !== "COMPLETED");
  return runs.length === 0 ? [] : [{ kind: "failed_children", runs, of: asked.children.length }];
}

function pathInRun(node: SpanNode): SpanNode[] {
  const path: SpanNode[] = [];
  for (let at: SpanNode | undefined = node; at?.span.runId === node.span.runId; at = at?.parent)
    path.push(at);
  return path.reverse();
}

function frameOf({ run, origin }: Case, failure: Failure | undefined): Frame | undefined {
  if (!failure) return undefined;
  const thrown = [origin && failureOfSpan(origin.span), failureOfRun(run)];
  const outwards = thrown.flatMap((each) => (each ? causeChain(each).reverse() : []));
  for (const each of [failure, ...outwards]) {
    const { frame } = fingerprint(each);
    if (frame) return frame;
  }
  return undefined;
}

/** What the run that was asked about says of its failure, above the cause itself. */
function wrappersOf({ asked }: Case, failure: Failure | undefined): Failure[] {
  const thrown = failure && failureOfRun(asked);
  if (!thrown) return [];
  return causeChain(thrown).filter(
    (each) =>
      (each.message !== failure.message || each.name !== failure.name) && platformCode(each) === undefined,
  );
}

const MOST_LOGS = 3;
const SERIOUS = new Set(["WARN", "ERROR"]);
/** Milliseconds: a line written on the way out still belongs to what it tells of. */
const ON_THE_WAY_MS = 5;

/** The last lines of the culprit's own run, the serious ones before the others. */
function logsBefore({ index, run, facts }: Case, { node, class: verdict }: Finding): SpanNode[] {
  if (verdict === "ok" || verdict === "slow") return [];
  const runId = node?.span.runId ?? run.id;
  const until = node && isTerminal(run.status) ? endOf(node) + ON_THE_WAY_MS : facts.now;
  const lines = (index?.nodes ?? [])
    .filter(
      (line) =>
        isLog(line) &&
        line !== node &&
        line.span.level !== "DEBUG" &&
        line.span.runId === runId &&
        line.start <= until &&
        (node?.span.attempt === undefined ||
          line.span.attempt === undefined ||
          line.span.attempt === node.span.attempt),
    )
    .sort((a, b) => a.start - b.start);
  const serious =
    verdict === "running" ? [] : lines.filter(({ span }) => SERIOUS.has(span.level)).slice(-MOST_LOGS);
  const rest = lines
    .filter((line) => !serious.includes(line))
    .slice(-Math.max(1, MOST_LOGS - serious.length));
  return [...serious.slice(-(MOST_LOGS - 1)), ...rest].slice(0, MOST_LOGS).sort((a, b) => a.start - b.start);
}

function gapOf({ asked, facts: { good } }: Case): Diagnosis["gap"] {
  if (!good || !isBadEnd(asked.status) || asked.payload === undefined || good.payload === undefined)
    return undefined;
  const { shape } = payloadGap(asked.payload, good.payload);
  return shape.length > 0 ? { good, shape } : undefined;
}

/** Milliseconds: clocks of one run's machines differ by less. */
const DRIFT_MS = 1_000;

function doubtsOf({ index, facts }: Case): TraceDoubts {
  const doubts: TraceDoubts = {
    truncated: facts.chain.some(({ truncated }) => truncated),
    unplaced: index?.unplaced.length ?? 0,
  };
  for (const node of index?.nodes ?? []) {
    const early = node.parent ? node.parent.start - node.start : 0;
    if (early > Math.max(DRIFT_MS, doubts.skewMs ?? 0)) [doubts.skewed, doubts.skewMs] = [node, early];
  }
  return doubts;
}
