/** A tool use on one line: `lookupOrder {"id":4821} → ok`. */
import type { ToolUse } from "../domain/message.ts";
import type { ViewContext } from "./answer.ts";
import { oneLine } from "./format.ts";

const INPUT_CHARACTERS = 120;
const ERROR_CHARACTERS = 200;

export function viewToolUse(tool: ToolUse, context: Pick<ViewContext, "clean">): string {
  const name = oneLine(context.clean(tool.name), 80);
  const input = tool.input === undefined ? "" : ` ${json(tool.input, INPUT_CHARACTERS, context)}`;
  return `${name}${input} → ${outcome(tool, context)}`;
}

function outcome(tool: ToolUse, context: Pick<ViewContext, "clean">): string {
  switch (tool.state) {
    case "output-available":
      return "ok";
    case "output-error":
      return `error ${json(tool.error ?? "", ERROR_CHARACTERS, context)}`;
    case "output-denied":
      return "denied";
    case "approval-requested":
      return "needs approval";
    case "approval-responded":
      return "approval answered";
    default:
      return "not finished";
  }
}

/** Compact JSON on one line, cut short. */
export function json(value: unknown, length: number, { clean }: Pick<ViewContext, "clean">): string {
  return oneLine(clean(JSON.stringify(value) ?? ""), length);
}
