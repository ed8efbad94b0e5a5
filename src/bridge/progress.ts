/**
 * Progress as hosts can show it (design section 5, point 4): increasing numbers, one line of at most 200
 * characters, at most ten a second, a heartbeat while silent, nothing after the end.
 */

/** A record a tick stands for, so that a program can rebuild the stream from progress alone. */
export interface ProgressRecord {
  seq?: number;
  kind: string;
  chunk?: unknown;
}

export interface ProgressSink {
  /** False when the caller gave no progress token: nothing will be shown, and calls should answer sooner. */
  readonly wanted: boolean;
  /** Shows the newest state of things. Coalesced: only the latest line of a tenth of a second leaves. */
  report(message: string, records?: ProgressRecord[]): void;
}
