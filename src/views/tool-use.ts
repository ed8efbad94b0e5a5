/** A tool use on one line: `lookupOrder {"id":4821} → ok`. */
import { type Call, call } from "../domain/calls.ts";
import type { ToolUse } from "../domain/message.ts";
import type { ViewContext } from "./answer.ts";
import { cleanValue } from "./clean.ts";
import { duration, oneLine } from "./format.ts";

const INPUT_CHARACTERS = 120;
const OUTPUT_CHARACTERS = 200;
const ERROR_CHARACTERS = 200;

/** `took`: milliseconds, where they are known. `output`: what it gave is shown too. */
export function viewToolUse(
  tool: ToolUse,
  context: Pick<ViewContext, "clean">,
  { took, output = false }: { took?: number | undefined; output?: boolean } = {},
): string {
  const line = `${viewToolCall(tool, context)} → ${outcome(tool, context)}`;
  const time = took === undefined ? "" : ` ${duration(took)}`;
  const given =
    output && tool.output !== undefined ? ` ${json(tool.output, OUTPUT_CHARACTERS, context)}` : "";
  return `${line}${time}${given}`;
}

/** The same without what came of it: `lookupOrder {"id":4821}`. */
export function viewToolCall(tool: ToolUse, context: Pick<ViewContext, "clean">): string {
  const name = oneLine(context.clean(tool.name), 80);
  return tool.input === undefined ? name : `${name} ${json(tool.input, INPUT_CHARACTERS, context)}`;
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
  return oneLine(clean(JSON.stringify(cleanValue(value, clean)) ?? ""), length);
}

/** The call that says yes; only where several wait it takes the id of one. */
export const approve = (session: string, tool: ToolUse, waiting: number): Call =>
  call("send_session_message", {
    session,
    kind: "approval",
    approval: { approved: true, ...(waiting > 1 && { id: tool.approvalId ?? tool.callId }) },
  });
