/** A session's conversation as messages. */
import { loadTranscript } from "../tools/get-session-transcript.ts";
import { viewTranscript } from "../views/transcript.ts";
import { completeSessionIds } from "./complete.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const transcript: ResourceDefinition = {
  name: "session_transcript",
  title: "Session transcript",
  description: "The conversation as messages, newest last.",
  uri: "trigger://sessions/{session}/transcript",
  permission: { action: "read", type: "sessions" },
  complete: { session: (typed, _, { api, signal }) => completeSessionIds(typed, api, signal) },
  channels: ({ session = "" }) => [
    { session, io: "out" },
    { session, io: "in" },
  ],
  read: async ({ session = "" }, context) =>
    viewTranscript(await loadTranscript(session, readContext(context)), context.view).text,
};
