/** Follows a session's `.out` over the API and makes one honest answer of what came. */
import type { CallOptions, TriggerApi } from "../client/api.ts";
import { isTriggerError } from "../domain/errors.ts";
import type { UiMessage } from "../domain/message.ts";
import type { ChannelRecord } from "../domain/record.ts";
import { type Session, sessionKey } from "../domain/session.ts";
import { sessionStatus } from "../domain/status.ts";
import type { TurnState } from "../domain/turn.ts";
import { type Conversation, loadConversation } from "./conversation.ts";
import { foldOf, type TurnContent } from "./fold.ts";
import {
  isBusy,
  isTurnComplete,
  locate,
  type Position,
  payloadTurnAhead,
  turnNumberAfter,
  turnStart,
} from "./position.ts";
import type { ProgressSink } from "./progress.ts";
import { endOf, partsOf, type Until, type Watched, watch } from "./turn.ts";

/** Milliseconds between looks whether a silent session has been closed: not every server announces it. */
const CLOSED_CHECK_MS = 10_000;
/** Milliseconds that reading more after the end may take in all. */
const AFTERTHOUGHT_MS = 4_000;

export interface FollowRequest {
  session: Session;
  /** As it was before the input was sent. */
  position: Position;
  until: Until;
  /** Position of the last `.out` record already handled, or the earliest that survives; absent: where the awaited turn can begin. */
  after?: number | "start";
  seq?: number;
  stopping?: boolean;
  /** An input went out for this. */
  committed?: boolean;
  prior?: readonly UiMessage[];
  /** What the turn that `after` lies in had brought up to there. */
  begun?: TurnContent;
}

export interface FollowContext {
  api: TriggerApi;
  signal: AbortSignal;
  progress: ProgressSink;
  now(): number;
  /** Unix milliseconds. */
  deadline: number;
}

export interface Followed extends Watched {
  /** External id when it has one. */
  session: string;
  seq?: number;
  runId?: string;
  /** Milliseconds. */
  took: number;
  /** Nothing came, and as far as could be seen nobody owes an answer. */
  idle: boolean;
  /** The end of the last turn was taken from the stored conversation: the stream had lost it. */
  refilled: boolean;
  /** Status of the run that has not said anything yet, where it can be read. */
  runStatus?: string;
  /** `after` lies in the middle of a turn: what came is its rest. */
  continued?: number;
  /** The last record there was, where `after` lies beyond it. */
  beyond?: number;
  /** The last record of `.in`, where the awaited turn answers a later one that nobody has sent. */
  unsent?: number;
}

export async function follow(request: FollowRequest, context: FollowContext): Promise<Followed> {
  const { session, position, seq, until } = request;
  const { api, signal, deadline } = context;
  const began = context.now();
  const after = request.after === "start" ? undefined : (request.after ?? turnStart(position, seq));
  const turn = turnNumberAfter(position, after, seq);
  const key = sessionKey(session);
  const items = api.channels.follow(
    { session: key, io: "out" },
    { signal, deadline, ...(after !== undefined && { after }) },
  );
  const watched = await watch(items, {
    until,
    name: key,
    progress: context.progress,
    isOver: overCheck(session, context),
    ...(seq !== undefined && { seq }),
    ...(turn !== undefined && { turn }),
    ...(payloadTurnAhead(session, position, after) && { payloadTurnAhead: true }),
    ...(request.stopping && { stopping: true }),
    ...(request.committed && { committed: true }),
    ...(request.prior && { prior: request.prior }),
    ...(request.begun && { begun: request.begun }),
  });
  const afterwards = { ...context, deadline: context.now() + AFTERTHOUGHT_MS };
  const refilled = await refill(watched, request, afterwards);
  const runId =
    watched.turns.findLast((one) => one.runId !== undefined)?.runId ??
    (await currentRun(session, afterwards));
  const cursor = watched.cursor ?? after;
  const idle = watched.records === 0 && seq === undefined && !isBusy(session, position);
  const silent = watched.records === 0 && !idle && runId !== undefined;
  const runStatus = silent ? await statusOf(runId, afterwards) : undefined;
  return {
    ...watched,
    ...(refilled && { state: refilled }),
    ...placeOf(request.after, position),
    ...unsentOf(request, position),
    ...(runStatus !== undefined && { runStatus }),
    ...(cursor !== undefined && { cursor }),
    session: key,
    ...(seq !== undefined && { seq }),
    ...(runId !== undefined && { runId }),
    took: context.now() - began,
    idle,
    refilled: refilled !== undefined,
  };
}

/** Trimming leaves commands behind the end of a turn, and a turn begins with records that say nothing. */
const BESIDE = 2;

