/** What is connected, with what rights, and whether it answers. */
import { z } from "zod";
import { isTriggerError, type TriggerError } from "../domain/errors.ts";
import { type ConnectionFacts, viewConnection } from "../views/connection.ts";
import { defineTool, type ToolContext } from "./define.ts";
import { nextCalls } from "./outputs.ts";

/** Milliseconds: whether a server answers is soon known. */
const PATIENCE = 10_000;

export default defineTool({
  name: "get_connection",
  title: "Get connection",
  summary: "Which environment is connected, what its credential may do, and whether it answers.",
  effect: "read",
  toolset: "runs",
  input: z.object({}),
  output: z.looseObject({
    target: z.string().optional(),
    reachable: z.boolean().optional(),
    accepted: z.boolean().optional(),
    embedded: z.boolean().optional(),
    next: nextCalls.optional(),
  }),

  async run(_, context): Promise<ConnectionFacts> {
    const { api, connection } = context;
    return { ...connection, access: api.access, ...(await probe(context)) };
  },

  view: viewConnection,
});

async function probe(context: ToolContext): Promise<{ environment?: string } | { problem: TriggerError }> {
  const deadline = Math.min(context.now() + PATIENCE, context.deadline());
  try {
    return await context.api.probe({ signal: context.signal, deadline });
  } catch (problem) {
    if (isTriggerError(problem) && problem.code !== "cancelled") return { problem };
    throw problem;
  }
}
