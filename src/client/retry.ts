/** The loop around one request: who may be repeated, when, and for how long (contract retries.md 2 and 4). */
import { TriggerError } from "../domain/errors.ts";
import type { CallOptions } from "./api.ts";
import type { Clock } from "./clock.ts";
import { cancelled, type Failure, outcomeUnknown } from "./failure.ts";

/**
 * - `always`: any caller may make the request again at any time with the same effect.
 * - `within`: a key made for this one call makes its own attempts safe, a later call would be a second request.
 * - `never`: it is sent once.
 */
export type Repeat = "always" | "within" | "never";

export interface Plan {
  /** Method and path, for errors. */
  request: string;
  repeat: Repeat;
  attempts: number;
  /** Milliseconds one attempt may take. */
  attemptMs: number;
  /** Milliseconds all attempts and waits may take together. */
  budgetMs: number;
}

export type Attempt<T> = { value: T } | { failure: Failure };

/** A server that asks for more patience than this is obeyed by giving up: the error says when to come back. */
const LONGEST_WAIT_MS = 30_000;
const FIRST_BACKOFF_MS = 250;
/** Spreads callers that were all told the same moment. */
const RESET_JITTER_MS = 250;

/** Makes attempts until one answers; throws the last one's error, or `outcome_unknown` where it must. */
export async function repeating<T>(
  attempt: (ms: number) => Promise<Attempt<T>>,
  plan: Plan,
  clock: Clock,
  options: CallOptions,
): Promise<T> {
  const end = Math.min(options.deadline ?? Number.POSITIVE_INFINITY, clock.now() + plan.budgetMs);
  let doubtful = false;
  for (let made = 1; ; made += 1) {
    if (options.signal?.aborted) throw cancelled(plan.request);
    const left = end - clock.now();
    if (left <= 0) throw deadlinePassed(plan.request);
    const outcome = await attempt(Math.min(plan.attemptMs, left));
    if ("value" in outcome) return outcome.value;

    const { failure } = outcome;
    doubtful = failure.doubtful || (doubtful && failure.again);
    const wait = waitBefore(made, failure, clock);
    const repeat = failure.again && plan.repeat !== "never" && made < plan.attempts;
    if (!repeat || wait > LONGEST_WAIT_MS || clock.now() + wait >= end) {
      throw doubtful && plan.repeat !== "always"
        ? outcomeUnknown(plan.request, failure.error)
        : failure.error;
    }
    await pause(wait, plan.request, clock, options.signal);
  }
}

/** Sleeps; throws `cancelled` when the caller goes away meanwhile. */
export async function pause(ms: number, request: string, clock: Clock, signal?: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (signal?.aborted) throw cancelled(request);
    throw error;
  }
}

/** Full jitter: anywhere between nothing and a ceiling that doubles. */
function waitBefore(made: number, failure: Failure, clock: Clock): number {
  if (failure.waitMs !== undefined) return failure.waitMs + clock.random() * RESET_JITTER_MS;
  return clock.random() * FIRST_BACKOFF_MS * 2 ** (made - 1);
}

const deadlinePassed = (request: string): TriggerError =>
  new TriggerError("timeout", `${request} was not made: its deadline had passed.`, {
    request,
    retryable: true,
  });