/** What a caller's own position means for what came. */
function placeOf(after: FollowRequest["after"], { out }: Position): Pick<Followed, "continued" | "beyond"> {
  if (typeof after !== "number" || out.last === undefined) return {};
  if (after > out.last + BESIDE) return { beyond: out.last };
  const boundary = out.turns.findLast(({ seq = 0 }) => seq <= after)?.seq ?? out.first ?? 0;
  return after <= boundary + BESIDE ? {} : { continued: after };
}

function unsentOf({ committed, seq }: FollowRequest, { in: inputs }: Position): Pick<Followed, "unsent"> {
  if (committed || seq === undefined || inputs.last === undefined || seq <= inputs.last) return {};
  return { unsent: inputs.last };
}

/** Where the session stands, and then {@link follow}. */
export async function locateAndFollow(
  session: string,
  request: Omit<FollowRequest, "session" | "position">,
  context: FollowContext,
): Promise<Followed> {
  const { out, ...located } = await locate(context.api, session, limits(context));
  const begun = typeof request.after === "number" ? contentUpTo(out, request.after) : undefined;
  return follow(
    { ...request, session: located.session, position: located.position, ...(begun && { begun }) },
    context,
  );
}

/** What the turn that is under way at `after` has brought by then; nothing between two turns. */
function contentUpTo(out: readonly ChannelRecord[], after: number): TurnContent | undefined {
  const before = out.filter(({ seq = 0 }) => seq <= after);
  const turn = before.slice(before.findLastIndex(isTurnComplete) + 1);
  return turn.length === 0 ? undefined : foldOf(turn).content();
}

const limits = ({ signal, deadline }: FollowContext): CallOptions => ({ signal, deadline });

/** At once for a session known to be over; else a look now and then while nothing comes. */
function overCheck(session: Session, { api, signal, now, deadline }: FollowContext): () => Promise<boolean> {
  let over = sessionStatus(session, now()) !== "ACTIVE";
  let looked = now();
  return async () => {
    if (over || now() - looked < CLOSED_CHECK_MS) return over;
    looked = now();
    const soon = Math.min(deadline, looked + AFTERTHOUGHT_MS);
    const latest = await quietly(() => api.sessions.retrieve(session.id, { signal, deadline: soon }));
    over = latest !== undefined && sessionStatus(latest, now()) !== "ACTIVE";
    return over;
  };
}

/** A completed turn with a trimmed part is told from the stored conversation, once that reaches so far; how it ended. */
async function refill(
  { turns, state, cursor = 0 }: Watched,
  { session, seq }: FollowRequest,
  context: FollowContext,
): Promise<TurnState | undefined> {
  const turn = turns.at(-1);
  if (!turn?.incomplete || turn.state !== "done") return undefined;
  const conversation = await quietly(() => loadConversation(context.api, session, limits(context)));
  const answer = conversation && answerIn(conversation, seq, cursor);
  if (!answer || (conversation.storedUpTo ?? 0) < cursor) return undefined;
  turn.state = endOf({ parts: answer.parts, errors: turn.errors, aborted: false }, true);
  Object.assign(turn, partsOf(answer.parts), answer.id === undefined ? {} : { messageId: answer.id });
  return state === "done" ? turn.state : state;
}

/** The answer to the input `seq`; where that cannot be found the last one, if no turn has ended after `end`. */
function answerIn(
  { entries, inputs, lastTurnEnd }: Conversation,
  seq: number | undefined,
  end: number,
): UiMessage | undefined {
  const question = seq === undefined ? undefined : inputs.find((input) => input.seq === seq)?.message?.id;
  const asked = question === undefined ? -1 : entries.findIndex(({ key }) => key === question);
  const said = entries.slice(Math.max(0, asked)).filter(({ message }) => message.role === "assistant");
  if (asked >= 0) return said[0]?.message;
  return (lastTurnEnd ?? end) <= end ? said.findLast(({ open }) => !open)?.message : undefined;
}

/** An input may have started a fresh run, so the one known before is asked again. */
async function currentRun(session: Session, context: FollowContext): Promise<string | undefined> {
  if (context.signal.aborted) return session.currentRunId;
  const latest = await quietly(() => context.api.sessions.retrieve(session.id, limits(context)));
  return latest?.currentRunId ?? session.currentRunId;
}

async function statusOf(runId: string, context: FollowContext): Promise<string | undefined> {
  if (context.signal.aborted) return undefined;
  const run = await quietly(() => context.api.runs.retrieve(runId, limits(context)));
  return run?.status;
}

/** What only adds to an answer must not take it away. */
async function quietly<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isTriggerError(error)) return undefined;
    throw error;
  }
}
