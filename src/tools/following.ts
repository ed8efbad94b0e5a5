/** What the tools that follow a session share: their context for the bridge and the shape of their answer. */
import { z } from "zod";
import type { FollowContext } from "../bridge/follow.ts";
import { TURN_STATES } from "../domain/turn.ts";
import type { ToolContext } from "./define.ts";
import { nextCalls } from "./outputs.ts";

export const followedOutput = z.looseObject({
  state: z.enum(TURN_STATES).optional(),
  session: z.string(),
  seq: z.int().optional(),
  turn: z.int().optional(),
  last_turn: z.enum(TURN_STATES).optional(),
  cursor: z.string().optional(),
  run_id: z.string().optional(),
  message_id: z.string().optional(),
  next: nextCalls.optional(),
});

export const followContext = (context: ToolContext, timeoutSeconds: number | undefined): FollowContext => ({
  api: context.api,
  signal: context.signal,
  progress: context.progress,
  now: context.now,
  deadline: context.deadline(timeoutSeconds),
});
