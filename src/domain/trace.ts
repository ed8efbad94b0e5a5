/** A run's trace as one flat table: both wire forms (tree and paged, contract api.md 1.3) become this. */

export interface SpanEvent {
  name: string;
  /** Unix milliseconds. */
  time: number;
  properties: Record<string, unknown>;
}

export interface Span {
  id: string;
  parentId?: string | undefined;
  /** The run the span belongs to: a trace includes the spans of child runs. */
  runId: string;
  message: string;
  /** Unix milliseconds, fractional. */
  startTime: number;
  /** Milliseconds, fractional; 0 while the span is open. */
  duration: number;
  isError: boolean;
  /** Still open. */
  isPartial: boolean;
  isCancelled: boolean;
  level: string;
  attempt?: number | undefined;
  task?: string | undefined;
  events: SpanEvent[];
  properties?: Record<string, unknown> | undefined;
}

export interface Trace {
  traceId?: string;
  /** Depth first when the server sent a tree; in server order when it sent pages. */
  spans: Span[];
  /** The server stopped at its own cap (10,000 records). */
  truncated: boolean;
}

/** One record of `/events`, contract api.md 1.4: spans and log lines of this run only. */
export interface RunEvent extends Omit<Span, "properties"> {
  kind?: string;
  icon?: string;
}

/** One span whole, contract api.md 1.5. */
export interface SpanDetail extends Omit<Span, "attempt" | "task"> {
  entityType?: string;
  ai?: Record<string, unknown>;
  /** `status` is the server's stored spelling (COMPLETED_SUCCESSFULLY), not the API vocabulary. */
  triggeredRuns: { runId: string; task: string; status: string; createdAt: number }[];
}
