/** The life of one attempt: it ends when its time is up or its caller goes away, and knows which it was. */
import { setMaxListeners } from "node:events";

export interface CallScope {
  /** Aborted for either reason; what is bound to it must let go at once. */
  readonly signal: AbortSignal;
  readonly ended: "cancelled" | "timed-out" | undefined;
  /** Takes the timer away: what was waited for has begun. The caller can still go away. */
  settle(): void;
  abort(): void;
  /** Forgets timer and caller. Must be called, or the caller's signal holds on to the scope. */
  release(): void;
}

/** What `setTimeout` can hold; it fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

// Not AbortSignal.any: on a signal that outlives thousands of calls its dependants pile up.
export function callScope(ms: number, caller?: AbortSignal): CallScope {
  const controller = new AbortController();
  let ended: CallScope["ended"];
  const end = (how: CallScope["ended"]) => {
    ended ??= how;
    controller.abort();
  };
  const cancel = () => end("cancelled");
  const timer = setTimeout(() => end("timed-out"), Math.min(ms, LONGEST_TIMER_MS));
  if (caller) {
    // One caller may have any number of calls under way, and every one of them is released.
    setMaxListeners(0, caller);
    caller.addEventListener("abort", cancel, { once: true });
  }
  if (caller?.aborted) cancel();
  return {
    signal: controller.signal,
    get ended() {
      return ended;
    },
    settle: () => clearTimeout(timer),
    abort: () => controller.abort(),
    release() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", cancel);
    },
  };
}
