/** Raw records of a channel after a position: contract api.md 5.5 and 5.6. */
import { z } from "zod";
import { plainRecord } from "../bridge/plain.ts";
import type { ChannelIo, ChannelRef } from "../domain/record.ts";
import { type RecordList, viewRecords } from "../views/records.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";

const DEFAULT_LIMIT = 50;

export default defineTool({
  name: "read_session_channel",
  title: "Read session channel",
  summary:
    "Raw records of a session's .in, .out or a named channel, oldest first, after a position; does not wait.",
  effect: "read",
  toolset: "sessions",
  permission: { action: "read", type: "sessions" },
  input: z.object({
    session: params.session,
    io: params.io.default("out"),
    channel: params.channel.optional(),
    after: params.position.optional(),
    limit: z.int().min(1).max(1000).optional(),
  }),
  output: z.looseObject({
    session: z.string(),
    io: z.string(),
    cursor: z.string().optional(),
    shown: z.int(),
    more: z.int(),
    next: nextCalls.optional(),
  }),
  run: ({ session, io, channel, after, limit }, context) =>
    loadRecords(
      channelOf(session, io, channel),
      { ...(after !== undefined && { after: Number(after) }), limit: limit ?? DEFAULT_LIMIT },
      context,
    ),
  view: viewRecords,
});

export const channelOf = (session: string, io: ChannelIo, channel: string | undefined): ChannelRef => ({
  session,
  io,
  ...(channel !== undefined && { channel }),
});

/** `newest`: the last ones instead of the first, for readers who cannot go on from a cursor. */
export async function loadRecords(
  channel: ChannelRef,
  { after, limit, newest = false }: { after?: number; limit: number; newest?: boolean },
  context: ReadContext,
): Promise<RecordList> {
  const all = await context.api.channels.records(channel, after, callOptions(context));
  // Channels answer for sessions that do not exist too (api.md 5.5): as empty.
  if (all.length === 0) await context.api.sessions.retrieve(channel.session, callOptions(context));
  const kept = newest ? all.slice(-limit) : all.slice(0, limit);
  const before = newest && kept.length < all.length ? all[all.length - limit - 1]?.seq : after;
  return {
    ...channel,
    ...(before !== undefined && { after: before }),
    records: kept.map(plainRecord),
    more: newest ? 0 : all.length - kept.length,
  };
}
