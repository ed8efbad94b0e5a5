/** What the last completed turn came to, read from the records of `.out` that survive (contract channels.md 6 and 10). */
import { type ToolUse, toolsOf } from "../domain/message.ts";
import type { ChannelRecord } from "../domain/record.ts";
import type { TurnState } from "../domain/turn.ts";
import { foldOf } from "./fold.ts";
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
  const content = foldOf(out.slice(before + 1, end)).endTurn();
  const beginningLost = before < 0 && out[0]?.seq !== 0;
  return {
    state: endOf(content, beginningLost),
    errors: content.errors,
    approvals: toolsOf(content.parts).filter((tool) => tool.state === "approval-requested"),
  };
}
