/** A span being told, and what is thrown through it. */
import { messageOf } from "../../src/embedded/engine/failure.ts";
import { closeSpan, failAttempt, failSpan } from "../../src/embedded/engine/spans.ts";
import type { StoredError, StoredSpan } from "../../src/embedded/engine/types.ts";
import type { ChildPlan, Origin, SpanPlan } from "./rows.ts";
import type { Kind, Run } from "./run.ts";

export type Work = (step: Step) => void;

const WAIT: Kind = { style: { icon: "wait" }, entityType: "waitpoint" };
const TRIGGER: Kind = { style: { icon: "trigger" } };

export class Step {
  readonly run: Run;
  readonly record: StoredSpan;
  cursor: number;
  failure: StoredError | undefined;
  isOpen = false;
  /** What is open in it is a platform wait. */
  isWaiting = false;

  constructor(run: Run, record: StoredSpan) {
    this.run = run;
    this.record = record;
    this.cursor = record.startTime;
  }

  get id(): string {
    return this.record.spanId;
  }

  span(message: string, plan: SpanPlan = {}, work?: Work): Step {
    return this.#nested(message, {}, plan, work);
  }

  log(level: StoredSpan["level"], message: string, properties: Record<string, unknown> = {}): string {
    const kind = { properties, ...this.#attempt() };
    const log = this.run.open(message, kind, this.id, this.cursor);
    Object.assign(log, { kind: "log", level, isPartial: false });
    return log.spanId;
  }

  /** Time without a span. */
  pause(duration: number): void {
    this.cursor += duration;
  }

  /** A platform wait: the run is WAITING meanwhile. */
  wait(message: string, plan: SpanPlan): Step {
    const waiting = this.#nested(message, WAIT, plan);
    this.isWaiting ||= waiting.isOpen;
    return waiting;
  }

  /** A child run; its failure is thrown here, as `unwrap()` does, unless it is `ignored`. */
  triggerAndWait(task: string, plan: ChildPlan & { ignored?: boolean }, work?: Work): Run {
    const { ignored, ...rest } = plan;
    const step = this.#begin("triggerAndWait()", TRIGGER, {});
    const child = step.#child(task, { ...rest, triggerFunction: "triggerAndWait" }, work, 1);
    step.record.properties = { task, runId: child.id };
    if (child.row.status === "CANCELED" && this.run.isCancelled) step.isOpen = true;
    else if (child.hasFailed && !ignored) step.failure = unwrapped(task, child);
    this.#follow(step.tell(), {});
    return child;
  }

  /** Child runs side by side; it goes on when all have ended, whatever became of them. */
  batch(start: (run: (task: string, plan: ChildPlan, work?: Work) => Run) => void): void {
    const step = this.#begin("batchTriggerAndWait()", TRIGGER, {});
    const batchId = `batch_${this.run.world.cuid(this.cursor)}`;
    let runCount = 0;
    start((task, plan, work) => {
      const origin = { ...plan, batchId, triggerFunction: "batchTriggerAndWait" as const };
      runCount += 1;
      return step.#child(task, origin, work, runCount);
    });
    step.record.properties = { batchId, runCount };
    this.#follow(step.tell(), {});
  }

  tell(plan: SpanPlan = {}, work?: Work): this {
    const { record } = this;
    work?.(this);
    if (plan.took !== undefined) this.cursor = record.startTime + plan.took;
    this.isOpen ||= plan.open === true;
    if (this.isOpen) return this;
    this.failure = plan.error ?? this.failure;
    if (!this.failure) closeSpan(record, this.cursor);
    else (record.entityType === "attempt" ? failAttempt : failSpan)(record, this.cursor, this.failure);
    return this;
  }

  #nested(message: string, kind: Kind, plan: SpanPlan, work?: Work): Step {
    const step = this.#begin(message, { ...kind, properties: plan.props ?? {} }, plan).tell(plan, work);
    this.#follow(step, plan);
    return step;
  }

  #begin(message: string, kind: Kind, { at }: SpanPlan): Step {
    const startTime = at === undefined ? this.cursor : this.record.startTime + at;
    return new Step(this.run, this.run.open(message, { ...kind, ...this.#attempt() }, this.id, startTime));
  }

  #follow(step: Step, { caught = false }: SpanPlan): void {
    this.cursor = Math.max(this.cursor, step.cursor);
    this.isOpen ||= step.isOpen;
    this.isWaiting ||= step.isWaiting;
    if (!caught && !step.isOpen) this.failure = step.failure ?? this.failure;
  }

  #child(task: string, plan: ChildPlan & Partial<Origin>, work: Work | undefined, number: number): Run {
    const createdAt = this.record.startTime + 4 * number;
    const child = this.run.child(task, { ...plan, createdAt, parent: this.run, parentSpanId: this.id }, work);
    const { completedAt } = child.row;
    if (completedAt === undefined) this.isOpen = this.isWaiting = true;
    else this.cursor = Math.max(this.cursor, completedAt + 6);
    return child;
  }

  #attempt(): Kind {
    return { attempt: this.run.row.attemptCount };
  }
}

function unwrapped(task: string, child: Run): StoredError {
  const message = `Error in ${task}: ${child.failure ? messageOf(child.failure) : "TASK_RUN_CANCELLED"}`;
  const name = "SubtaskUnwrapError";
  const frames = `    at TaskRunPromise.unwrap (/app/node_modules/@trigger.dev/sdk/dist/esm/v3/shared.js:94:19)`;
  return { type: "BUILT_IN_ERROR", name, message, stackTrace: `${name}: ${message}\n${frames}` };
}
