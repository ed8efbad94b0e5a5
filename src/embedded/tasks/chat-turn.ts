/**
 * One assistant message while it is made: each thing said goes out as UI message chunks (contract channels.md 10) and
 * into the message's parts, so that what was streamed and what is stored are the same.
 */
import type { UIMessage } from "../engine/snapshots.ts";

type Part = UIMessage["parts"][number];
type Chunk = { type: string } & Record<string, unknown>;

/** The user stopped the turn. */
export class Stopped extends Error {
  constructor() {
    super("stopped by the user");
  }
}

export interface TurnOptions {
  /** A new message, or the one an approval continues. */
  message: UIMessage;
  write(chunk: Chunk): void;
  /** Waits between words; throws {@link Stopped} when the user has stopped the turn. Milliseconds. */
  pause(durationMs: number): Promise<void>;
}

export interface ToolUse {
  name: string;
  toolCallId: string;
  input: Record<string, unknown>;
}

export type ChatTurn = ReturnType<typeof createChatTurn>;

const WORD_MS = 15;

export function createChatTurn({ message, write, pause }: TurnOptions) {
  let blocks = 0;

  async function stream(kind: "text" | "reasoning", text: string): Promise<void> {
    blocks += 1;
    const id = `${kind}-${blocks}`;
    let said = "";
    const part: Part = { type: kind, text: said, state: "streaming" };
    message.parts.push(part);
    write({ type: `${kind}-start`, id });
    try {
      for (const word of text.match(/\S+\s*/g) ?? []) {
        await pause(WORD_MS + 2 * Math.min(word.length, 12));
        said += word;
        part.text = said;
        write({ type: `${kind}-delta`, id, delta: word });
      }
      write({ type: `${kind}-end`, id });
    } finally {
      part.state = "done";
    }
  }

  const partOf = (toolCallId: string): Part | undefined =>
    message.parts.findLast((part) => part.toolCallId === toolCallId);

  function settle(toolCallId: string, state: string, fields: Record<string, unknown>): void {
    Object.assign(partOf(toolCallId) ?? {}, { state, ...fields });
    write({ type: `tool-${state}`, toolCallId, ...fields });
  }

  return {
    message,
    start(): void {
      write({ type: "start", messageId: message.id, messageMetadata: message.metadata });
    },
    startStep(): void {
      message.parts.push({ type: "step-start" });
      write({ type: "start-step" });
    },
    finishStep: (): void => write({ type: "finish-step" }),
    finish(finishReason: "stop" | "tool-calls", messageMetadata: Record<string, unknown>): void {
      message.metadata = { ...message.metadata, ...messageMetadata };
      write({ type: "finish", finishReason, messageMetadata });
    },
    think: (text: string) => stream("reasoning", text),
    say: (text: string) => stream("text", text),

    async callTool({ name, toolCallId, input }: ToolUse): Promise<void> {
      write({ type: "tool-input-start", toolCallId, toolName: name });
      await pause(WORD_MS);
      write({ type: "tool-input-delta", toolCallId, inputTextDelta: JSON.stringify(input) });
      message.parts.push({ type: `tool-${name}`, toolCallId, state: "input-available", input });
      write({ type: "tool-input-available", toolCallId, toolName: name, input });
    },
    requestApproval(toolCallId: string, approvalId: string): void {
      Object.assign(partOf(toolCallId) ?? {}, { state: "approval-requested", approval: { id: approvalId } });
      write({ type: "tool-approval-request", approvalId, toolCallId });
    },
    toolAnswered: (toolCallId: string, output: unknown) => settle(toolCallId, "output-available", { output }),
    toolFailed: (toolCallId: string, errorText: string) => settle(toolCallId, "output-error", { errorText }),
    toolDenied: (toolCallId: string) => settle(toolCallId, "output-denied", {}),

    abort: (): void => write({ type: "abort", reason: "stopped by the user" }),
    fail: (errorText: string): void => write({ type: "error", errorText }),
  };
}
