/** The newest records of a session's channels; the tools read on from any position. */
import { TriggerError } from "../domain/errors.ts";
import type { ChannelIo } from "../domain/record.ts";
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
  read: ({ session = "", io = "" }, context) => readChannel(session, io, undefined, context),
};

export const namedChannel: ResourceDefinition = {
  name: "session_named_channel",
  title: "Session side channel",
  description: "The newest records of a named channel.",
  uri: "trigger://sessions/{session}/channels/{name}/{io}",
  permission: { action: "read", type: "sessions" },
  complete,
  read: ({ session = "", name = "", io = "" }, context) => readChannel(session, io, name, context),
};

async function readChannel(
  session: string,
  io: string,
  name: string | undefined,
  context: ResourceContext,
): Promise<string> {
  if (!isIo(io)) throw new TriggerError("not_found", `a session has the channels in and out, not "${io}"`);
  const records = await loadRecords(
    channelOf(session, io, name),
    { limit: NEWEST, newest: true },
    readContext(context),
  );
  return viewRecords(records, context.view).text;
}

const isIo = (io: string): io is ChannelIo => io === "in" || io === "out";
