/**
 * A session's conversation as messages: what the server or the agent has stored, then what the channels add to it
 * (contract api.md 4.8 and 4.9, channels.md 6 and 10).
 */
import type { CallOptions, Transcript, TriggerApi } from "../client/api.ts";
import type { Entry } from "../domain/entry.ts";
import { isTriggerError, TriggerError } from "../domain/errors.ts";
import { asMessage, type UiMessage } from "../domain/message.ts";
import type { Session } from "../domain/session.ts";
import type { ChatInput } from "./input.ts";
import { type Position, positionOf } from "./position.ts";
import { assemble } from "./timeline.ts";

export interface Conversation {
  /** Where the stored part comes from. */
  source: "transcript" | "snapshot" | "channels";
  /** Oldest first. */
  entries: Entry[];
  /** Last `.out` position the stored part holds. */
  storedUpTo?: number;
  /** Older messages exist before these. */
  earlier: boolean;
  /** Records of `.out` that are neither stored nor on the channel any more, inclusive. */
  gap?: { from: number; to: number };
  /** Last record of `.out`. */
  cursor?: number;
  /** Position of the last `turn-complete`. */
  lastTurnEnd?: number;
  /** What `.in` holds. */
  inputs: readonly ChatInput[];
  /** Turns completed since the session began, where it can be told. */
  turnsDone?: number;
}

interface Stored {
  source: "transcript" | "snapshot";
  messages: UiMessage[];
  lastOut?: number;
  lastIn?: number;
  /** Older messages: pass as `before`. */
  next?: string;
}

/** Stored messages asked for at once, and how often. */
const STORED_MESSAGES = 200;
const MOST_PAGES = 50;
/** Commands on a channel that `records` does not list: a trim may lie between two turns. */
const UNLISTED = 2;

/**
 * `before`: goes back until what comes before that entry is there. Throws `invalid_request` when nothing has that name.
 */
export async function loadConversation(
  api: TriggerApi,
  session: Session,
  options: CallOptions,
  before?: string,
): Promise<Conversation> {
  const [stored, out, inputs] = await Promise.all([
    loadStored(api, session.id, before, options),
    api.channels.records({ session: session.id, io: "out" }, undefined, options),
    api.channels.records({ session: session.id, io: "in" }, undefined, options),
  ]);
  const position = positionOf(session, out, inputs);
  const gap = gapBetween(stored, position);
  const lastTurnEnd = position.out.turns.at(-1)?.seq;
  const entries = assemble(stored ?? { messages: [] }, out, inputs, session, position.turnsDone);
  return {
    source: stored?.source ?? "channels",
    entries: before === undefined ? entries : entriesBefore(entries, before),
    ...(stored?.lastOut !== undefined && { storedUpTo: stored.lastOut }),
    earlier: stored ? stored.next !== undefined : gap !== undefined,
    ...(gap && { gap }),
    ...(position.out.last !== undefined && { cursor: position.out.last }),
    ...(lastTurnEnd !== undefined && { lastTurnEnd }),
    inputs: position.in.inputs,
    ...(position.turnsDone !== undefined && { turnsDone: position.turnsDone }),
  };
}

function gapBetween(stored: Stored | undefined, { out: { first = 0 } }: Position): Conversation["gap"] {
  if (!stored) return first > 0 ? { from: 0, to: first - 1 } : undefined;
  if (stored.lastOut === undefined || first <= stored.lastOut + UNLISTED) return undefined;
  return { from: stored.lastOut + 1, to: first - 1 };
}

function entriesBefore(entries: Entry[], before: string): Entry[] {
  const end = entries.findIndex(({ key }) => key === before);
  if (end >= 0) return entries.slice(0, end);
  throw new TriggerError(
    "invalid_request",
    `"before" takes what an earlier answer gave, or a message's id; none of the conversation's has the id "${before}".`,
  );
}

/** The transcript route is new and wants a secret key; who cannot use it reads the agent's snapshot. */
async function loadStored(
  api: TriggerApi,
  session: string,
  before: string | undefined,
  options: CallOptions,
): Promise<Stored | undefined> {
  const read = (cursor?: string) =>
    api.sessions.transcript(
      session,
      { limit: STORED_MESSAGES, ...(cursor !== undefined && { before: cursor }) },
      options,
    );
  const newest = await unlessRefused(read);
  if (newest && newest.messages.length > 0) {
    const stored = readStored("transcript", newest);
    return before === undefined ? stored : goBack(stored, before, read);
  }
  const snapshot = await unlessRefused(() => api.sessions.snapshot(session, options));
  return snapshot && readStored("snapshot", snapshot);
}

/** Older pages in front, until one comes before the page that has the message. */
async function goBack(
  stored: Stored,
  before: string,
  read: (cursor: string) => Promise<Transcript | undefined>,
): Promise<Stored> {
  let whole = stored;
  for (let page = 1; page < MOST_PAGES && whole.next !== undefined; page += 1) {
    const found = whole.messages.some(({ id }) => id === before);
    const older = await read(whole.next);
    const { messages = [], next } = older ? readStored("transcript", older) : {};
    const { next: _, ...rest } = whole;
    whole = { ...rest, messages: [...messages, ...whole.messages], ...(next !== undefined && { next }) };
    if (found || messages.length === 0) break;
  }
  return whole;
}

function readStored(source: Stored["source"], transcript: Transcript): Stored {
  const [lastOut, lastIn] = [seqOf(transcript.lastOut), seqOf(transcript.lastIn)];
  return {
    source,
    messages: transcript.messages.map(asMessage).filter((message) => message !== undefined),
    ...(lastOut !== undefined && { lastOut }),
    ...(lastIn !== undefined && { lastIn }),
    ...(transcript.next !== undefined && { next: transcript.next }),
  };
}

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

const seqOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
