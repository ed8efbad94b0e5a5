/**
 * Watches a session's `.out` until what was waited for has happened. The right turn is the one whose `turn-complete`
 * has consumed our input (contract channels.md 4.1), not the first one that comes along.
 */
import { isTriggerError, type TriggerError } from "../domain/errors.ts";
import { type MessagePart, textOf, toolsOf, type UiMessage } from "../domain/message.ts";
import type {
  ChannelItem,
  ChannelRecord,
  ControlRecord,
  DataRecord,
  FollowedChannel,
} from "../domain/record.ts";
import type { Turn, TurnState } from "../domain/turn.ts";
import { type Chunk, isChunk, isKnown } from "./chunk.ts";
import { MessageFold, type TurnContent } from "./fold.ts";
import { brief, TurnLines } from "./lines.ts";
import { type PlainRecord, plainRecord, progressRecord } from "./plain.ts";
import type { ProgressRecord, ProgressSink } from "./progress.ts";
import { beginning, held, MOST_HELD, TurnRoom, weightOf } from "./room.ts";
import { runOfToken } from "./token.ts";

/** What ends the watching, besides the session's end and the end of the items. */
export type Until = "turn" | "closed" | { count: number };

export interface WatchRequest {
  until: Until;
  /** `.in` sequence number the awaited turn must have consumed; absent: the next turn to complete. */
  seq?: number;
  /** The session's first message was in its payload, and the turn that answers that one comes first. */
  payloadTurnAhead?: boolean;
  /** Number of the turn the first record belongs to. */
  turn?: number;
  /** What lines call the session where the turn has no number. */
  name: string;
  /** A stop was sent: a turn that breaks off was stopped. */
  stopping?: boolean;
  /** Messages a turn may continue, say after an approval. */
  prior?: readonly UiMessage[];
  /** What the first turn had brought before its first record here: it decides with the rest how that turn ends. */
  begun?: TurnContent;
  progress: ProgressSink;
  /** An input went out: a stream that breaks off for good is told of, not thrown. */
  committed?: boolean;
  /** Asked whenever everything has been read: whether nothing can come any more. */
  isOver?: () => Promise<boolean>;
}

export interface Watched {
  state: TurnState;
  /**
   * Completed turns that count, oldest first; at the end the one under way, when something of it came. All but the last say
   * only how they began.
   */
  turns: Turn[];
  /** Turns before those, no longer held. */
  forgottenTurns: number;
  /** Sequence number of the last record handled, of any kind. */
  cursor?: number;
  /** Data and control records handled. */
  records: number;
  /** Newest records that are no chat chunks: other tasks write what they like. */
  others: PlainRecord[];
  otherCount: number;
  /** Records trimmed before they could be read, inclusive. */
  gaps: { from: number; to: number }[];
  /** Gaps after those. */
  moreGaps: number;
  /** The task waits for a deployment. */
  pendingVersion: boolean;
  closedReason?: string;
  /** The error that ended the stream before anything else did. */
  broken?: TriggerError;
}

/** Newest non-chat records kept for the answer. */
const OTHERS_KEPT = 20;
const GAPS_KEPT = 50;
const TURNS_KEPT = 500;
/** Characters kept of what an earlier turn said. */
const EARLIER_CHARACTERS = 1_000;
/** Newest messages a turn may go on with. */
const MESSAGES_KEPT = 10;

/**
 * Ends with the items (deadline, abort), when `until` is reached, or when the session is over. A stream that cannot be
 * read at all throws; one that fails later must not take away what has come, nor that an input was sent.
 */
export async function watch(items: FollowedChannel, request: WatchRequest): Promise<Watched> {
  const watcher = new Watcher(request);
  try {
    for await (const batch of items.batches?.() ?? singly(items)) {
      if (watcher.takeAll(batch)) break;
      if (batch.at(-1)?.kind === "caught-up" && (await request.isOver?.())) {
        watcher.over();
        break;
      }
    }
  } catch (error) {
    const worthTelling = request.committed === true || watcher.hasRecords;
    if (!isTriggerError(error) || error.code === "cancelled" || !worthTelling) throw error;
    return { ...watcher.result(), broken: error };
  }
  return watcher.result();
}

async function* singly(items: AsyncIterable<ChannelItem>): AsyncGenerator<readonly ChannelItem[]> {
  for await (const item of items) yield [item];
}

class Watcher {
  readonly #request: WatchRequest;
  #fold: MessageFold;
  #room = new TurnRoom();
  /** Position of the last record before the first that did not fit. */
  #heldUpTo: number | undefined;
  #lines: TurnLines;
  #turnLine: () => string;
  /** For progress: the newest line, and the records it stands for. */
  #line: string | (() => string) = "";
  #reported: ProgressRecord[] = [];
  #turn: number | undefined;
  #turns: Turn[] = [];
  #forgottenTurns = 0;
  /** Set once: how it ended. */
  #state: TurnState | undefined;
  #cursor: number | undefined;
  #time: number | undefined;
  #records = 0;
  #inTurn = 0;
  #others: PlainRecord[] = [];
  #otherCount = 0;
  #gaps: { from: number; to: number }[] = [];
  #moreGaps = 0;
  #incomplete = false;
  #begun: TurnContent | undefined;
  #pendingVersion = false;
  #payloadTurnAhead: boolean;
  #closedReason: string | undefined;

