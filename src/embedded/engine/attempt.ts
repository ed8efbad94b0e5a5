/** One attempt of one run, from its first span to its last. */
import type { EnvironmentStore } from "../store/environments.ts";
import type { RunStore } from "../store/runs.ts";
import type { Clock } from "./clock.ts";
import { createContext } from "./context.ts";
import { RunStopped, toStoredError } from "./failure.ts";
import type { Ledger } from "./ledger.ts";
import { Presence } from "./presence.ts";
import { type AttemptEnd, createRecorder, type Recorder } from "./recorder.ts";
import type { Slots } from "./slots.ts";
import type { TraceWriter } from "./trace-writer.ts";
import type { Triggers } from "./trigger.ts";
import type { StoredRun, StoredStatus, TaskContext, TaskDefinition } from "./types.ts";
import { costOf, UsageMeter } from "./usage.ts";

/** How long a stopped task may take to tidy up before the run ends without it. */
const GRACE_MS = 1000;

export interface AttemptDeps {
  runs: RunStore;
  environments: EnvironmentStore;
  ledger: Ledger;
  trace: TraceWriter;
  triggers: Triggers;
  slots: Slots;
  now: Clock;
}

export type Outcome =
  | { kind: "completed"; output?: string }
  | Extract<AttemptEnd, { kind: "failed" | "cancelled" }>;

/**
 * Executes the task once. The run has its room in the queue already; afterwards it has given it back. Stopping the
 * run, by whomever and for whatever reason, is aborting `controller`.
 */
export async function runAttempt(
  queued: StoredRun,
  task: TaskDefinition,
  controller: AbortController,
  deps: AttemptDeps,
): Promise<{ run: StoredRun; outcome: Outcome }> {
  const { ledger, slots, now } = deps;
  const { signal } = controller;
  const meter = new UsageMeter(now, queued.maxDuration ? queued.maxDuration * 1000 : undefined, () =>
    controller.abort(maxDurationExceeded(queued)),
  );
  const onChange = (status: StoredStatus) => void ledger.change(queued, { status });
  const presence = new Presence({ slot: queued, slots, meter, signal, onChange });
  try {
    const run = ledger.beginAttempt(queued);
    const recorder = createRecorder(run, deps.trace, now);
    const context = contextOf(run, { signal, recorder, presence }, deps);
    const outcome = await settle(
      recorder.inside(async () => task.run(payloadOf(run), context)),
      signal,
    );
    presence.leave();
    recorder.end(outcome);
    const usageDurationMs = run.usageDurationMs + meter.elapsedMs;
    const costInCents = costOf(run.machine, usageDurationMs);
    return { run: ledger.change(run, { usageDurationMs, costInCents }), outcome };
  } finally {
    presence.leave();
  }
}

function contextOf(
  run: StoredRun,
  parts: { signal: AbortSignal; recorder: Recorder; presence: Presence },
  { runs, environments, ledger, triggers }: AttemptDeps,
): TaskContext {
  const environment = environments.byId(run.environmentId);
  if (environment === undefined) throw new Error(`run ${run.friendlyId} belongs to no environment`);
  return createContext({
    ...parts,
    run,
    environment,
    trigger: (request) => triggers.trigger(environment, request).run,
    settled: ledger.settled,
    setMetadata: (key, value) => {
      if (parts.signal.aborted) return;
      const metadata: Record<string, unknown> = JSON.parse(runs.byInternalId(run.id)?.metadata ?? "{}");
      ledger.change(run, { metadata: JSON.stringify({ ...metadata, [key]: value }) });
    },
  });
}

/** How the work ended; once the signal has aborted, its reason decides, whatever the work makes of it. */
async function settle(work: Promise<unknown>, signal: AbortSignal): Promise<Outcome> {
  const ended = work.then(
    (output): Outcome => ({ kind: "completed", ...encodeOutput(output) }),
    (error: unknown): Outcome => ({ kind: "failed", error: toStoredError(error) }),
  );
  const outcome = await Promise.race([ended, graceAfter(signal, ended)]);
  return signal.aborted ? stoppedBy(signal.reason) : outcome;
}

function graceAfter(signal: AbortSignal, ended: Promise<Outcome>): Promise<Outcome> {
  return new Promise((resolve) => {
    const begin = () => {
      const timer = setTimeout(() => resolve(stoppedBy(signal.reason)), GRACE_MS);
      void ended.then(() => clearTimeout(timer));
    };
    if (signal.aborted) return begin();
    signal.addEventListener("abort", begin, { once: true });
    void ended.then(() => signal.removeEventListener("abort", begin));
  });
}

export function stoppedBy(reason: unknown): Outcome {
  if (reason instanceof RunStopped && reason.why === "cancelled") {
    return { kind: "cancelled", reason: reason.message };
  }
  return { kind: "failed", error: toStoredError(reason) };
}

const maxDurationExceeded = (run: StoredRun) =>
  new RunStopped(
    "max-duration",
    `Run exceeded maximum compute time (maxDuration) of ${run.maxDuration} seconds`,
  );

function payloadOf(run: StoredRun): unknown {
  if (run.payload === undefined) return undefined;
  if (run.payloadType === "application/super+json") return JSON.parse(run.payload).json;
  return run.payloadType === "application/json" ? JSON.parse(run.payload) : run.payload;
}

function encodeOutput(output: unknown): { output?: string } {
  const text = JSON.stringify(output);
  return text === undefined ? {} : { output: text };
}
