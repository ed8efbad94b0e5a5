/** Streams `.out` as progress until something has happened: design section 5. */
import { z } from "zod";
import { locateAndFollow } from "../bridge/follow.ts";
import type { Until } from "../bridge/turn.ts";
import { viewFollowed } from "../views/turn.ts";
import { defineTool } from "./define.ts";
import { followContext, followedOutput } from "./following.ts";
import * as params from "./params.ts";

/** Records after which `count` ends when nobody says. */
const DEFAULT_COUNT = 100;

export default defineTool({
  name: "follow_session",
  title: "Follow session",
  summary:
    "Stream a session's .out as progress until the turn ends, the session closes, a count of records or the deadline. Without after: the turn under way, or the next one.",
  effect: "read",
  toolset: "sessions",
  permission: { action: "read", type: "sessions" },
  input: z.object({
    session: params.session,
    after: z.union([params.position, z.literal("start")]).optional(),
    until_seq: params.position.optional().describe("the turn that answers this .in record"),
    until: z.enum(["turn", "closed", "count"]).optional().describe("default turn"),
    count: z.int().min(1).max(10_000).optional(),
    timeout_seconds: params.timeoutSeconds.optional(),
  }),
  output: followedOutput,

  run({ session, after, until_seq, until, count, timeout_seconds }, context) {
    context.progress.report(`${session} · following`);
    return locateAndFollow(
      session,
      {
        until: untilOf(until, count),
        ...(after !== undefined && { after: after === "start" ? after : Number(after) }),
        ...(until_seq !== undefined && { seq: Number(until_seq) }),
      },
      followContext(context, timeout_seconds),
    );
  },

  view: (followed, context, { until, count }) =>
    viewFollowed(followed, context, {
      again: { ...(until !== undefined && { until }), ...(count !== undefined && { count }) },
    }),
});

function untilOf(until: "turn" | "closed" | "count" | undefined, count: number | undefined): Until {
  if (until === "count" || (until === undefined && count !== undefined)) {
    return { count: count ?? DEFAULT_COUNT };
  }
  return until ?? "turn";
}
