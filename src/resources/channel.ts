/** The newest records of a session's channels; the tools read on from any position. */
import { TriggerError } from "../domain/errors.ts";
import type { ChannelIo, ChannelRef } from "../domain/record.ts";
import { channelOf, loadRecords } from "../tools/read-session-channel.ts";
import { viewRecords } from "../views/records.ts";
import { completeSessionIds } from "./complete.ts";
import type { ResourceContext, ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

const NEWEST = 50;

const complete: NonNullable<ResourceDefinition["complete"]> = {
  session: (typed, _, { api, signal }) => completeSessionIds(typed, api, signal),
  io: async (typed) => ["in", "out"].filter((io) => io.startsWith(typed)),
};

export const channel: ResourceDefinition = {
  name: "session_channel",
  title: "Session channel",
  description: "The newest records of .in or .out.",
  uri: "trigger://sessions/{session}/channels/{io}",
  permission: { action: "read", type: "sessions" },
  complete,
  channels: (variables) => [named(variables)],
  read: readChannel,
};

export const namedChannel: ResourceDefinition = {
  name: "session_named_channel",
  title: "Session side channel",
  description: "The newest records of a named channel.",
  uri: "trigger://sessions/{session}/channels/{name}/{io}",
  permission: { action: "read", type: "sessions" },
  complete,
  channels: (variables) => [named(variables)],
  read: readChannel,
};

function named({ session = "", name, io = "" }: Record<string, string>): ChannelRef {
  if (!isIo(io)) throw new TriggerError("not_found", `a session has the channels in and out, not "${io}"`);
  return channelOf(session, io, name);
}

async function readChannel(variables: Record<string, string>, context: ResourceContext): Promise<string> {
  const asked = { limit: NEWEST, newest: true };
  const records = await loadRecords(named(variables), asked, readContext(context));
  return viewRecords(records, context.view).text;
}

const isIo = (io: string): io is ChannelIo => io === "in" || io === "out";
