/**
 * Gathers what a session's diagnosis is made from: both channels, the run behind them, what is stored of the
 * conversation. Whatever cannot be read becomes a fact of its own; only the session and its channels must be there.
 */
import { loadConversation } from "../bridge/conversation.ts";
import { type ChatInput, firstMessage } from "../bridge/input.ts";
import { locate, type Position } from "../bridge/position.ts";
import { turnsOf } from "../bridge/turns.ts";
import { isTriggerError } from "../domain/errors.ts";
import { textOf } from "../domain/message.ts";
import type { ChannelIo } from "../domain/record.ts";
import type { Session } from "../domain/session.ts";
import { isBadEnd } from "../domain/status.ts";
import type { RunEvent } from "../domain/trace.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import type { SessionCase, SessionInput, SessionUnread } from "../insight/session-diagnosis.ts";
import type { ToolContext } from "./define.ts";
import { callOptions } from "./reading.ts";

type Context = Pick<ToolContext, "api" | "signal" | "now" | "deadline" | "progress">;

/** When records were written is worth this many milliseconds of waiting. */
const TIMES_MS = 5_000;
const SERIOUS = new Set(["WARN", "ERROR"]);

export async function gatherSession(id: string, context: Context): Promise<SessionCase> {
  const gathering = new Gathering(context);
  context.progress.report(`reading ${id}`);
  const { session, position, out } = await locate(context.api, id, callOptions(context));
  const turns = turnsOf(out, position.turnsDone);
  const owesAnswer = isOwed(session, position, turns);
  const before = endBefore(turns, owesAnswer);
  context.progress.report(`looking at the run behind ${id}`);
  const [{ run, events }, times, history] = await Promise.all([
    gathering.run(session, (status) => owesAnswer || isBadEnd(status) || wentWrong(turns.at(-1))),
    gathering.times(session.id, position, owesAnswer, before),
    gathering.history(session),
  ]);
  const asInput = inputWith(times.in);
  const last = position.out.last;
  const time = last === undefined ? undefined : times.out.get(last);
  const since = before === undefined ? undefined : times.out.get(before);
  return {
    now: context.now(),
    session,
    ...(run && { run }),
    events,
    turns: turns.map((turn) => (turn.last === last && time !== undefined ? { ...turn, time } : turn)),
    ...(last !== undefined && { newest: { seq: last, ...(time !== undefined && { time }) } }),
    ...(since !== undefined && { since }),
    inputs: position.in.inputs.map(asInput),
    unanswered: position.unanswered.map(asInput),
    owesAnswer,
    ...history,
    unread: gathering.unread,
  };
}

/** Unlike {@link Position}'s, an open turn here is one of a chat. */
const isOwed = (session: Session, { unanswered }: Position, turns: readonly PlacedTurn[]): boolean =>
  turns.at(-1)?.state === "running" ||
  unanswered.length > 0 ||
  (turns.length === 0 && firstMessage(session.triggerConfig?.basePayload) !== undefined);

/** Where the turn before the one in question ended: the one under way or awaited, or else the last. */
function endBefore(turns: readonly PlacedTurn[], owesAnswer: boolean): number | undefined {
  const ended = turns.filter(({ state }) => state !== "running");
  return ended.at(owesAnswer ? -1 : -2)?.last;
}

const wentWrong = (turn: PlacedTurn | undefined): boolean =>
  turn !== undefined &&
  (turn.state === "failed" ||
    turn.state === "empty" ||
    turn.tools.some(({ state }) => state === "output-error"));

/** Sequence numbers to Unix milliseconds. */
type Times = ReadonlyMap<number, number>;

const inputWith =
  (times: Times) =>
  ({ seq, kind, message }: ChatInput): SessionInput => {
    const time = seq === undefined ? undefined : times.get(seq);
    return {
      ...(seq !== undefined && { seq }),
      ...(time !== undefined && { time }),
      kind,
      text: message ? textOf(message.parts) : "",
    };
  };

class Gathering {
  readonly unread: SessionUnread[] = [];
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The current run; what it logged only where `isTelling`. */
  async run({ currentRunId }: Session, isTelling: (status: string) => boolean) {
    const { api } = this.#context;
    const options = callOptions(this.#context);
    if (currentRunId === undefined) return { events: [] };
    const run = await this.#tolerate("run", () => api.runs.retrieve(currentRunId, options));
    if (!run || run.startedAt === undefined || !isTelling(run.status)) return { run, events: [] };
    const events = await this.#tolerate("events", () => api.runs.events(run.id, options));
    return { run, events: telling(events ?? []) };
  }

  /** Lists of records have no times, streams do: two of `.out`, and of `.in` those that wait and the last stop. */
  async times(
    session: string,
    { out, in: inputs, unanswered }: Position,
    owesAnswer: boolean,
    before: number | undefined,
  ) {
    const stop = inputs.inputs.findLast(({ kind }) => kind === "stop");
    const wanted = owesAnswer ? [unanswered[0]?.seq, stop?.seq].filter((seq) => seq !== undefined) : [];
    const [atEnd, atBegin, inTimes] = await Promise.all([
      this.#timesOf(session, "out", out.last, out.last),
      this.#timesOf(session, "out", before, before),
      this.#timesOf(session, "in", wanted.length > 0 ? Math.min(...wanted) : undefined, inputs.last),
    ]);
    return { out: new Map([...atBegin, ...atEnd]), in: inTimes };
  }

  async #timesOf(session: string, io: ChannelIo, from: number | undefined, to: number | undefined) {
    const times = new Map<number, number>();
    if (from === undefined || to === undefined) return times;
    const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(TIMES_MS)]);
    const options = { ...callOptions(this.#context), signal, ...(from > 0 && { after: from - 1 }) };
    await this.#tolerate("times", async () => {
      for await (const item of this.#context.api.channels.follow({ session, io }, options)) {
        if (item.kind === "caught-up") return;
        if (item.kind === "gap") continue;
        const { seq, timestamp } = item;
        if (seq !== undefined && timestamp !== undefined) times.set(seq, timestamp);
        if (seq !== undefined && seq >= to) return;
      }
    });
    return times;
  }

  async history(session: Session): Promise<Pick<SessionCase, "said" | "lost">> {
    const read = () => loadConversation(this.#context.api, session, callOptions(this.#context));
    const conversation = await this.#tolerate("history", read);
    const said = (conversation?.entries ?? []).map(({ message }) => ({
      role: message.role,
      text: textOf(message.parts),
    }));
    return { said, ...(conversation?.gap && { lost: conversation.gap }) };
  }

  /** Whoever asked must hear of being gone; the rest is told as not read. */
  async #tolerate<T>(what: SessionUnread["what"], read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isTriggerError(error) || error.code === "cancelled") throw error;
      this.unread.push({ what, why: error.code });
      return undefined;
    }
  }
}

/** What was serious, what failed, what is still open below the run itself; oldest first. */
const telling = (events: readonly RunEvent[]): RunEvent[] =>
  events
    .filter(
      ({ level, isError, isPartial, parentId }) =>
        SERIOUS.has(level) || isError || (isPartial && parentId !== undefined),
    )
    .sort((a, b) => a.startTime - b.startTime);
