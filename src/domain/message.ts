/** UI messages: what a chat agent's stream folds into, contract channels.md 7 and 10. Open objects: unknown fields stay. */

export interface MessagePart {
  type: string;
  [field: string]: unknown;
}

export interface UiMessage {
  id?: string;
  role: string;
  parts: MessagePart[];
  metadata?: unknown;
}

/** One use of a tool, whichever way its part is spelled (`tool-<name>` or `dynamic-tool`). */
export interface ToolUse {
  name: string;
  callId: string;
  /** `input-streaming`, `input-available`, `approval-requested`, `approval-responded`, `output-…`. */
  state: string;
  input?: unknown;
  output?: unknown;
  error?: string;
  approvalId?: string;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Anything with a role and parts; a message of the older `content` form becomes one text part. */
export function asMessage(value: unknown): UiMessage | undefined {
  if (!isObject(value) || typeof value.role !== "string") return undefined;
  const parts = Array.isArray(value.parts)
    ? value.parts.filter((part): part is MessagePart => isObject(part) && typeof part.type === "string")
    : typeof value.content === "string"
      ? [{ type: "text", text: value.content }]
      : [];
  return {
    ...(typeof value.id === "string" && { id: value.id }),
    role: value.role,
    parts,
    ...(value.metadata !== undefined && { metadata: value.metadata }),
  };
}

/** What was said: text parts only, a blank line between them. */
export const textOf = (parts: readonly MessagePart[]): string =>
  parts
    .filter((part) => part.type === "text" && typeof part.text === "string" && part.text !== "")
    .map((part) => part.text as string)
    .join("\n\n");

export function toolUse(part: MessagePart): ToolUse | undefined {
  if (typeof part.toolCallId !== "string") return undefined;
  const approvalId = isObject(part.approval) ? part.approval.id : undefined;
  return {
    name: part.type === "dynamic-tool" ? String(part.toolName ?? "unknown") : part.type.replace(/^tool-/, ""),
    callId: part.toolCallId,
    state: String(part.state ?? ""),
    ...("input" in part && part.input !== undefined
      ? { input: part.input }
      : part.rawInput !== undefined && { input: part.rawInput }),
    ...(part.output !== undefined && { output: part.output }),
    ...(typeof part.errorText === "string" && { error: part.errorText }),
    ...(typeof approvalId === "string" && { approvalId }),
  };
}

export const toolsOf = (parts: readonly MessagePart[]): ToolUse[] =>
  parts.map(toolUse).filter((use) => use !== undefined);
