/** How a turn of a conversation ends, and what it brought. Design section 5, point 3: each end is told apart. */
import type { ToolUse } from "./message.ts";

export const TURN_STATES = [
  "done",
  "failed",
  "stopped",
  "awaiting_approval",
  "empty",
  "closed",
  "running",
] as const;

/** `empty`: completed without content (say, rejected input). `running`: not over when the watching ended. */
export type TurnState = (typeof TURN_STATES)[number];

export interface Turn {
  /** Counted from 1; absent where it cannot be told. */
  number?: number;
  state: TurnState;
  /** Id of the assistant message. */
  messageId?: string;
  text: string;
  tools: ToolUse[];
  /** Characters of reasoning. */
  reasoning: number;
  /** Other parts by type: files, sources, data parts. */
  other: Record<string, number>;
  errors: string[];
  runId?: string;
  /** Highest `.in` sequence number committed when it ended. */
  inputSeq?: number;
  /** Unix milliseconds of its last record. */
  time?: number;
  /** Part of it had been trimmed from the stream before it could be read. */
  incomplete?: boolean;
  /** Records of it that were too much to hold; they are to be read `after` that position. */
  omitted?: { records: number; after?: number };
}

/** A turn and where on `.out` it lies. The last one of a stream may be `running`: no `turn-complete` has come. */
export interface PlacedTurn extends Turn {
  /** Its first record and its last one, which is the `turn-complete` of a turn that has ended. */
  first?: number;
  last?: number;
  /** The record that changed a tool use last, by call id. */
  toolAt: ReadonlyMap<string, number>;
  /** Record of its last error. */
  errorAt?: number;
}
