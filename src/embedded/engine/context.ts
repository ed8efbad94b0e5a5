/** What a task sees of the platform while it runs: the {@link TaskContext} of one attempt. */
import { CANCELLED, SubtaskUnwrapError } from "./failure.ts";
import { cuid } from "./ids.ts";
import type { Presence } from "./presence.ts";
import type { Recorder } from "./recorder.ts";
import type { ChildOutcome, Environment, StoredRun, TaskContext, TriggerRequest } from "./types.ts";
import { abortable, sleep } from "./waiting.ts";

export interface ContextParts {
  run: StoredRun;
  environment: Environment;
  signal: AbortSignal;
  recorder: Recorder;
  presence: Presence;
  /** Starts a child run. */
  trigger(request: TriggerRequest): StoredRun;
  settled(friendlyId: string): Promise<StoredRun>;
  setMetadata(key: string, value: unknown): void;
}

export function createContext(parts: ContextParts): TaskContext {
  const { run, signal, recorder, presence } = parts;

  const platformWait = <T>(message: string, properties: Record<string, unknown>, until: () => Promise<T>) =>
    recorder.span({ message, properties, style: { icon: "wait" }, entityType: "waitpoint" }, () =>
      presence.waiting(until),
    );

  const child = (task: string, payload: unknown, spanId: string, origin: Partial<TriggerRequest>) =>
    parts.trigger({
      task,
      parent: run,
      parentSpanId: spanId,
      isTest: run.isTest,
      ...(payload !== undefined && { payload: JSON.stringify(payload) }),
      ...origin,
    });

  const outcomeOf = async (started: StoredRun): Promise<ChildOutcome> => {
    const ended = await abortable(parts.settled(started.friendlyId), signal);
    if (ended.status !== "COMPLETED_SUCCESSFULLY") {
      return { ok: false, run: ended, error: ended.error ?? CANCELLED };
    }
    return {
      ok: true,
      run: ended,
      output: ended.output === undefined ? undefined : JSON.parse(ended.output),
    };
  };

  return {
    run,
    environment: parts.environment,
    attempt: run.attemptCount,
    signal,
    span: (message, properties, work) =>
      recorder.span({ message, properties: { ...properties } }, (span) => {
        signal.throwIfAborted();
        return work({ set: (more) => recorder.set(span, more) });
      }),
    log: (level, message, properties = {}) => recorder.log(level, message, properties),
    wait: (durationMs) =>
      platformWait(`wait for ${durationMs / 1000}s`, { wait: { durationMs } }, () =>
        sleep(durationMs, signal),
      ),
    waitUntil: (message, until) => {
      // The run may be stopped before anybody listens to the promise.
      until.catch(() => {});
      return platformWait(message, {}, () => abortable(until, signal));
    },
    work: (durationMs) => sleep(durationMs, signal),

    triggerAndWait: (task, payload) =>
      recorder.span({ message: "triggerAndWait()", style: { icon: "trigger" } }, async (span) => {
        signal.throwIfAborted();
        const started = child(task, payload, span.spanId, { triggerFunction: "triggerAndWait" });
        recorder.set(span, { task, runId: started.friendlyId });
        const outcome = await presence.waiting(() => outcomeOf(started));
        if (!outcome.ok) throw new SubtaskUnwrapError(outcome.run, outcome.error);
        return outcome.output;
      }),

    batchTriggerAndWait: (items) =>
      recorder.span({ message: "batchTriggerAndWait()", style: { icon: "trigger" } }, async (span) => {
        signal.throwIfAborted();
        const batchId = `batch_${cuid()}`;
        recorder.set(span, { batchId, runCount: items.length });
        const started = items.map(({ task, payload }) =>
          child(task, payload, span.spanId, { batchId, triggerFunction: "batchTriggerAndWait" }),
        );
        return presence.waiting(() => Promise.all(started.map(outcomeOf)));
      }),

    setMetadata: parts.setMetadata,
  };
}
