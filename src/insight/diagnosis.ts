/** What a diagnosis is made from and what it says. Everything in it is raw: views clean and word it. */

import type { Call } from "../domain/calls.ts";
import type { Run, RunSummary } from "../domain/run.ts";
import type { SpanDetail } from "../domain/trace.ts";
import type { Attempt } from "./attempts.ts";
import type { Failure } from "./failure.ts";
import type { Frame } from "./fingerprint.ts";
import type { SiblingGroup } from "./fold.ts";
import type { History, Neighbours } from "./history.ts";
import type { Difference } from "./json-diff.ts";
import type { ShortIds } from "./short-ids.ts";
import type { SpanNode, TraceIndex } from "./spans.ts";

export type VerdictClass =
  | "user_code"
  | "dependency"
  | "payload"
  | "timeout"
  | "out_of_memory"
  | "crash"
  | "platform"
  | "queue_wait"
  | "delayed"
  | "version"
  | "cancelled"
  | "expired"
  | "swallowed_error"
  | "slow"
  | "recovered"
  | "running"
  | "stalled"
  | "ok";

export type Confidence = "high" | "medium" | "low";

/** One run, as far as it could be read. */
export interface RunFacts {
  run: Run;
  /** A table that has the run's spans: its own trace, or that of the run that led to it. */
  index?: TraceIndex;
  /** The table was cut at the server's cap. */
  truncated: boolean;
}

export interface Queue {
  /** Runs that execute now, those of the same task first; `whole` when these are all. */
  executing: readonly RunSummary[];
  whole: boolean;
}

/** What was looked for and not found or not read. */
export interface Unread {
  what: "trace" | "events" | "span" | "child" | "parent" | "history" | "good_run" | "alike" | "queue";
  runId: string;
  /** Why, as an error code; `bound` when it was left out to keep the work small. */
  why: string;
  many?: number;
}

export interface Facts {
  /** Unix milliseconds. */
  now: number;
  /** From the run that was asked about down to the one where it began; never empty. */
  chain: readonly [RunFacts, ...RunFacts[]];
  /** The span where it began, whole. */
  span?: SpanDetail;
  /** Of a run that was cancelled: its parent, the parent's parent, as far up as they had ended too. */
  ancestors: readonly Run[];
  neighbours?: Neighbours;
  /** A good run of the task that was asked about, in full. */
  good?: Run;
  queue?: Queue;
  unread: readonly Unread[];
}

/** What speaks for the verdict, beside the failure itself. */
export type Evidence =
  | { kind: "platform_code"; code: string }
  | { kind: "symptom"; says: string; node?: SpanNode }
  /** `openMs` and `quietMs` where it is not over yet. */
  | { kind: "doing"; node: SpanNode; openMs?: number; quietMs?: number }
  | { kind: "waiting"; node?: SpanNode; on?: RunSummary }
  | { kind: "queue"; queue: Queue; task: string; ahead: number; waitedMs: number }
  | { kind: "delayed"; until: number }
  | { kind: "expired"; ttl?: string; waitedMs: number }
  | { kind: "no_version" }
  | { kind: "cancellation"; reason?: string; by?: Run; node?: SpanNode }
  | { kind: "group"; group: SiblingGroup; wallMs: number }
  | { kind: "self_time"; node: SpanNode; wallMs: number }
  | { kind: "usual"; wallMs: number; median: number; longest: number; runs: number }
  | { kind: "swallowed"; nodes: readonly SpanNode[] }
  | { kind: "failed_children"; runs: readonly RunSummary[]; of: number }
  | { kind: "got_over"; node: SpanNode }
  | { kind: "lacks"; places: readonly Difference[] };

/** What a rule has found out. */
export interface Finding {
  class: VerdictClass;
  confidence: Confidence;
  /** The span where it began. */
  node?: SpanNode;
  /** The run where it began, when that is not the span's own. */
  runId?: string;
  failure?: Failure;
  evidence: Evidence[];
}

/** Trouble with the trace itself that a reader should know of. */
export interface TraceDoubts {
  truncated: boolean;
  unplaced: number;
  /** The span that begins furthest before its parent, by more than clocks drift. */
  skewed?: SpanNode;
  skewMs?: number;
}

export interface Diagnosis {
  verdict: { class: VerdictClass; confidence: Confidence };
  asked: Run;
  /** The run the verdict is about. */
  subject: Run;
  culprit: { runId: string; node?: SpanNode };
  /** From the culprit's own run's head down to the culprit. */
  path: readonly SpanNode[];
  /** From the run asked about to the culprit's. */
  chain: readonly Run[];
  failure?: Failure;
  /** Where it left the reader's own code; a cause from a library is told by whoever called it. */
  frame?: Frame;
  /** What was wrapped around the failure, outermost first. */
  wrappers: readonly Failure[];
  /** Of the subject; `alike` when at least two failed and told how. */
  attempts: readonly Attempt[];
  alike?: boolean;
  /** The last log lines before it happened, oldest first. */
  before: readonly SpanNode[];
  evidence: readonly Evidence[];
  /** What the payload lacks beside the last good run's. */
  gap?: { good: Run; shape: readonly Difference[] };
  history?: History;
  doubts: TraceDoubts;
  unread: readonly Unread[];
  /** Span ids to their unique prefixes. */
  ids: ShortIds;
  next: readonly Call[];
}
