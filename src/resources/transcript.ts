/** A session's conversation as messages. */
import { loadConversation } from "../bridge/conversation.ts";
import { callOptions } from "../tools/reading.ts";
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
  async read({ session: id = "" }, context) {
    const options = callOptions(readContext(context));
    const session = await context.api.sessions.retrieve(id, options);
    return viewTranscript(
      { session, ...(await loadConversation(context.api, session, options)) },
      context.view,
    );
  },
};
