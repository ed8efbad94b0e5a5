/** Where the time of a run went that took too long. */
import type { Case } from "./case.ts";
import type { Evidence, Finding } from "./diagnosis.ts";
import { foldSiblings, type SiblingGroup } from "./fold.ts";
import { usualWall } from "./history.ts";
import type { SpanNode } from "./spans.ts";

/** Shorter runs are not worth a word. */
const SLOW_MS = 2_000;
/** So many calls of one kind, taking so much of the run, are what the run is about. */
const MANY = 20;
const DOMINANT = 0.5;
/** Times the middle one of at least so many good runs. */
const UNUSUAL = { times: 3, ofRuns: 3 };

/** Much of one kind, or much longer than its good runs. */
export function slow({ run, index, facts }: Case): Finding | undefined {
  const wallMs = run.startedAt === undefined ? 0 : (run.finishedAt ?? facts.now) - run.startedAt;
  if (wallMs < SLOW_MS || !index) return undefined;
  const usual = usualWall(facts.neighbours?.runs ?? [], run.id);
  const unusual = usual && usual.runs >= UNUSUAL.ofRuns && wallMs >= usual.median * UNUSUAL.times;
  const group = dominantGroup(index.nodes, wallMs);
  const compared: Evidence[] = usual ? [{ kind: "usual", wallMs, ...usual }] : [];
  if (group && (unusual || group.members.length >= MANY)) {
    return {
      class: "slow",
      confidence: "high",
      node: group.slowest,
      evidence: [{ kind: "group", group, wallMs }, ...compared],
    };
  }
  if (!unusual) return undefined;
  const node = busiest(index.nodes);
  const evidence: Evidence[] = node ? [{ kind: "self_time", node, wallMs }, ...compared] : compared;
  return { class: "slow", confidence: "medium", ...(node && { node }), evidence };
}

/** The group of repeated siblings, one after another, that took longest, if that is most of the time. */
export function dominantGroup(nodes: readonly SpanNode[], wallMs: number): SiblingGroup | undefined {
  let largest: SiblingGroup | undefined;
  for (const { children } of nodes) {
    for (const item of foldSiblings(children)) {
      if (!("group" in item) || item.group.order !== "sequence") continue;
      if (item.group.sum > (largest?.sum ?? 0)) largest = item.group;
    }
  }
  return largest && largest.sum >= wallMs * DOMINANT ? largest : undefined;
}

const busiest = (nodes: readonly SpanNode[]): SpanNode | undefined =>
  nodes.reduce<SpanNode | undefined>(
    (best, node) => (!best || node.selfTime > best.selfTime ? node : best),
    undefined,
  );
