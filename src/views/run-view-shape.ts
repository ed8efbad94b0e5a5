/**
 * What the run view app is sent with an answer, in `_meta`: for a person's eyes, no model reads it. All text is cleaned.
 * The app's page imports this file too, so it stays free of everything else.
 */

/** Where hosts read the page, and the key its data has in a result's `_meta`. */
export const RUN_VIEW = { uri: "ui://trigger-mcp/run-view.html", key: "trigger-mcp/run-view" } as const;

/** Bits of a span's flags. */
export const SPAN_FLAGS = { error: 1, open: 2, cancelled: 4, warning: 8 } as const;

/** A tuple, as there may be thousands. */
export type ViewSpan = [
  /** Unique prefix of the span's id, as the text of answers has it. */
  id: string,
  /** Position of its parent in the list, always before its own; -1 for the head of a tree. */
  parent: number,
  name: string,
  /** Milliseconds since the trace began. */
  at: number,
  /** Milliseconds; until the trace was read when the span is open. */
  took: number,
  flags: number,
  /** Position in `runs` of the run it belongs to. */
  run: number,
  /** What it failed with. */
  failure?: string,
];

export interface RunViewData {
  task: string;
  status: string;
  /** Name of the environment. */
  target: string;
  /** Milliseconds from start to finish; absent before the run has ended. */
  took?: number;
  /** Ids; the first is the run the answer is about. */
  runs: string[];
  /** Depth first. */
  spans: ViewSpan[];
  /** Of the whole trace, sent or not. */
  total: number;
  errors: number;
  /** What a reader has to know of what is not there or not in its place. */
  notes: string[];
  /** Position of the span the answer is about. */
  focus?: number;
}
