/** A value that is fetched when somebody needs it, once for all who need it, and kept while it is good. */
import { TriggerError } from "../domain/errors.ts";
import type { CallOptions } from "./api.ts";
import type { Clock } from "./clock.ts";
import { cancelled } from "./failure.ts";
import { callScope } from "./scope.ts";

export interface Shared<T> {
  /** A caller that goes away stops waiting; the fetch goes on for the others. */
  get(options: CallOptions): Promise<T>;
  /** Drops the value if it is still this one. */
  forget(value: T): void;
}

/** `goodUntil` tells Unix milliseconds; without it a value is good until it is forgotten. Failures are not kept. */
export function shared<T>(
  fetch: () => Promise<T>,
  clock: Clock,
  goodUntil: (value: T) => number = () => Number.POSITIVE_INFINITY,
): Shared<T> {
  let known: { value: T; until: number } | undefined;
  let fetching: Promise<T> | undefined;

  async function refresh(): Promise<T> {
    try {
      const value = await fetch();
      known = { value, until: goodUntil(value) };
      return value;
    } finally {
      fetching = undefined;
    }
  }

  return {
    get(options) {
      if (known && known.until > clock.now()) return Promise.resolve(known.value);
      fetching ??= refresh();
      return whileWaiting(fetching, options, clock);
    },
    forget(value) {
      if (known?.value === value) known = undefined;
    },
  };
}

/** The promise's outcome, or `cancelled` or `timeout` as soon as the caller is gone or out of time. */
function whileWaiting<T>(promise: Promise<T>, options: CallOptions, clock: Clock): Promise<T> {
  const scope = callScope((options.deadline ?? Number.POSITIVE_INFINITY) - clock.now(), options.signal);
  const waited = "The exchange of the credential";
  return new Promise<T>((resolve, reject) => {
    const leave = () => {
      const late = new TriggerError("timeout", `${waited} took too long.`, { retryable: true });
      reject(scope.ended === "timed-out" ? late : cancelled(waited));
    };
    if (scope.signal.aborted) leave();
    else scope.signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject);
  }).finally(() => scope.release());
}
