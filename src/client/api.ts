/**
 * The Trigger.dev API as the rest of the project sees it: types only, so that tools depend on what the API can do
 * and not on how it is spoken to. Every call may throw {@link TriggerError}; section numbers are the wire contract's.
 */
import type { Access } from "../domain/access.ts";
import type { ChannelRecord, ChannelRef, FollowedChannel } from "../domain/record.ts";
import type {
  MetadataOperation,
  Page,
  Run,
  RunListQuery,
  RunResult,
  RunSummary,
  TriggerOptions,
} from "../domain/run.ts";
import type { Session, SessionListQuery, SessionStart, StartedSession } from "../domain/session.ts";
import type { RunEvent, SpanDetail, Trace } from "../domain/trace.ts";

export interface CallOptions {
  /** Aborting it closes the socket; the call then throws `cancelled`. */
  signal?: AbortSignal;
  /** Unix milliseconds by which the call, retries included, has answered or thrown `timeout`. */
  deadline?: number;
}

export interface RunsApi {
  /** 1.1. With a personal token the project form is used. */
  list(query: RunListQuery, options?: CallOptions): Promise<Page<RunSummary>>;
  /** 1.2 */
  retrieve(id: string, options?: CallOptions): Promise<Run>;
  /** 1.3, either form, all pages. A run that has no trace yet throws `not_found`. */
  trace(id: string, options?: CallOptions): Promise<Trace>;
  /** 1.4 */
  events(id: string, options?: CallOptions): Promise<RunEvent[]>;
  /** 1.5 */
  span(id: string, spanId: string, options?: CallOptions): Promise<SpanDetail>;
  /** 1.6; `undefined` when there is none yet. */
  result(id: string, options?: CallOptions): Promise<RunResult | undefined>;
  /** 1.7 */
  metadata(id: string, options?: CallOptions): Promise<Record<string, unknown> | undefined>;
  /** 2.1; answers how many of the tags were new. */
  addTags(id: string, tags: string[], options?: CallOptions): Promise<{ added: number }>;
  /** 2.2; answers the metadata that resulted. */
  updateMetadata(
    id: string,
    update: { metadata: Record<string, unknown> } | { operations: MetadataOperation[] },
    options?: CallOptions,
  ): Promise<Record<string, unknown>>;
  /** 2.3; asynchronous on the server: poll for the status it reached. */
  cancel(id: string, options?: CallOptions): Promise<void>;
  /** 2.4; never repeated: a broken connection throws `outcome_unknown`. */
  replay(id: string, overrides?: TriggerOptions, options?: CallOptions): Promise<{ id: string }>;
  /** 2.5 */
  reschedule(id: string, delay: string, options?: CallOptions): Promise<Run>;
  /** 2.6; one request idempotency key per call makes it safe to retry. */
  trigger(
    task: string,
    options?: TriggerOptions,
    call?: CallOptions,
  ): Promise<{ id: string; isCached: boolean }>;
}

export interface Transcript {
  /** UI messages, oldest first, as the server or the snapshot holds them. */
  messages: Record<string, unknown>[];
  /** Last `.out` and `.in` sequence numbers the messages cover. */
  lastOut?: string;
  lastIn?: string;
  /** Older messages: pass as `before`. */
  next?: string;
}

export interface SessionsApi {
  /** 4.2; repeatable only with an external id. */
  create(start: SessionStart, options?: CallOptions): Promise<StartedSession>;
  /** 4.3 */
  list(query: SessionListQuery, options?: CallOptions): Promise<Page<Session>>;
  /** 4.4, either id form */
  retrieve(session: string, options?: CallOptions): Promise<Session>;
  /** 4.5; `metadata: null` clears. */
  update(
    session: string,
    change: { tags?: string[]; metadata?: Record<string, unknown> | null },
    options?: CallOptions,
  ): Promise<Session>;
  /** 4.6; permanent, idempotent. */
  close(session: string, reason?: string, options?: CallOptions): Promise<Session>;
  /** 4.7; not repeatable. */
  endAndContinue(
    session: string,
    request: { callingRunId: string; reason: string },
    options?: CallOptions,
  ): Promise<{ runId: string; swapped: boolean }>;
  /** 4.8: the stored conversation, v1 or v2; `undefined` when there is none. */
  snapshot(session: string, options?: CallOptions): Promise<Transcript | undefined>;
  /** 4.9; `undefined` from servers that do not have it. */
  transcript(
    session: string,
    page?: { limit?: number; before?: string },
    options?: CallOptions,
  ): Promise<Transcript | undefined>;
}

export interface FollowOptions extends CallOptions {
  /** Position of the last record already handled; absent starts at the earliest that survives. */
  after?: number;
  /** 5.2: answer what is there and end when the newest record is a `turn-complete`. `.out` only. */
  peekSettled?: boolean;
}

export interface AppendResult {
  /** Absent when the part id had been seen: nothing new was appended. */
  seq?: number;
}

export interface ChannelsApi {
  /** 5.4; `partId` makes it safe to retry, and the client does. */
  append(channel: ChannelRef, body: string, partId: string, options?: CallOptions): Promise<AppendResult>;
  /** 5.5: what is there now, after `after`, without waiting. */
  records(channel: ChannelRef, after?: number, options?: CallOptions): Promise<ChannelRecord[]>;
  /**
   * 5.2: every record after `after` once and in order, across any number of broken connections, until the signal
   * aborts (the iterator then ends) or the deadline passes (it ends too). Leaving the loop closes the socket.
   */
  follow(channel: ChannelRef, options?: FollowOptions): FollowedChannel;
}

export interface TokensApi {
  /** auth.md 2.2: a public token with these scopes. */
  mint(scopes: string[], expirationTime?: string, options?: CallOptions): Promise<string>;
}

/** One environment of one Trigger.dev server, reached with one credential. */
export interface TriggerApi {
  readonly baseUrl: string;
  readonly access: Access;
  readonly runs: RunsApi;
  readonly sessions: SessionsApi;
  readonly channels: ChannelsApi;
  readonly tokens: TokensApi;
  /** `GET` that answers whether the server and the credential work, as cheaply as the credential allows. */
  probe(options?: CallOptions): Promise<{ environment?: string }>;
  close(): Promise<void>;
}
