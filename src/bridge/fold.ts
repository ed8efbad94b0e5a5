/**
 * UI message chunks to messages, contract channels.md 10.1: a reducer over plain data. Tolerant, because a reader may
 * begin in the middle of a turn: what refers to something unseen creates it.
 */
import { isObject, type MessagePart, type UiMessage } from "../domain/message.ts";
import type { ChannelRecord } from "../domain/record.ts";
import { type Chunk, isChunk, metadata, picked, TOOL_CHANGES, type ToolChange } from "./chunk.ts";
import { grown, together } from "./grown.ts";
import { parsePartialJson } from "./partial-json.ts";

/** What one turn brought. */
export interface TurnContent {
  /** Id of the assistant message, when the stream told it. */
  messageId?: string;
  /** Parts this turn created or changed, in order; for a continued message not the ones from before. */
  parts: MessagePart[];
  finishReason?: string;
  aborted: boolean;
  /** Texts of `error` chunks. */
  errors: string[];
}

/** Name of a tool whose first chunk was missed. */
const UNNAMED = "unknown";

export class MessageFold {
  readonly #messages: UiMessage[];
  readonly #openText = new Map<string, MessagePart>();
  readonly #openReasoning = new Map<string, MessagePart>();
  /** The newest use of each tool call, by id. */
  readonly #tools = new Map<unknown, MessagePart>();
  /** Those of the step being written. */
  readonly #stepTools = new Map<unknown, MessagePart>();
  readonly #touched = new Set<MessagePart>();
  /** The message this turn writes to; none until its first chunk. */
  #current: UiMessage | undefined;
  #finishReason: string | undefined;
  #aborted = false;
  #errors: string[] = [];

  /** `prior`: messages already known, so that a turn can continue the last one (after a tool approval). */
  constructor(prior: readonly UiMessage[] = []) {
    this.#messages = prior.map((message) => ({ ...message, parts: message.parts.map(settled) }));
    for (const { parts } of this.#messages) remember(parts, this.#tools);
  }

  /** Every message, prior ones included, as plain data of its own. */
  messages(): UiMessage[] {
    return this.#messages.map((message) => ({ ...message, parts: message.parts.map(settled) }));
  }

  /** What the turn has brought so far, as plain data of its own. */
  content(): TurnContent {
    const id = this.#current?.id;
    return {
      ...(id !== undefined && { messageId: id }),
      ...(this.#finishReason !== undefined && { finishReason: this.#finishReason }),
      aborted: this.#aborted,
      errors: [...this.#errors],
      parts: [...this.#touched].map(settled),
    };
  }

  /** Ends the turn whatever came before: closes open parts; the next chunk begins a new message. */
  endTurn(): TurnContent {
    this.#closeOpenParts();
    const content = this.content();
    this.#touched.clear();
    this.#writeTo(undefined);
    this.#finishReason = undefined;
    this.#aborted = false;
    this.#errors = [];
    return content;
  }

  /** Takes one chunk; types and fields it does not know change nothing. */
  apply(chunk: Chunk): void {
    // Most chunks are these.
    if (chunk.type === "text-delta") {
      this.#append(this.#openText, chunk, { type: "text" });
      return;
    }
    const toolChange = TOOL_CHANGES.get(chunk.type);
    if (toolChange) this.#tool(chunk, toolChange);
    else if (chunk.type.startsWith("data-")) this.#data(chunk);
    else this.#applyOther(chunk);
  }

  #applyOther(chunk: Chunk): void {
    const reasoning = { type: "reasoning", id: chunk.id };
    switch (chunk.type) {
      case "start":
        this.#start(chunk);
        break;
      case "start-step":
        this.#push({ type: "step-start" });
        this.#stepTools.clear();
        break;
      case "finish-step":
        this.#closeOpenParts();
        break;
      case "text-start":
        this.#open(this.#openText, chunk, { type: "text" });
        break;
      case "text-end":
        this.#close(this.#openText, chunk, { type: "text" });
        break;
      case "reasoning-start":
        this.#open(this.#openReasoning, chunk, reasoning);
        break;
      case "reasoning-delta":
        this.#append(this.#openReasoning, chunk, reasoning);
        break;
      case "reasoning-end":
        this.#close(this.#openReasoning, chunk, reasoning);
        break;
      case "tool-input-delta":
        this.#toolInputDelta(chunk);
        break;
      case "source-url":
      case "source-document":
      case "file":
        this.#push({ ...chunk });
        break;
      case "message-metadata":
        this.#mergeMetadata(chunk.messageMetadata);
        break;
      case "finish":
        this.#mergeMetadata(chunk.messageMetadata);
        if (typeof chunk.finishReason === "string") this.#finishReason = chunk.finishReason;
        break;
      case "abort":
        this.#closeOpenParts();
        this.#aborted = true;
        break;
      case "error":
        this.#errors.push(typeof chunk.errorText === "string" ? chunk.errorText : "unknown error");
        break;
    }
  }

  #message(): UiMessage {
    if (!this.#current) {
      this.#current = { role: "assistant", parts: [] };
      this.#messages.push(this.#current);
    }
    return this.#current;
  }

  #writeTo(message: UiMessage | undefined): void {
    this.#current = message;
    this.#stepTools.clear();
    remember(stepOf(message?.parts ?? []), this.#stepTools);
  }

  #start(chunk: Chunk): void {
    const id = typeof chunk.messageId === "string" ? chunk.messageId : undefined;
    const last = this.#messages.at(-1);
    if (id !== undefined && last?.id === id && last.role === "assistant") this.#writeTo(last);
    else if (id !== undefined && this.#current && this.#current.parts.length > 0) {
      if (this.#current.id === undefined) this.#current.id = id;
      else this.#beginMessage();
    }
    const message = this.#message();
    if (id !== undefined) message.id = id;
    this.#mergeMetadata(chunk.messageMetadata);
  }

  #beginMessage(): void {
    this.#closeOpenParts();
    this.#writeTo(undefined);
  }

  #push(part: MessagePart): void {
    this.#message().parts.push(part);
    this.#touched.add(part);
  }

