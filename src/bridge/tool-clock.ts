/** How long tools took, by the times of the records that tell of them. */
import type { Chunk } from "./chunk.ts";

const ENDS: ReadonlySet<string> = new Set(["tool-output-available", "tool-output-error"]);

export class ToolClock {
  /** Milliseconds by call id, of those that were seen to begin and to end. */
  readonly times = new Map<string, number>();
  readonly #began = new Map<string, number>();

  read({ type, toolCallId, preliminary }: Chunk, time: number | undefined): void {
    if (typeof toolCallId !== "string" || time === undefined) return;
    if (type === "tool-input-available") this.#began.set(toolCallId, time);
    // From here on a person takes the time.
    if (type === "tool-approval-request") this.#began.delete(toolCallId);
    const began = this.#began.get(toolCallId);
    if (began !== undefined && ENDS.has(type) && preliminary !== true)
      this.times.set(toolCallId, time - began);
  }
}
