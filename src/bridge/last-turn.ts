/** What the last completed turn came to, read from the records of `.out` that survive (contract channels.md 6 and 10). */
import { type ToolUse, toolsOf } from "../domain/message.ts";
import type { ChannelRecord } from "../domain/record.ts";
import type { TurnState } from "../domain/turn.ts";
import { isChunk } from "./chunk.ts";
import { MessageFold } from "./fold.ts";
import { isTurnComplete } from "./position.ts";
import { endOf } from "./turn.ts";

export interface LastTurn {
  state: TurnState;
  /** Texts of its errors. */
  errors: string[];
  /** Tools it left waiting for a yes or no. */
  approvals: ToolUse[];
}

/** `undefined` before the first turn has ended. */
export function lastTurnOf(out: readonly ChannelRecord[]): LastTurn | undefined {
  const end = out.findLastIndex(isTurnComplete);
  if (end < 0) return undefined;
  const before = out.slice(0, end).findLastIndex(isTurnComplete);
  const fold = new MessageFold();
  for (const record of out.slice(before + 1, end)) {
    if (record.kind === "data" && isChunk(record.data)) fold.apply(record.data);
  }
  const content = fold.endTurn();
  const beginningLost = before < 0 && out[0]?.seq !== 0;
  return {
    state: endOf(content, beginningLost),
    errors: content.errors,
    approvals: toolsOf(content.parts).filter((tool) => tool.state === "approval-requested"),
  };
}
