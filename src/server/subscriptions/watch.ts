/** Looking after one thing until told to stop, through failures of whatever it is read from. */
import { setTimeout as sleep } from "node:timers/promises";
import { TriggerError } from "../../domain/errors.ts";

export interface Watch {
  /** Resolves once every change from then on is told; rejects when there is nothing to watch or it may not be read. */
  readonly ready: Promise<void>;
  /** Lets go of everything. Can be called twice; `ready` rejects if it was still pending. */
  stop(): void;
}

/** Milliseconds. */
export interface Waits {
  /** Between two rounds. */
  everyMs: number;
  /** What that grows to while rounds fail. */
  mostMs: number;
}

export interface Rounds {
  /** One read, or one stream for as long as it lasts. Calls `found` whenever it knows where it stands. */
  round(signal: AbortSignal, found: () => void): Promise<void>;
  /** A round failed that is made again. */
  failed(error: unknown): void;
  waits: Waits;
}

/** Makes round after round. What fails before anything was found refuses the watch; what fails later is waited out. */
export function persistent({ round, failed, waits }: Rounds): Watch {
  const stopped = new AbortController();
  const { signal } = stopped;
  const ready = new Promise<void>((resolve, reject) => {
    const cancelled = () => reject(new TriggerError("cancelled", "the watch was stopped"));
    signal.addEventListener("abort", cancelled, { once: true });
    let known = false;
    let waitMs = waits.everyMs;
    const found = () => {
      known = true;
      waitMs = waits.everyMs;
      resolve();
    };
    async function run(): Promise<void> {
      while (!signal.aborted) {
        try {
          await round(signal, found);
        } catch (error) {
          if (!known) return reject(error);
          if (!signal.aborted) failed(error);
          waitMs = Math.min(waitMs * 2, waits.mostMs);
        }
        await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
    void run();
  });
  // A refusal is for whoever waits for it; that nobody does is no fault.
  ready.catch(() => {});
  return { ready, stop: () => stopped.abort() };
}
