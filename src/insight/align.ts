/**
 * Two traces side by side: which span of the one is which span of the other. Siblings match by what they are called apart
 * from numbers and ids, and by order among those of their name; repeated ones match as groups. Linear but for sorting.
 */
import { type Folded, foldSiblings, type SiblingGroup } from "./fold.ts";
import { normalizeName } from "./names.ts";
import type { SpanNode } from "./spans.ts";

/** A span or a group on one side or on both; on both it is the same sort of thing. */
export interface Step {
  readonly parent: Step | undefined;
  readonly left?: Folded;
  readonly right?: Folded;
  /** In a member picked out of a group to stand for it: its time is in the group's already. */
  readonly sampled: boolean;
}

interface Siblings {
  parent: Step | undefined;
  left: readonly SpanNode[];
  right: readonly SpanNode[];
  sampled: boolean;
}

/** From as many of a kind on, siblings are one fact; the same number as for a single trace's folds. */
const GROUPED = 4;

/**
 * Each step after its parent. What is on one side only is one step with everything below it, and of matched groups one
 * failing member is followed into. A single head on each side is the same thing whatever it is called.
 */
export function align(left: readonly SpanNode[], right: readonly SpanNode[]): Step[] {
  const [one, other] = [left[0], right[0]];
  const single = one && other && left.length === 1 && right.length === 1;
  const steps: Step[] = single
    ? [{ parent: undefined, left: { node: one }, right: { node: other }, sampled: false }]
    : alignSiblings({ parent: undefined, left, right, sampled: false });
  for (let at = 0; at < steps.length; at += 1) {
    const below = openStep(steps[at] as Step);
    if (below) for (const step of alignSiblings(below)) steps.push(step);
  }
  return steps;
}

function alignSiblings({ parent, left, right, sampled }: Siblings): Step[] {
  const kinds = new Map<string, { left: SpanNode[]; right: SpanNode[] }>();
  for (const [side, nodes] of [["left", left] as const, ["right", right] as const]) {
    for (const node of nodes) {
      const name = normalizeName(node.span.message);
      const kind = kinds.get(name) ?? { left: [], right: [] };
      if (kind[side].push(node) === 1) kinds.set(name, kind);
    }
  }
  const steps: Step[] = [];
  for (const kind of kinds.values()) {
    const many = Math.max(kind.left.length, kind.right.length);
    const [these, those] =
      many < GROUPED ? [alone(kind.left), alone(kind.right)] : [grouped(kind.left), grouped(kind.right)];
    for (let at = 0; at < Math.max(these.length, those.length); at += 1) {
      const [one, other] = [these[at], those[at]];
      steps.push({ parent, sampled, ...(one && { left: one }), ...(other && { right: other }) });
    }
  }
  return steps;
}

const alone = (nodes: readonly SpanNode[]): Folded[] => nodes.map((node) => ({ node }));
const grouped = (nodes: readonly SpanNode[]): Folded[] => foldSiblings(nodes, 1);

/** What is below a step on both sides; `undefined` when there is nothing to match. */
function openStep(step: Step): Siblings | undefined {
  const { left, right } = step;
  if (!left || !right) return undefined;
  if ("node" in left && "node" in right) {
    if (left.node.children.length + right.node.children.length === 0) return undefined;
    return { parent: step, left: left.node.children, right: right.node.children, sampled: step.sampled };
  }
  if (!("group" in left && "group" in right)) return undefined;
  const [failingLeft, failingRight] = [left.group.failing[0], right.group.failing[0]];
  const one = failingLeft ?? (failingRight && counterpart(failingRight, right.group, left.group));
  const other = one && failingLeft ? counterpart(failingLeft, left.group, right.group) : failingRight;
  return one && other && { parent: step, left: [one], right: [other], sampled: true };
}

/** The member called the same, a failing one if there is one; else the one at the same place. */
function counterpart(member: SpanNode, own: SiblingGroup, other: SiblingGroup): SpanNode | undefined {
  const isLike = (each: SpanNode): boolean => each.span.message === member.span.message;
  return (
    other.failing.find(isLike) ?? other.members.find(isLike) ?? other.members[own.members.indexOf(member)]
  );
}
