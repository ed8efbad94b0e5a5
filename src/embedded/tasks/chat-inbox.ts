/**
 * An agent's side of `.in`: hands out each input once, in order, sees a stop while a turn is running, and knows which
 * positions the next `turn-complete` may report (contract channels.md 4).
 */
import { z } from "zod";
import type { Channels } from "../engine/channels.ts";
import { Message } from "../engine/snapshots.ts";
import type { ChannelAddress, StoredRecord } from "../store/channels.ts";

const ChatInput = z.looseObject({
  kind: z.string(),
  payload: z
    .looseObject({
      trigger: z.string().default("submit-message"),
      message: Message.exactOptional(),
      metadata: z.unknown().optional(),
      action: z.unknown().optional(),
    })
    .exactOptional(),
});

export type ChatInput = z.output<typeof ChatInput>;
export type ChatPayload = NonNullable<ChatInput["payload"]>;

/** What one record says; `input` is absent when nobody can read it. */
export interface Received {
  seq: number;
  input?: ChatInput;
}

export interface Inbox {
  /** The first input not yet handed out. */
  take(): Received | undefined;
  /** Whether a stop has come since the input handed out last; asking uses it up. */
  stopped(): boolean;
  /** Highest sequence number handed out or used up without a gap, and highest used up at all; -1 for none. */
  position(): { committed: number; consumed: number };
}

/** Starts behind `committed`; stops up to `consumed` have been obeyed by an earlier run and stop nothing again. */
export function openInbox(
  channels: Channels,
  address: ChannelAddress,
  start: { committed: number; consumed: number },
): Inbox {
  let { committed, consumed } = start;
  /** Stops obeyed ahead of messages that still wait. */
  const obeyed = new Set<number>();
  let watched = Math.max(committed, consumed);

  function passObeyed(): void {
    while (obeyed.delete(committed + 1)) committed += 1;
  }

  return {
    take() {
      passObeyed();
      const record = channels.read(address, committed + 1).records[0];
      if (record === undefined) return undefined;
      committed = record.seq;
      consumed = Math.max(consumed, committed);
      watched = Math.max(watched, committed);
      return receive(record);
    },
    stopped() {
      const stops = channels
        .read(address, watched + 1)
        .records.map(receive)
        .filter(({ seq, input }) => {
          watched = seq;
          return input?.kind === "stop";
        });
      for (const { seq } of stops) {
        obeyed.add(seq);
        consumed = Math.max(consumed, seq);
      }
      return stops.length > 0;
    },
    position() {
      passObeyed();
      return { committed, consumed };
    },
  };
}

function receive({ seq, body }: StoredRecord): Received {
  try {
    const { data } = JSON.parse(body) as { data: unknown };
    return { seq, input: ChatInput.parse(typeof data === "string" ? JSON.parse(data) : data) };
  } catch {
    return { seq };
  }
}
