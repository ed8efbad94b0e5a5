/** A run being told: its attempts, and how its row and its root span end. */
import { errorIdOf, statusAfter } from "../../src/embedded/engine/failure.ts";
import { cancelSpan, closeSpan, failSpan, openSpan, rootSpan } from "../../src/embedded/engine/spans.ts";
import type { StoredError, StoredRun, StoredSpan } from "../../src/embedded/engine/types.ts";
import { costOf } from "../../src/embedded/engine/usage.ts";
import type { World } from "./builder.ts";
import { json, NOW, newRow, type Origin, type SpanPlan } from "./rows.ts";
import { Step, type Work } from "./step.ts";

export type Kind = Pick<Partial<StoredSpan>, "style" | "entityType" | "attempt" | "properties">;

export class Run {
  readonly world: World;
  readonly row: StoredRun;
  readonly root: StoredSpan;
  /** Where the telling has got to. */
  cursor: number;
  #plan: Origin;
  #last: Step | undefined;

  constructor(world: World, task: string, plan: Origin) {
    this.world = world;
    this.#plan = plan;
    this.row = newRow(world, task, plan);
    this.root = world.add(rootSpan(this.row));
    this.cursor = plan.createdAt + (plan.queued ?? 200);
    world.enter(this);
  }

  get id(): string {
    return this.row.friendlyId;
  }

  get failure(): StoredError | undefined {
    return this.row.error;
  }

  get hasFailed(): boolean {
    return this.row.completedAt !== undefined && this.row.status !== "COMPLETED_SUCCESSFULLY";
  }

  get isCancelled(): boolean {
    return this.#plan.cancelled !== undefined;
  }

  attempt(work?: Work): Step;
  attempt(plan: SpanPlan, work?: Work): Step;
  attempt(plan: SpanPlan | Work = {}, work?: Work): Step {
    if (typeof plan === "function") return this.attempt({}, plan);
    this.row.attemptCount += 1;
    this.row.startedAt ??= this.cursor;
    this.root.startTime = this.row.startedAt;
    const attempt = this.row.attemptCount;
    const kind = { attempt, style: { icon: "attempt" }, entityType: "attempt" };
    const span = this.open(`Attempt ${attempt}`, kind, this.root.spanId, this.cursor);
    this.#last = new Step(this, span).tell(plan, work);
    this.cursor = this.#last.cursor;
    return this.#last;
  }

  /** One of a single attempt; without work it has not begun. */
  child(task: string, origin: Origin, work?: Work): Run {
    return new Run(this.world, task, origin).tell(work && ((run) => void run.attempt(work)));
  }

  /** Between two attempts. */
  backOff(delayMs: number, { open = false } = {}): void {
    const attempt = this.row.attemptCount;
    const kind = {
      style: { icon: "wait" },
      entityType: "waitpoint",
      attempt,
      properties: { retry: { delayMs, nextAttempt: attempt + 1 } },
    };
    const span = this.open("retry wait", kind, this.root.spanId, this.cursor);
    if (open) return;
    this.cursor += delayMs;
    closeSpan(span, this.cursor);
  }

  /** Id of the last span that is called so; throws when there is none. */
  span(message: string): string {
    const found = this.spans(message).at(-1);
    if (found === undefined) throw new Error(`${this.row.task} has no span "${message}"`);
    return found;
  }

  spans(message: string): string[] {
    return this.#own()
      .filter((span) => span.message === message)
      .map(({ spanId }) => spanId);
  }

  open(message: string, kind: Kind, parentId: string, startTime: number): StoredSpan {
    const spanId = this.world.hex(16);
    return this.world.add(openSpan(this.row, { ...kind, message, spanId, parentId, startTime }));
  }

  tell(work?: (run: Run) => void): this {
    work?.(this);
    const { row, root } = this;
    Object.assign(row, this.#outcome());
    row.updatedAt = row.completedAt ?? this.cursor;
    if (row.completedAt !== undefined) {
      if (row.status === "CANCELED") cancelSpan(root, row.completedAt, this.#plan.cancelled ?? "");
      else if (row.error) failSpan(root, row.completedAt, row.error);
      else closeSpan(root, row.completedAt);
    }
    this.#bill();
    for (const span of this.#own()) if (span !== root) shift(span, this.#plan.skew ?? 0);
    return this;
  }

  #outcome(): Partial<StoredRun> {
    const { status, cancelled, output, ttl } = this.#plan;
    const last = this.#last;
    const completedAt = this.cursor;
    if (cancelled !== undefined) {
      for (const span of this.#own()) {
        if (span.isPartial && span !== this.root) cancelSpan(span, completedAt, cancelled);
      }
      return { status: "CANCELED", completedAt };
    }
    if (status === "EXPIRED") {
      const error: StoredError = {
        type: "STRING_ERROR",
        raw: `Run expired because the TTL (${ttl}) was reached`,
      };
      return { status, error, completedAt, expiredAt: completedAt };
    }
    if (status !== undefined) return { status };
    if (last === undefined) throw new Error(`${this.row.task} did not begin and has no status`);
    if (last.isOpen) return { status: last.isWaiting ? "WAITING_TO_RESUME" : "EXECUTING" };
    const { failure } = last;
    if (failure)
      return { status: statusAfter(failure), error: failure, errorId: errorIdOf(failure), completedAt };
    return { status: "COMPLETED_SUCCESSFULLY", completedAt, ...json("output", output) };
  }

  /** Execution counts; platform waits and the time between attempts do not. */
  #bill(): void {
    const { row, root } = this;
    const inAttempts = this.#own().filter((span) => span !== root && span.parentId !== row.spanId);
    const attempts = this.#own().filter((span) => span.entityType === "attempt");
    const waits = inAttempts.filter(({ style }) => style.icon === "wait" || style.icon === "trigger");
    row.usageDurationMs = Math.max(0, total(attempts) - total(waits));
    row.costInCents = costOf(row.machine, row.usageDurationMs);
  }

  #own(): StoredSpan[] {
    return this.world.spans.filter(({ runId }) => runId === this.id);
  }
}

const total = (spans: StoredSpan[]): number =>
  spans.reduce((sum, span) => sum + (span.isPartial ? NOW - span.startTime : span.duration), 0);

function shift(span: StoredSpan, skew: number): void {
  span.startTime += skew;
  for (const event of span.events) event.time += skew;
}
