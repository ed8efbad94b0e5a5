/** Reading a run that has just been changed: what a write answers is what the API then says, never what was hoped. */
import { isTriggerError, type TriggerError } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { ToolContext } from "./define.ts";
import { callOptions } from "./reading.ts";

/** The write has happened, so that it cannot be read back is something to tell, not a failure of the call. */
export async function readBack(id: string, context: ToolContext): Promise<Run | TriggerError> {
  try {
    return await context.api.runs.retrieve(id, callOptions(context));
  } catch (error) {
    if (isTriggerError(error) && error.code !== "cancelled") return error;
    throw error;
  }
}

/** Milliseconds between looks: soon at first, since most cancellations take hold at once. */
const PAUSES = [150, 250, 400, 700, 1000];

/** Looks until the run has ended or `patience` milliseconds have passed; answers what it saw last. */
export async function readUntilEnded(
  id: string,
  context: ToolContext,
  patience: number,
): Promise<Run | TriggerError> {
  const until = Math.min(context.now() + patience, context.deadline());
  for (let look = 0; ; look += 1) {
    const seen = await readBack(id, context);
    if (isTriggerError(seen) || isTerminal(seen.status)) return seen;
    const pause = PAUSES[Math.min(look, PAUSES.length - 1)] ?? 1000;
    if (context.now() + pause > until) return seen;
    await sleep(pause, context.signal);
  }
}

/** Ends early when the signal aborts: the next look then tells that the caller is gone. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
