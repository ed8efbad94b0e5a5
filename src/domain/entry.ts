/** A message of a conversation, with what is known about the turn that wrote it. */
import type { UiMessage } from "./message.ts";

export interface Entry {
  message: UiMessage;
  /** Names it among the others: the message's id, else where the channel has it. Absent for some stored messages. */
  key?: string;
  /** Unix milliseconds, where the channels tell. */
  time?: number;
  /** Number of the turn that wrote it, counted from 1. */
  turn?: number;
  /** Run of the turn, where its end tells. */
  runId?: string;
  /** Milliseconds from the turn's first record to its end. */
  took?: number;
  /** Milliseconds each tool took, by call id. */
  toolTimes?: ReadonlyMap<string, number>;
  /** Texts of the turn's errors. */
  errors?: string[];
  /** The turn was not over when this was read. */
  open?: boolean;
}
