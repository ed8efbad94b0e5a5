/**
 * Stored messages and channel records as one row of messages, merged by message id: each turn behind the inputs it has
 * consumed (contract channels.md 4.1, 6 and 10). Records the stored part covers only tell when, by which run, and how long.
 */
import type { Entry } from "../domain/entry.ts";
import { toolsOf, type UiMessage } from "../domain/message.ts";
import type { ChannelRecord, ControlRecord } from "../domain/record.ts";
import type { Session } from "../domain/session.ts";
import { type Chunk, isChunk } from "./chunk.ts";
import { MessageFold } from "./fold.ts";
import { type ChatInput, firstMessage, readInput } from "./input.ts";
import { isTurnComplete } from "./position.ts";
import { runOfToken } from "./token.ts";
import { ToolClock } from "./tool-clock.ts";

export interface StoredMessages {
  messages: readonly UiMessage[];
  /** Last `.out` and `.in` sequence numbers the messages cover. */
  lastOut?: number;
  lastIn?: number;
}

/** `turnsDone`: turns completed since the session began. */
export function assemble(
  stored: StoredMessages,
  out: readonly ChannelRecord[],
  inputRecords: readonly ChannelRecord[],
  session: Pick<Session, "triggerConfig" | "currentRunId">,
  turnsDone?: number,
): Entry[] {
  const inputs = inputRecords.map(readInput).filter((input) => input !== undefined);
  const ended = out.filter(isTurnComplete).length;
  const timeline = new Timeline(stored.messages, inputs, {
    out: stored.lastOut ?? (stored.messages.length > 0 ? Number.POSITIVE_INFINITY : -1),
    in: stored.lastIn ?? lastKnownInput(stored.messages, inputs),
    ...(turnsDone !== undefined && { turns: turnsDone - ended }),
  });
  if (stored.messages.length === 0 && (out[0]?.seq ?? 0) === 0) {
    timeline.begin(firstMessage(session.triggerConfig?.basePayload));
  }
  for (const record of out) {
    if (record.kind === "data" && isChunk(record.data)) timeline.chunk(record.data, record);
    else if (isTurnComplete(record)) timeline.turnComplete(record);
  }
  return timeline.end(session.currentRunId);
}

/** How far the stored part reaches when it does not say: to the last input whose message it holds. */
function lastKnownInput(messages: readonly UiMessage[], inputs: readonly ChatInput[]): number {
  const known = new Set(messages.map(({ id }) => id).filter((id) => id !== undefined));
  return inputs.findLast(({ message }) => message?.id !== undefined && known.has(message.id))?.seq ?? -1;
}

/** A turn being read: what tells about it, and the fold of what the stored part does not have. */
class ReadTurn {
  readonly prior: Entry | undefined;
  readonly fold: MessageFold;
  readonly tools = new ToolClock();
  /** Id its first `start` gave. */
  messageId: string | undefined;
  began: number | undefined;
  firstSeq: number | undefined;
  /** Texts of errors the stored part covers. */
  readonly errors: string[] = [];
  /** Chunks read, and those of them that were folded. */
  chunks = 0;
  folded = 0;

  /** `prior`: the last answer so far, which the turn may go on with. */
  constructor(prior: Entry | undefined) {
    this.prior = prior;
    this.fold = new MessageFold(prior ? [prior.message] : []);
  }

  read(chunk: Chunk, { seq, timestamp }: ChannelRecord, covered: boolean): void {
    this.chunks += 1;
    this.began ??= timestamp;
    this.firstSeq ??= seq;
    this.tools.read(chunk, timestamp);
    if (!covered) {
      // A turn stored in its middle goes on with the message it had begun.
      if (this.folded === 0 && this.messageId !== undefined) {
        this.fold.apply({ type: "start", messageId: this.messageId });
      }
      this.folded += 1;
      this.fold.apply(chunk);
    } else if (chunk.type === "error") this.errors.push(String(chunk.errorText ?? "unknown error"));
    if (chunk.type === "start" && typeof chunk.messageId === "string") this.messageId ??= chunk.messageId;
  }
}

class Timeline {
  readonly #entries: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();
  /** Inputs no turn has consumed yet. */
  readonly #waiting: ChatInput[];
  /** Last sequence numbers the stored part covers. */
  readonly #covered: { out: number; in: number };
  #answersFirst = false;
  /** Turns completed so far. */
  #turns: number | undefined;
  #turn: ReadTurn;

  constructor(
    stored: readonly UiMessage[],
    inputs: readonly ChatInput[],
    { turns, ...covered }: { out: number; in: number; turns?: number },
  ) {
    this.#covered = covered;
    this.#turns = turns;
    for (const message of stored) this.#put(message, message.id, {});
    for (const { message, time } of inputs) {
      const entry = message?.id === undefined ? undefined : this.#byKey.get(message.id);
      if (entry && time !== undefined && entry.message.role !== "assistant") entry.time = time;
    }
    this.#waiting = inputs.filter(({ seq }) => seq === undefined || seq > covered.in);
    this.#turn = new ReadTurn(this.#lastAnswer());
  }

  /** The message the session was created with: the first turn answers it, and it is no input. */
  begin(message: UiMessage | undefined): void {
    this.#hear(message);
    this.#answersFirst = message !== undefined;
  }

