/**
 * A session's conversation as messages: what the server or the agent has stored, then what the channels add to it
 * (contract api.md 4.8 and 4.9, channels.md 6 and 10).
 */
import type { CallOptions, Transcript, TriggerApi } from "../client/api.ts";
import { isTriggerError } from "../domain/errors.ts";
import { asMessage, type UiMessage } from "../domain/message.ts";
import type { ChannelRecord, ControlRecord } from "../domain/record.ts";
import type { Session } from "../domain/session.ts";
import { type Chunk, isChunk } from "./chunk.ts";
import { MessageFold } from "./fold.ts";
import { type ChatInput, firstMessage, readInput } from "./input.ts";
import { isTurnComplete } from "./position.ts";
import { runOfToken } from "./token.ts";

export interface Entry {
  message: UiMessage;
  /** Unix milliseconds, where the channels tell. */
  time?: number;
  /** Run of the turn, where its end tells. */
  runId?: string;
  /** Texts of the turn's errors. */
  errors?: string[];
  /** The turn was not over when this was read. */
  open?: boolean;
}

export interface Conversation {
  /** Where the stored part comes from. */
  source: "transcript" | "snapshot" | "channels";
  /** Oldest first. */
  entries: Entry[];
  /** Last `.out` position the stored part holds. */
  storedUpTo?: number;
  /** Older messages exist before these. */
  earlier: boolean;
}

/** Newest stored messages asked for at once. */
const STORED_MESSAGES = 200;

export async function loadConversation(
  api: TriggerApi,
  session: Session,
  options: CallOptions,
): Promise<Conversation> {
  const stored = await loadStored(api, session.id, options);
  // Without its position the stored part cannot be continued from the stream: it stands for itself.
  const continued = stored === undefined || position(stored.lastOut) !== undefined;
  const [out, inputs] = await Promise.all([
    continued
      ? api.channels.records({ session: session.id, io: "out" }, position(stored?.lastOut), options)
      : [],
    api.channels.records({ session: session.id, io: "in" }, position(stored?.lastIn), options),
  ]);
  const storedUpTo = position(stored?.lastOut);
  return {
    source: stored?.source ?? "channels",
    ...(storedUpTo !== undefined && { storedUpTo }),
    entries: assemble(stored?.messages ?? [], out, inputs, session),
    earlier: stored?.next !== undefined || (!stored && (out[0]?.seq ?? 0) > 0),
  };
}

/** The transcript route is new and wants a secret key; who cannot use it reads the agent's snapshot. */
async function loadStored(api: TriggerApi, session: string, options: CallOptions) {
  const transcript = await unlessRefused(() =>
    api.sessions.transcript(session, { limit: STORED_MESSAGES }, options),
  );
  if (transcript && transcript.messages.length > 0) return stored("transcript", transcript);
  const snapshot = await unlessRefused(() => api.sessions.snapshot(session, options));
  return snapshot && stored("snapshot", snapshot);
}

const stored = (source: "transcript" | "snapshot", transcript: Transcript) => ({
  ...transcript,
  source,
  messages: transcript.messages.map(asMessage).filter((message) => message !== undefined),
});

/** What a server does not have, or does not give to this credential, is not there; anything else is an error. */
async function unlessRefused<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const refused = ["not_found", "forbidden", "unauthorized", "unsupported", "contract", "server_error"];
    if (isTriggerError(error) && refused.includes(error.code)) return undefined;
    throw error;
  }
}

const position = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** Stored messages first, then the turns of `out`, each behind the inputs it has consumed. */
export function assemble(
  storedMessages: readonly UiMessage[],
  out: readonly ChannelRecord[],
  inputRecords: readonly ChannelRecord[],
  session: Pick<Session, "triggerConfig">,
): Entry[] {
  const timeline = new Timeline(storedMessages, inputRecords);
  if (storedMessages.length === 0 && (out[0]?.seq ?? 0) === 0) {
    timeline.hear(firstMessage(session.triggerConfig?.basePayload));
  }
  for (const record of out) {
    if (record.kind === "data" && isChunk(record.data)) timeline.chunk(record.data, record.timestamp);
    else if (isTurnComplete(record)) timeline.turnComplete(record);
  }
  return timeline.end();
}

class Timeline {
  readonly #entries: Entry[];
  readonly #known: Set<string>;
  /** Inputs no turn has consumed yet. */
  readonly #waiting: ChatInput[];
  #fold: MessageFold;
  #began: number | undefined;
  #chunks = 0;

  constructor(storedMessages: readonly UiMessage[], inputRecords: readonly ChannelRecord[]) {
    this.#entries = storedMessages.map((message) => ({ message }));
    this.#known = new Set(storedMessages.map(({ id }) => id).filter((id) => id !== undefined));
    this.#waiting = inputRecords.map(readInput).filter((input) => input !== undefined);
    this.#fold = this.#newFold();
  }

  hear(message: UiMessage | undefined, time?: number): void {
    // An approval is an answer inside a message that is already here.
    if (!message || message.role === "assistant") return;
    if (message.id !== undefined && this.#known.has(message.id)) return;
    if (message.id !== undefined) this.#known.add(message.id);
    this.#entries.push({ message, ...(time !== undefined && { time }) });
  }

  chunk(chunk: Chunk, time: number | undefined): void {
    this.#began ??= time;
    this.#chunks += 1;
    this.#fold.apply(chunk);
  }

  turnComplete({ inputSeq, token }: ControlRecord): void {
    const runId = token === undefined ? undefined : runOfToken(token);
    // Agents that do not tell what they consumed are taken to answer one input a turn.
    const consumed =
      inputSeq === undefined ? 1 : this.#waiting.filter(({ seq = 0 }) => seq <= inputSeq).length;
    this.#hearNext(consumed);
    this.#endTurn(runId === undefined ? {} : { runId });
  }

  end(): Entry[] {
    if (this.#chunks > 0) {
      this.#hearNext(1);
      this.#endTurn({ open: true });
    }
    this.#hearNext(this.#waiting.length);
    return this.#entries;
  }

  #hearNext(howMany: number): void {
    for (const input of this.#waiting.splice(0, howMany)) this.hear(input.message, input.time);
  }

  /** A turn that went on writing the last answer has changed it; what it wrote anew comes behind. */
  #endTurn(facts: Pick<Entry, "runId" | "open">): void {
    const { errors } = this.#fold.endTurn();
    const messages = this.#fold.messages();
    const last = this.#lastAnswer();
    const continued = last && messages.shift();
    if (last && continued) last.message = continued;
    if (messages.length === 0 && errors.length > 0) messages.push({ role: "assistant", parts: [] });
    const about = {
      ...(this.#began !== undefined && { time: this.#began }),
      ...(errors.length > 0 && { errors }),
      ...facts,
    };
    this.#entries.push(...messages.map((message) => ({ message, ...about })));
    this.#fold = this.#newFold();
    this.#began = undefined;
    this.#chunks = 0;
  }

  #lastAnswer(): Entry | undefined {
    return this.#entries.findLast(({ message }) => message.role === "assistant");
  }

  #newFold(): MessageFold {
    const last = this.#lastAnswer();
    return new MessageFold(last ? [last.message] : []);
  }
}
