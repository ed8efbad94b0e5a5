/** A turn as one line of progress at a time: what the agent is doing now, newest text last. */
import { toolsOf, type UiMessage } from "../domain/message.ts";
import { type Chunk, isKnown } from "./chunk.ts";

/** More than a line shows: only when the secrets in them are gone, progress.ts cuts lines to their length. */
const TAIL_CHARACTERS = 2_000;
const VALUE_CHARACTERS = 1_000;

export class TurnLines {
  #tail = "";
  readonly #tools = new Map<unknown, string>();
  #line = "started";

  /** `prior`: messages whose tools the turn may go on with. */
  constructor(prior: readonly UiMessage[] = []) {
    for (const { name, callId } of prior.flatMap(({ parts }) => toolsOf(parts)))
      this.#tools.set(callId, name);
  }

  get line(): string {
    return this.#line;
  }

  /** Takes one chunk and answers the line as it is then. */
  apply(chunk: Chunk): string {
    this.#line = this.#describe(chunk) ?? this.#line;
    return this.#line;
  }

  #describe(chunk: Chunk): string | undefined {
    switch (chunk.type) {
      case "text-start":
        this.#tail = "";
        return undefined;
      case "text-delta":
        return this.#text(typeof chunk.delta === "string" ? chunk.delta : "");
      case "start":
      case "start-step":
      case "reasoning-start":
      case "reasoning-delta":
        return "thinking…";
      case "tool-input-start":
        return this.#tool(chunk);
      case "tool-input-available":
        return `${this.#tool(chunk)} ${brief(chunk.input)}`;
      case "tool-approval-request":
        return `${this.#tool(chunk)} needs approval`;
      case "tool-output-available":
        return `${this.#tool(chunk)} → ok`;
      case "tool-input-error":
      case "tool-output-error":
        return `${this.#tool(chunk)} → error ${brief(chunk.errorText)}`;
      case "tool-output-denied":
        return `${this.#tool(chunk)} → denied`;
      case "error":
        return `error ${brief(chunk.errorText)}`;
      case "abort":
        return "stopped";
      default:
        return isKnown(chunk) ? undefined : brief(chunk);
    }
  }

  #text(delta: string): string {
    this.#tail = (this.#tail + delta).slice(-TAIL_CHARACTERS);
    return `"${this.#tail}"`;
  }

  #tool(chunk: Chunk): string {
    if (typeof chunk.toolName === "string") this.#tools.set(chunk.toolCallId, chunk.toolName);
    return this.#tools.get(chunk.toolCallId) ?? "a tool";
  }
}

/** JSON, cut short. */
export function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS)}…`;
}
