/** Whether a run is executing or waiting: its status, its room in the queue and its meter move together. */
import type { QueueSlot } from "../store/runs.ts";
import type { Slots } from "./slots.ts";
import type { UsageMeter } from "./usage.ts";

interface PresenceOptions {
  slot: QueueSlot;
  slots: Slots;
  meter: UsageMeter;
  signal: AbortSignal;
  onChange(status: "EXECUTING" | "WAITING_TO_RESUME"): void;
}

/** Begins as executing, with its room taken. */
export class Presence {
  #options: PresenceOptions;
  #waits = 0;
  #executing = true;

  constructor(options: PresenceOptions) {
    this.#options = options;
    options.meter.start();
  }

  /** Executes nothing while `until` is pending; resumes when there is room again. */
  async waiting<T>(until: () => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    this.#pause();
    try {
      return await until();
    } finally {
      this.#waits--;
      if (this.#waits === 0 && !signal.aborted) await this.#resume();
    }
  }

  /** The attempt is over: gives back what it holds. */
  leave(): void {
    if (this.#executing) this.#options.slots.release(this.#options.slot);
    this.#executing = false;
    this.#options.meter.stop();
  }

  #pause(): void {
    this.#waits++;
    if (!this.#executing) return;
    this.#executing = false;
    this.#options.meter.stop();
    this.#options.onChange("WAITING_TO_RESUME");
    this.#options.slots.release(this.#options.slot);
  }

  async #resume(): Promise<void> {
    const { slots, slot, signal, meter, onChange } = this.#options;
    await slots.acquire(slot, signal);
    // Another wait began while this one stood in line.
    if (this.#waits > 0 || this.#executing) return slots.release(slot);
    this.#executing = true;
    meter.start();
    onChange("EXECUTING");
  }
}
