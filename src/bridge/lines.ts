/** A turn as one line of progress at a time: what the agent is doing now, newest text last. */
import { toolsOf, type UiMessage } from "../domain/message.ts";
import { Recent } from "../domain/recent.ts";
import { type Chunk, isKnown } from "./chunk.ts";
import { grown } from "./grown.ts";
import { beginning } from "./room.ts";

/** More than a line shows: only when the secrets in them are gone, progress.ts cuts lines to their length. */
const TAIL_CHARACTERS = 2_000;
/** Kept of what is being said: cutting copies, and not cutting keeps thousands of pieces in memory. */
const SPEECH_CHARACTERS = 2 * TAIL_CHARACTERS;
const VALUE_CHARACTERS = 1_000;
/** Tools in use at the same time. */
const MOST_TOOLS = 100;

export class TurnLines {
  #speech = "";
  /** Names by call id. */
  readonly #tools = new Recent<string>(MOST_TOOLS);
  /** `undefined` while the agent speaks. */
  #doing: string | undefined = "started";

  /** `prior`: messages whose tools the turn may go on with. */
  constructor(prior: readonly UiMessage[] = []) {
    for (const { name, callId } of prior.flatMap(({ parts }) => toolsOf(parts))) this.#name(callId, name);
  }

  get line(): string {
    return this.#doing ?? `"${this.#speech.slice(-TAIL_CHARACTERS)}"`;
  }

  apply(chunk: Chunk): void {
    if (chunk.type === "text-delta") this.#hear(chunk.delta);
    else if (chunk.type === "text-start") this.#speech = "";
    else this.#doing = this.#describe(chunk) ?? this.#doing;
  }

  #describe(chunk: Chunk): string | undefined {
    switch (chunk.type) {
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

  #hear(delta: unknown): void {
    this.#doing = undefined;
    if (typeof delta === "string") this.#speech = grown(this.#speech, delta);
    if (this.#speech.length > SPEECH_CHARACTERS) this.#speech = this.#speech.slice(-TAIL_CHARACTERS);
  }

  #tool(chunk: Chunk): string {
    if (typeof chunk.toolName === "string") this.#name(chunk.toolCallId, chunk.toolName);
    return this.#tools.get(String(chunk.toolCallId)) ?? "a tool";
  }

  #name(callId: unknown, name: string): void {
    this.#tools.set(String(callId), beginning(name, VALUE_CHARACTERS));
  }
}

/** JSON, cut short. */
export function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS)}…`;
}