  #hear(message: UiMessage | undefined, { seq, time }: Pick<ChatInput, "seq" | "time"> = {}): void {
    // An approval is an answer inside a message that is already here.
    if (!message || message.role === "assistant") return;
    const key = message.id ?? (seq === undefined ? undefined : `in:${seq}`);
    if (key !== undefined && this.#byKey.has(key)) return;
    this.#put(message, key, { ...(time !== undefined && { time }) });
  }

  chunk(chunk: Chunk, record: ChannelRecord): void {
    this.#turn.read(chunk, record, (record.seq ?? Number.POSITIVE_INFINITY) <= this.#covered.out);
  }

  turnComplete({ inputSeq, token, timestamp }: ControlRecord): void {
    const runId = token === undefined ? undefined : runOfToken(token);
    const consumed =
      inputSeq === undefined
        ? this.#nextQuestion()
        : this.#waiting.filter(({ seq = 0 }) => seq <= inputSeq).length;
    this.#hearNext(consumed);
    if (this.#turns !== undefined) this.#turns += 1;
    const { began } = this.#turn;
    this.#endTurn({
      ...(this.#turns !== undefined && { turn: this.#turns }),
      ...(runId !== undefined && { runId }),
      ...(began !== undefined && timestamp !== undefined && { took: timestamp - began }),
    });
  }

  /** `runId`: the session's current run, which writes what is still open. */
  end(runId: string | undefined): Entry[] {
    if (this.#turn.chunks > 0) {
      this.#hearNext(this.#nextQuestion());
      this.#endTurn({
        open: true,
        ...(this.#turns !== undefined && { turn: this.#turns + 1 }),
        ...(runId !== undefined && { runId }),
      });
    }
    this.#hearNext(this.#waiting.length);
    return this.#entries;
  }

  /** How many inputs a turn that does not tell is taken to have consumed: up to one question. */
  #nextQuestion(): number {
    if (this.#answersFirst || (this.#turn.chunks > 0 && this.#turn.folded === 0)) return 0;
    return this.#waiting.findIndex(({ asksForTurn }) => asksForTurn) + 1;
  }

  #hearNext(howMany: number): void {
    for (const input of this.#waiting.splice(0, howMany)) {
      this.#hear(input.message ?? unspoken(input), input);
    }
  }

  #endTurn(end: Pick<Entry, "runId" | "open" | "took" | "turn">): void {
    const { fold, tools, prior, began, firstSeq, messageId, folded } = this.#turn;
    const content = fold.endTurn();
    const errors = [...this.#turn.errors, ...content.errors];
    const about = {
      ...(began !== undefined && { time: began }),
      ...(tools.times.size > 0 && { toolTimes: tools.times }),
      ...(errors.length > 0 && { errors }),
      ...end,
    };
    const messages = fold.messages();
    const continued = prior && messages.shift();
    if (folded === 0) {
      const entry = messageId === undefined ? undefined : this.#byKey.get(messageId);
      if (entry) retell(entry, about);
      else if (errors.length > 0) this.#insert({ message: { role: "assistant", parts: [] }, ...about });
    } else {
      const goesOn = prior !== undefined && continues(content, prior.message);
      if (prior && continued) prior.message = continued;
      if (prior && goesOn) retell(prior, about);
      else if (messages.length === 0 && errors.length > 0) {
        messages.push({ role: "assistant", parts: [] });
      }
      const key = firstSeq === undefined ? undefined : `out:${firstSeq}`;
      for (const message of messages) this.#put(message, message.id ?? key, about);
    }
    this.#turn = new ReadTurn(this.#lastAnswer());
    this.#answersFirst = false;
  }

  /** A message whose id is known takes the place of the one before. */
  #put(message: UiMessage, key: string | undefined, about: Omit<Entry, "message" | "key">): void {
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known) {
      known.message = message;
      retell(known, about);
      return;
    }
    const entry = { message, ...(key !== undefined && { key }), ...about };
    this.#entries.push(entry);
    if (key !== undefined) this.#byKey.set(key, entry);
  }

  /** Before what is known to be later. */
  #insert(entry: Entry): void {
    const at = this.#entries.findIndex(({ time = 0 }) => time > (entry.time ?? Number.POSITIVE_INFINITY));
    this.#entries.splice(at < 0 ? this.#entries.length : at, 0, entry);
  }

  #lastAnswer(): Entry | undefined {
    return this.#entries.findLast(({ message }) => message.role === "assistant");
  }
}

/** Whether a turn went on writing this message: it named it, or named none and changed a tool of it. */
function continues(
  { messageId, parts }: { messageId?: string; parts: UiMessage["parts"] },
  { id, parts: before }: UiMessage,
): boolean {
  if (id !== undefined && messageId !== undefined) return messageId === id;
  const known = new Set(toolsOf(before).map(({ callId }) => callId));
  return toolsOf(parts).some(({ callId }) => known.has(callId));
}

/** Adds what a further turn tells about a message; it keeps the time it began. */
function retell(entry: Entry, about: Omit<Entry, "message" | "key">): void {
  const { time = about.time, took, toolTimes = [], errors = [] } = entry;
  Object.assign(entry, about, {
    ...(time !== undefined && { time }),
    ...(about.took !== undefined && { took: about.took + (took ?? 0) }),
    ...(about.toolTimes && { toolTimes: new Map([...toolTimes, ...about.toolTimes]) }),
    ...(about.errors && { errors: [...errors, ...about.errors] }),
  });
}

/** An input without words: a stop, an action, another task's data. */
const unspoken = ({ kind }: ChatInput): UiMessage => ({ role: "user", parts: [{ type: kind }] });
