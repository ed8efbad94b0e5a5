/** The turns that survive on `.out`, each with its place (contract channels.md 4 and 6). */
import type { ChannelRecord, ControlRecord } from "../domain/record.ts";
import type { PlacedTurn } from "../domain/turn.ts";
import { isChunk, isKnown } from "./chunk.ts";
import { MessageFold } from "./fold.ts";
import { isTurnComplete } from "./position.ts";
import { runOfToken } from "./token.ts";
import { endOf, partsOf } from "./turn.ts";

/** Oldest first; `turnsDone`: how many had ended since the session began, for their numbers. */
export function turnsOf(out: readonly ChannelRecord[], turnsDone?: number): PlacedTurn[] {
  const turns: PlacedTurn[] = [];
  // One fold for all: a turn may go on with the message of the one before, say after an approval.
  const fold = new MessageFold();
  const place = (from: number, to: number, end?: ControlRecord): void => {
    const beginningLost = from === 0 && (out[0]?.seq ?? 0) > 0;
    turns.push(placed(out.slice(from, to), fold, { beginningLost, ...(end && { end }) }));
  };
  let from = 0;
  out.forEach((record, at) => {
    if (!isTurnComplete(record)) return;
    place(from, at + 1, record);
    from = at + 1;
  });
  const ended = turns.length;
  if (out.slice(from).some(isPartOfAnswer)) place(from, out.length);
  if (turnsDone === undefined) return turns;
  return turns.map((turn, at) => ({ ...turn, number: turnsDone - ended + at + 1 }));
}

/** Tasks that are no chat agents write whatever they like, and never end a turn. */
const isPartOfAnswer = (record: ChannelRecord): boolean =>
  record.kind === "data" && isChunk(record.data) && isKnown(record.data);

function placed(
  records: readonly ChannelRecord[],
  fold: MessageFold,
  { end, beginningLost }: { end?: ControlRecord; beginningLost: boolean },
): PlacedTurn {
  const toolAt = new Map<string, number>();
  let errorAt: number | undefined;
  for (const { kind, seq, ...rest } of records) {
    if (kind !== "data" || !("data" in rest) || !isChunk(rest.data)) continue;
    const { type, toolCallId } = rest.data;
    fold.apply(rest.data);
    if (seq === undefined) continue;
    if (typeof toolCallId === "string") toolAt.set(toolCallId, seq);
    if (type === "error") errorAt = seq;
  }
  const content = fold.endTurn();
  const runId = end?.token === undefined ? undefined : runOfToken(end.token);
  const first = records.find(({ seq }) => seq !== undefined)?.seq;
  const last = records.findLast(({ seq }) => seq !== undefined)?.seq;
  return {
    state: end ? endOf(content, beginningLost) : "running",
    ...(content.messageId !== undefined && { messageId: content.messageId }),
    ...partsOf(content.parts),
    errors: content.errors,
    ...(runId !== undefined && { runId }),
    ...(end?.inputSeq !== undefined && { inputSeq: end.inputSeq }),
    ...(beginningLost && { incomplete: true }),
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last }),
    toolAt,
    ...(errorAt !== undefined && { errorAt }),
  };
}