  constructor(request: WatchRequest) {
    this.#request = request;
    this.#turn = request.turn;
    this.#payloadTurnAhead = request.payloadTurnAhead ?? false;
    this.#begun = request.begun;
    this.#lines = new TurnLines(request.prior);
    this.#turnLine = this.#lineOf(this.#lines);
    this.#fold = new MessageFold(request.prior);
  }

  get hasRecords(): boolean {
    return this.#records > 0;
  }

  /** Takes items until the watching is over, and answers whether it is. */
  takeAll(items: readonly ChannelItem[]): boolean {
    const over = items.some((item) => this.#take(item));
    if (this.#reported.length > 0) this.#request.progress.report(this.#line, this.#reported);
    this.#reported = [];
    return over;
  }

  /** Takes one item; true when the watching is over. */
  #take(item: ChannelItem): boolean {
    if (item.kind === "caught-up") return false;
    if (item.kind === "gap") {
      if (this.#gaps.length < GAPS_KEPT) this.#gaps.push({ from: item.from, to: item.to });
      else this.#moreGaps += 1;
      this.#incomplete = true;
      return false;
    }
    // A record delivered twice must not count twice.
    if (item.seq !== undefined && this.#cursor !== undefined && item.seq <= this.#cursor) return false;
    this.#cursor = item.seq ?? this.#cursor;
    this.#time = item.timestamp ?? this.#time;
    if (item.kind === "skipped") return false;
    this.#records += 1;
    if (item.kind === "data") this.#data(item);
    else this.#control(item);
    return this.#state !== undefined || this.#countReached();
  }

  /** The session is over and everything has been read. */
  over(): void {
    this.#state = "closed";
  }

  result(): Watched {
    const turns = [...this.#turns];
    if (this.#inTurn > 0) turns.push(this.#asTurn(this.#fold.content(), this.#state ?? "running"));
    const last = this.#inTurn > 0 ? undefined : turns.at(-1)?.state;
    const counted = typeof this.#request.until === "object" ? last : undefined;
    return {
      state: this.#state ?? counted ?? "running",
      turns,
      ...(this.#cursor !== undefined && { cursor: this.#cursor }),
      records: this.#records,
      others: this.#others,
      otherCount: this.#otherCount,
      forgottenTurns: this.#forgottenTurns,
      gaps: this.#gaps,
      moreGaps: this.#moreGaps,
      pendingVersion: this.#pendingVersion,
      ...(this.#closedReason !== undefined && { closedReason: this.#closedReason }),
    };
  }

  #data(record: DataRecord): void {
    if (isChunk(record.data) && isKnown(record.data)) {
      this.#inTurn += 1;
      this.#hold(record.data, record.seq);
      if (this.#request.progress.wanted) this.#lines.apply(record.data);
      this.#reportTurn(record);
      return;
    }
    this.#otherCount += 1;
    this.#others.push(plainRecord({ ...record, data: held(record.data) }));
    if (this.#others.length > OTHERS_KEPT) this.#others.shift();
    this.#report(brief(record.data), record);
  }

  #hold(chunk: Chunk, seq: number | undefined): void {
    const fitting = this.#room.admit(chunk);
    if (fitting) this.#fold.apply(fitting);
    if (this.#room.omitted === 1 && seq !== undefined) this.#heldUpTo ??= seq - 1;
  }

  #control(record: ControlRecord): void {
    switch (record.control) {
      case "turn-complete":
        this.#turnComplete(record);
        break;
      case "session-closed":
        this.#close(record);
        this.#report("session closed", record);
        break;
      case "pending-version":
        this.#pendingVersion = true;
        this.#report("waiting for a deployment", record);
        break;
      case "upgrade-required":
        this.#report("moving to a newer version", record);
        break;
      default:
        this.#reportTurn(record);
    }
  }

  #turnComplete(record: ControlRecord): void {
    const content = this.#fold.endTurn();
    const isOurs = this.#isOurs(record.inputSeq);
    this.#payloadTurnAhead = false;
    this.#pendingVersion = false;
    if (isOurs) {
      const state = this.#endOf(this.#whole(content));
      this.#keep(this.#asTurn(content, state, record));
      if (this.#request.until === "turn") this.#state = state;
    }
    if (record.headers["session-closed"] === "true") this.#close(record);
    if (isOurs) this.#reportTurn(record);
    else this.#report("complete; it was asked before ours", record);
    this.#lines = new TurnLines(this.#request.prior);
    this.#fold = new MessageFold(recent(this.#fold.messages()));
    this.#room = new TurnRoom();
    this.#heldUpTo = undefined;
    this.#inTurn = 0;
    this.#incomplete = false;
    this.#begun = undefined;
    if (this.#turn !== undefined) this.#turn += 1;
    this.#turnLine = this.#lineOf(this.#lines);
  }

  #keep(turn: Turn): void {
    const last = this.#turns.at(-1);
    if (last) Object.assign(last, { text: beginning(last.text, EARLIER_CHARACTERS), tools: [] });
    this.#turns.push(turn);
    if (this.#turns.length > TURNS_KEPT) {
      this.#turns.shift();
      this.#forgottenTurns += 1;
    }
  }

  #isOurs(inputSeq: number | undefined): boolean {
    const { until, seq } = this.#request;
    if (until !== "turn" || seq === undefined) return true;
    return inputSeq === undefined ? !this.#payloadTurnAhead : inputSeq >= seq;
  }

  #close(record: ControlRecord): void {
    this.#state = "closed";
    this.#closedReason = record.headers["session-closed-reason"] ?? this.#closedReason;
  }

  #countReached(): boolean {
    const until = this.#request.until;
    return typeof until === "object" && this.#records >= until.count;
  }

  #report(what: string, record: ChannelRecord): void {
    if (!this.#request.progress.wanted) return;
    this.#line = `${this.#label} · ${what}`;
    this.#reported.push(progressRecord(record));
  }

  /** What the turn is at, worked out when it is shown. */
  #reportTurn(record: ChannelRecord): void {
    if (!this.#request.progress.wanted) return;
    this.#line = this.#turnLine;
    this.#reported.push(progressRecord(record));
  }

  /** Of the turn under way, also when it is shown only after the next has begun. */
  #lineOf(lines: TurnLines): () => string {
    const label = this.#label;
    return () => `${label} · ${lines.line}`;
  }

  get #label(): string {
    return this.#turn === undefined ? this.#request.name : `turn ${this.#turn}`;
  }

  /** With what the turn had brought before, where it was picked up in its middle. */
  #whole(rest: TurnContent): TurnContent {
    return this.#begun ? joined(this.#begun, rest) : rest;
  }

  #endOf(content: TurnContent): TurnState {
    if (this.#request.stopping && content.errors.length === 0 && content.finishReason === undefined)
      return "stopped";
    return endOf(content, this.#incomplete);
  }

  #asTurn(content: TurnContent, state: TurnState, end?: ControlRecord): Turn {
    const runId = end?.token === undefined ? undefined : runOfToken(end.token);
    const whole = this.#whole(content);
    return {
      ...(this.#turn !== undefined && { number: this.#turn }),
      state,
      ...(content.messageId !== undefined && { messageId: content.messageId }),
      ...partsOf(content.parts),
      tools: toolsOf(whole.parts),
      errors: whole.errors,
      ...(runId !== undefined && { runId }),
      ...(end?.inputSeq !== undefined && { inputSeq: end.inputSeq }),
      ...(this.#time !== undefined && { time: this.#time }),
      ...(this.#incomplete && { incomplete: true }),
      ...(this.#room.omitted > 0 && {
        omitted: {
          records: this.#room.omitted,
          ...(this.#heldUpTo !== undefined && { after: this.#heldUpTo }),
        },
      }),
    };
  }
}

/** A turn that was seen in two halves. */
const joined = (begun: TurnContent, rest: TurnContent): TurnContent => ({
  ...begun,
  ...rest,
  aborted: begun.aborted || rest.aborted,
  errors: [...begun.errors, ...rest.errors],
  parts: [...begun.parts.filter((part) => !isUsedIn(part, rest.parts)), ...rest.parts],
});

/** Whether the parts tell of the same use of a tool, and so how it went on. */
const isUsedIn = ({ toolCallId }: MessagePart, parts: readonly MessagePart[]): boolean =>
  toolCallId !== undefined && parts.some((part) => part.toolCallId === toolCallId);

/** The newest messages, as far as there is room for them. */
function recent(messages: readonly UiMessage[]): UiMessage[] {
  const newest = messages.slice(-MESSAGES_KEPT);
  while (weightOf(newest, MOST_HELD) > MOST_HELD) newest.shift();
  return newest;
}

/** How a completed turn ended; of an `incomplete` one not everything that came has been seen. */
export function endOf(content: TurnContent, incomplete: boolean): TurnState {
  if (content.errors.length > 0 || content.finishReason === "error") return "failed";
  if (content.aborted) return "stopped";
  if (toolsOf(content.parts).some((tool) => tool.state === "approval-requested")) return "awaiting_approval";
  const said = content.parts.some((part) => part.type !== "step-start" && part.text !== "");
  return said || incomplete ? "done" : "empty";
}

/** What a reader wants of a message's parts. */
export function partsOf(parts: UiMessage["parts"]): Pick<Turn, "text" | "tools" | "reasoning" | "other"> {
  const other: Record<string, number> = {};
  let reasoning = 0;
  for (const part of parts) {
    if (part.type === "reasoning") reasoning += typeof part.text === "string" ? part.text.length : 0;
    else if (part.type !== "text" && part.type !== "step-start" && part.toolCallId === undefined) {
      other[part.type] = (other[part.type] ?? 0) + 1;
    }
  }
  return { text: textOf(parts), tools: toolsOf(parts), reasoning, other };
}
