/**
 * Writes down what runs did, as the engine would have: `step.span("capture payment", { took: 12, error })`. Times follow
 * each other unless told, and what is thrown inside a span goes up to its attempt unless it is caught. Ids depend on
 * the scenario's name and nothing else.
 */
import { createHash } from "node:crypto";
import type { StoredRun, StoredSpan } from "../../src/embedded/engine/types.ts";
import type { Scenario } from "../../src/embedded/scenario.ts";
import { NOW, type RunPlan } from "./rows.ts";
import { Run } from "./run.ts";
import type { Step, Work } from "./step.ts";

/** The runs of one scenario. */
export class World implements Scenario {
  readonly runs: StoredRun[] = [];
  readonly spans: StoredSpan[] = [];
  #name: string;
  #count = 0;
  #told: Run[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  run(task: string, { ago, ...plan }: RunPlan, tale?: (run: Run) => void): Run {
    return new Run(this, task, { ...plan, createdAt: NOW - ago }).tell(tale);
  }

  /** A run of one attempt. */
  once(task: string, plan: RunPlan, work: Work): Run {
    return this.run(task, plan, (run) => void run.attempt(work));
  }

  /** Runs of the same task; plan and work by their number, from 0. Without work they have not begun. */
  series(
    count: number,
    task: string,
    plan: (index: number) => RunPlan,
    work?: (step: Step, index: number) => void,
  ): Run[] {
    const tale = (index: number) =>
      work && ((run: Run) => void run.attempt((step) => void work(step, index)));
    return Array.from({ length: count }, (_, index) => this.run(task, plan(index), tale(index)));
  }

  /** The last run of the task; throws when there is none. */
  find(task: string): Run {
    const found = this.#told.findLast(({ row }) => row.task === task);
    if (found === undefined) throw new Error(`no run of ${task} was told`);
    return found;
  }

  hex(length: number): string {
    this.#count += 1;
    return createHash("sha256").update(`${this.#name} ${this.#count}`).digest("hex").slice(0, length);
  }

  /** 25 characters shaped like a cuid, by time. */
  cuid(time: number): string {
    const rest = BigInt(`0x${this.hex(22)}`)
      .toString(36)
      .padStart(16, "0")
      .slice(-16);
    return `c${time.toString(36).padStart(8, "0")}${rest}`;
  }

  failed(task: string): Run[] {
    return this.#told.filter((run) => run.row.task === task && run.hasFailed);
  }

  enter(run: Run): void {
    this.#told.push(run);
    this.runs.push(run.row);
  }

  add(span: StoredSpan): StoredSpan {
    this.spans.push(span);
    return span;
  }
}
