/** A session's conversation as messages: contract api.md 4.8 and 4.9, channels.md 10. */
import { z } from "zod";
import { loadConversation } from "../bridge/conversation.ts";
import { type TranscriptFacts, viewTranscript } from "../views/transcript.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { callOptions, type ReadContext } from "./reading.ts";

export default defineTool({
  name: "get_session_transcript",
  title: "Get session transcript",
  summary:
    "A session's conversation as messages, oldest first, the newest that fit: tool calls with results, errors, the run of each turn.",
  effect: "read",
  toolset: "sessions",
  permission: { action: "read", type: "sessions" },
  input: z.object({
    session: params.session,
    before: z.string().min(1).max(500).optional().describe("message id: only older ones"),
    reasoning: z.boolean().optional(),
  }),
  output: z.looseObject({
    session: z.string(),
    messages: z.int(),
    shown: z.int(),
    turns: z.int().optional(),
    before: z.string().optional(),
    cursor: z.string().optional(),
    next: nextCalls.optional(),
  }),
  run: ({ session, before }, context) => loadTranscript(session, context, before),
  view: viewTranscript,
});

/** `before`: only the messages before that one. */
export async function loadTranscript(
  id: string,
  context: ReadContext,
  before?: string,
): Promise<TranscriptFacts> {
  const options = callOptions(context);
  const session = await context.api.sessions.retrieve(id, options);
  return { session, ...(await loadConversation(context.api, session, options, before)) };
}
