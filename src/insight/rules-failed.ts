/** Verdicts on runs that ended badly, one rule a class, the surest signs first. */

import type { Case } from "./case.ts";
import type { Confidence, Evidence, Finding } from "./diagnosis.ts";
import { causeChain, type Failure, failureOfRun, failureOfSpan } from "./failure.ts";
import { explains, payloadGap } from "./payload-gap.ts";
import { lastDoing } from "./propagation.ts";
import { dominantGroup } from "./slowness.ts";
import type { SpanNode } from "./spans.ts";
import {
  httpStatusOf,
  isProgramError,
  isServerTrouble,
  type PlatformVerdict,
  platformVerdict,
  saysCrash,
  saysDependency,
  saysOutOfMemory,
  saysPayload,
  saysRefused,
} from "./symptoms.ts";

/** The first that applies decides; the last one always does. */
export function diagnoseFailed(run: Case): Finding {
  for (const rule of [
    outOfMemory,
    timedOut,
    platformCode,
    crashed,
    wrongPayload,
    dependencyFailed,
    platformFailed,
  ]) {
    const finding = rule(run);
    if (finding) return finding;
  }
  return ownCode(run);
}

/** What the platform says of the run goes before what the span says: spans carry its prettier words. */
function platformSays({ run, origin, failure }: Case): PlatformVerdict | undefined {
  const told = [failureOfRun(run), origin && failureOfSpan(origin.span), failure];
  for (const each of told) {
    const verdict = each && platformVerdict(each);
    if (verdict) return verdict;
  }
  return undefined;
}

/** Everything that was thrown on the way, outermost first. */
function thrownOf({ run, failure }: Case): Failure[] {
  const thrown = failureOfRun(run);
  return [...(thrown ? causeChain(thrown) : []), ...(failure ? [failure] : [])];
}

function outOfMemory(run: Case): Finding | undefined {
  const code = platformSays(run);
  const coded = code?.class === "out_of_memory";
  const said = thrownOf(run).find(saysOutOfMemory);
  if (!coded && !said) return undefined;
  return cutOff(run, "out_of_memory", coded ? "high" : "medium", code);
}

function timedOut(run: Case): Finding | undefined {
  const code = platformSays(run);
  if (run.run.status !== "TIMED_OUT" && code?.class !== "timeout") return undefined;
  const finding = cutOff(run, "timeout", "high", code);
  const wallMs = Math.max(0, (run.run.finishedAt ?? 0) - (run.run.startedAt ?? 0));
  const group = dominantGroup(run.index?.nodes ?? [], wallMs);
  if (group) finding.evidence.push({ kind: "group", group, wallMs });
  return finding;
}

/** A run the platform stopped: what counts is what it was doing then. */
function cutOff(
  { head, origin, failure }: Case,
  verdict: "out_of_memory" | "timeout" | "crash",
  confidence: Confidence,
  code?: PlatformVerdict,
): Finding {
  const doing = head && lastDoing(head);
  const node = doing && doing !== head ? doing : origin;
  return {
    class: verdict,
    confidence,
    ...(node && { node }),
    ...(failure && { failure }),
    evidence: [...codeEvidence(code), ...(node ? [{ kind: "doing" as const, node }] : [])],
  };
}

const codeEvidence = (code: PlatformVerdict | undefined): Evidence[] =>
  code ? [{ kind: "platform_code", code: code.code }] : [];

function platformCode(run: Case): Finding | undefined {
  const code = platformSays(run);
  if (!code) return undefined;
  switch (code.class) {
    case "crash":
      return cutOff(run, "crash", "high", code);
    case "platform": {
      const { node, evidence } = cutOff(run, "crash", "high", code);
      return found(run, "platform", "high", evidence, node);
    }
    case "out_of_memory":
    case "timeout":
      return undefined;
    default:
      return found(run, code.class, "high", codeEvidence(code), run.origin);
  }
}

function crashed(run: Case): Finding | undefined {
  const said = thrownOf(run).some(saysCrash);
  if (run.run.status !== "CRASHED" && !said) return undefined;
  return cutOff(run, "crash", said || !run.failure ? "high" : "medium");
}

/** The payload is to blame when the error says so, or when it lacks just what the code reached for. */
function wrongPayload(run: Case): Finding | undefined {
  const { failure, facts } = run;
  if (!failure || facts.chain.length > 1) return payloadOfChild(run);
  const lacking = lackingPlaces(run, failure);
  const said = saysPayload(failure);
  if (said?.certain || (said && lacking.length > 0))
    return found(run, "payload", "high", lacks(lacking), run.origin);
  if (said) return found(run, "payload", "medium", [], run.origin);
  if (lacking.length === 0 || !isProgramError(failure)) return undefined;
  return found(run, "payload", "medium", lacks(lacking), run.origin);
}

/** A child's payload is its parent's making, and no good run of the child is at hand to compare with. */
function payloadOfChild(run: Case): Finding | undefined {
  const said = run.failure && saysPayload(run.failure);
  return said && found(run, "payload", said.certain ? "high" : "medium", [], run.origin);
}

function lackingPlaces({ run, facts: { good } }: Case, failure: Failure) {
  if (!good || run.payload === undefined || good.payload === undefined) return [];
  const { shape } = payloadGap(run.payload, good.payload);
  return saysPayload(failure) ? shape : explains(failure.message, shape);
}

const lacks = (places: ReturnType<typeof lackingPlaces>): Evidence[] =>
  places.length > 0 ? [{ kind: "lacks", places }] : [];

function dependencyFailed(run: Case): Finding | undefined {
  const { failure, facts, origin } = run;
  if (!failure) return undefined;
  // A mistake in the program stays one, whatever was wrapped around it says.
  const told = isProgramError(failure) ? [failure] : [failure, ...thrownOf(run).reverse()];
  for (const thrown of told) {
    const says = saysDependency(thrown);
    if (says === undefined) continue;
    return found(run, "dependency", "high", [symptom(says, origin)], origin);
  }
  const refused = saysRefused(failure);
  if (refused !== undefined) return found(run, "dependency", "medium", [symptom(refused, origin)], origin);
  const status = httpStatusOf(facts.span?.properties);
  if (status === undefined || !isServerTrouble(status) || isProgramError(failure)) return undefined;
  return found(run, "dependency", "medium", [symptom(`HTTP ${status}`, origin)], origin);
}

const symptom = (says: string, node: SpanNode | undefined): Evidence => ({
  kind: "symptom",
  says,
  ...(node && { node }),
});

function platformFailed(run: Case): Finding | undefined {
  return run.run.status === "SYSTEM_FAILURE" ? found(run, "platform", "medium", [], run.origin) : undefined;
}

function ownCode(run: Case): Finding {
  const confidence = run.failure ? (run.origin ? "high" : "medium") : "low";
  return found(run, "user_code", confidence, [], run.origin);
}

function found(
  { failure }: Case,
  verdict: Finding["class"],
  confidence: Confidence,
  evidence: Evidence[],
  node: SpanNode | undefined,
): Finding {
  return { class: verdict, confidence, ...(failure && { failure }), ...(node && { node }), evidence };
}
