/** Where a session stands: how far both channels are, and what nobody has answered (contract channels.md 4.1). */
import type { CallOptions, TriggerApi } from "../client/api.ts";
import type { ChannelRecord, ControlRecord } from "../domain/record.ts";
import type { Session } from "../domain/session.ts";
import { type ChatInput, firstMessage, readInput } from "./input.ts";

export interface TurnMark {
  seq?: number;
  /** Highest `.in` number the agent had committed by then; old agents do not tell. */
  inputSeq?: number;
  /** Unix milliseconds. */
  time?: number;
}

export interface Position {
  out: {
    /** First and last sequence number that survive; absent when nothing does. */
    first?: number;
    last?: number;
    /** `turn-complete` records that survive, oldest first. */
    turns: TurnMark[];
    /** Records came after the last `turn-complete`: a turn is under way, or broke off. */
    open: boolean;
  };
  in: { last?: number; inputs: ChatInput[] };
  /** Inputs that ask for a turn and that no completed turn has consumed. */
  unanswered: ChatInput[];
  /** Turns completed since the session began; absent where it cannot be told. */
  turnsDone?: number;
}

/** Three reads side by side: the session, and what both channels hold. */
export async function locate(
  api: TriggerApi,
  session: string,
  options: CallOptions,
): Promise<{ session: Session; position: Position; out: ChannelRecord[]; in: ChannelRecord[] }> {
  const [found, out, inputs] = await Promise.all([
    api.sessions.retrieve(session, options),
    api.channels.records({ session, io: "out" }, undefined, options),
    api.channels.records({ session, io: "in" }, undefined, options),
  ]);
  return { session: found, position: positionOf(found, out, inputs), out, in: inputs };
}

export function positionOf(
  session: Pick<Session, "triggerConfig">,
  out: readonly ChannelRecord[],
  inputRecords: readonly ChannelRecord[],
): Position {
  const inputs = inputRecords.map(readInput).filter((input) => input !== undefined);
  const lastIn = lastSeq(inputRecords);
  const marks = out.filter(isTurnComplete);
  const lastMark = marks.at(-1);
  const asking = inputs.filter((input) => input.asksForTurn);
  const startedByPayload = firstMessage(session.triggerConfig?.basePayload) ? 1 : 0;
  const first = out.find((record) => record.seq !== undefined)?.seq;
  // Nothing trimmed: the marks themselves count. Else the inputs committed by the last one.
  const turnsDone =
    !lastMark || first === 0 ? marks.length : countTurns(asking, startedByPayload, lastMark.inputSeq);
  const last = lastSeq(out);
  return {
    out: {
      ...(first !== undefined && { first }),
      ...(last !== undefined && { last }),
      turns: marks.map(turnMark),
      open: out.slice(lastMark ? out.lastIndexOf(lastMark) + 1 : 0).some(opensTurn),
    },
    in: { ...(lastIn !== undefined && { last: lastIn }), inputs },
    unanswered: asking.filter((input) => !isAnswered(input, lastMark)),
    ...(turnsDone !== undefined && { turnsDone }),
  };
}

/** Whether the agent owes anything: a turn under way, input not consumed, or a first message never answered. */
export const isBusy = (session: Pick<Session, "triggerConfig">, position: Position): boolean =>
  position.out.open ||
  position.unanswered.length > 0 ||
  (position.out.turns.length === 0 && firstMessage(session.triggerConfig?.basePayload) !== undefined);

/**
 * Whether the turn of the payload's first message lies ahead of `after`. Nothing on `.in` asked for it, so its
 * `turn-complete` may say nothing of what it consumed, like those of old agents.
 */
export function payloadTurnAhead(
  session: Pick<Session, "triggerConfig">,
  { out }: Position,
  after: number | undefined,
): boolean {
  if (!firstMessage(session.triggerConfig?.basePayload)) return false;
  const [first] = out.turns;
  if (!first) return true;
  return out.first === 0 && first.inputSeq === undefined && (after === undefined || (first.seq ?? 0) > after);
}

/** Position after which the turn that answers `seq` can begin; without `seq` the turn under way. */
export function turnStart(position: Position, seq: number | undefined): number | undefined {
  const before =
    seq === undefined
      ? position.out.turns
      : position.out.turns.filter((turn) => turn.inputSeq === undefined || turn.inputSeq < seq);
  return before.at(-1)?.seq;
}

/** The number of the turn that follows position `after` of `.out`, and answers the input `seq` where that is known. */
export function turnNumberAfter(
  position: Position,
  after: number | undefined,
  seq?: number,
): number | undefined {
  if (position.turnsDone === undefined) return undefined;
  const later = position.out.turns.filter(
    (turn) => turn.seq !== undefined && (after === undefined || turn.seq > after),
  );
  const lost = after === undefined || seq === undefined ? 0 : trimmedTurns(position, after, seq, later[0]);
  return Math.max(1, position.turnsDone - later.length - lost + 1);
}

/** How many turns from the one that answers `seq` on ended behind `after` without a mark that survives, before `next`. */
function trimmedTurns(
  { out, in: { inputs } }: Position,
  after: number,
  seq: number,
  next: TurnMark | undefined,
): number {
  if ((out.first ?? 0) <= after + 1) return 0;
  const upTo = next?.inputSeq ?? seq;
  return inputs.filter((one) => one.asksForTurn && one.seq !== undefined && one.seq > seq && one.seq <= upTo)
    .length;
}

export const isTurnComplete = (record: ChannelRecord): record is ControlRecord =>
  record.kind === "control" && record.control === "turn-complete";

const opensTurn = (record: ChannelRecord): boolean => record.kind === "data";

const turnMark = (record: ControlRecord): TurnMark => ({
  ...(record.seq !== undefined && { seq: record.seq }),
  ...(record.inputSeq !== undefined && { inputSeq: record.inputSeq }),
  ...(record.timestamp !== undefined && { time: record.timestamp }),
});

function isAnswered(input: ChatInput, lastMark: ControlRecord | undefined): boolean {
  if (!lastMark) return false;
  if (lastMark.inputSeq !== undefined && input.seq !== undefined) return input.seq <= lastMark.inputSeq;
  return (input.time ?? 0) <= (lastMark.timestamp ?? Number.POSITIVE_INFINITY);
}

function countTurns(asking: ChatInput[], base: number, inputSeq: number | undefined): number | undefined {
  if (inputSeq === undefined) return undefined;
  return base + asking.filter((input) => input.seq !== undefined && input.seq <= inputSeq).length;
}

function lastSeq(records: readonly ChannelRecord[]): number | undefined {
  return records.findLast((record) => record.seq !== undefined)?.seq;
}