  #open(open: Map<string, MessagePart>, chunk: Chunk, shape: MessagePart): MessagePart {
    const part: MessagePart = {
      ...shape,
      text: "",
      state: "streaming",
      ...metadata(chunk, "providerMetadata"),
    };
    this.#push(part);
    open.set(String(chunk.id), part);
    return part;
  }

  #append(open: Map<string, MessagePart>, chunk: Chunk, shape: MessagePart): void {
    const part = open.get(String(chunk.id)) ?? this.#open(open, chunk, shape);
    if (typeof chunk.delta === "string") part.text = grown(String(part.text), chunk.delta);
    if (chunk.providerMetadata !== undefined) part.providerMetadata = chunk.providerMetadata;
  }

  #close(open: Map<string, MessagePart>, chunk: Chunk, shape: MessagePart): void {
    const part = open.get(String(chunk.id)) ?? this.#open(open, chunk, shape);
    part.state = "done";
    part.text = together(String(part.text));
    Object.assign(part, metadata(chunk, "providerMetadata"));
    open.delete(String(chunk.id));
  }

  #closeOpenParts(): void {
    for (const open of [this.#openText, this.#openReasoning]) {
      for (const part of open.values()) part.state = "done";
      open.clear();
    }
  }

  /**
   * By call id. Input belongs to the step being written: a later step may use the id again. What comes of it may be told
   * later, when the newest use of the id is meant, also one in a message before.
   */
  #findTool(chunk: Chunk): MessagePart | undefined {
    const tools = chunk.type.startsWith("tool-input-") ? this.#stepTools : this.#tools;
    return tools.get(chunk.toolCallId);
  }

  #newTool(chunk: Chunk): MessagePart {
    const named = typeof chunk.toolName === "string";
    const part: MessagePart =
      named && chunk.dynamic !== true
        ? { type: `tool-${chunk.toolName}`, toolCallId: chunk.toolCallId }
        : {
            type: "dynamic-tool",
            toolName: named ? chunk.toolName : UNNAMED,
            toolCallId: chunk.toolCallId,
          };
    this.#push(part);
    remember([part], this.#tools);
    remember([part], this.#stepTools);
    return part;
  }

  #tool(chunk: Chunk, change: ToolChange): void {
    const part = this.#findTool(chunk) ?? this.#newTool(chunk);
    if (part.toolName === UNNAMED && typeof chunk.toolName === "string") part.toolName = chunk.toolName;
    Object.assign(part, change(chunk, part.type === "dynamic-tool"));
    this.#touched.add(part);
  }

  #toolInputDelta(chunk: Chunk): void {
    const part = this.#findTool(chunk) ?? this.#newTool(chunk);
    part.rawInput = grown(String(part.rawInput ?? ""), String(chunk.inputTextDelta ?? ""));
    part.state ??= "input-streaming";
    this.#touched.add(part);
  }

  #data(chunk: Chunk): void {
    if (chunk.transient === true) return;
    const known =
      chunk.id === undefined
        ? undefined
        : this.#message().parts.find((part) => part.type === chunk.type && part.id === chunk.id);
    if (known) {
      known.data = chunk.data;
      this.#touched.add(known);
    } else {
      this.#push({ type: chunk.type, ...picked(chunk, ["id"]), data: chunk.data });
    }
  }

  #mergeMetadata(added: unknown): void {
    if (added === undefined || added === null) return;
    const message = this.#message();
    message.metadata = merged(message.metadata, added);
  }
}

/** Of a channel's records what they say together; those that are no chunks say nothing. */
export function foldOf(records: readonly ChannelRecord[]): MessageFold {
  const fold = new MessageFold();
  for (const record of records) if (record.kind === "data" && isChunk(record.data)) fold.apply(record.data);
  return fold;
}

/** The parts after the last beginning of a step. */
const stepOf = (parts: readonly MessagePart[]): readonly MessagePart[] =>
  parts.slice(parts.findLastIndex(({ type }) => type === "step-start") + 1);

function remember(parts: readonly MessagePart[], tools: Map<unknown, MessagePart>): void {
  for (const part of parts) if (part.toolCallId !== undefined) tools.set(part.toolCallId, part);
}

/** A copy of the part that later chunks do not change; input that is still arriving is read as far as it goes. */
function settled(part: MessagePart): MessagePart {
  const copy = { ...part };
  if (copy.state === "input-streaming" && typeof copy.rawInput === "string") {
    copy.input = copy.inputEncoding === "text" ? copy.rawInput : parsePartialJson(copy.rawInput);
  }
  return copy;
}

/** Objects are merged key by key, anything else is replaced. */
function merged(into: unknown, added: unknown): unknown {
  if (!isObject(into) || !isObject(added)) return added;
  const result: Record<string, unknown> = { ...into };
  for (const [key, value] of Object.entries(added)) {
    if (key !== "__proto__") result[key] = merged(result[key], value);
  }
  return result;
}
