/** One session and where it stands. */
import { loadSession } from "../tools/get-session.ts";
import { viewSession } from "../views/session.ts";
import { completeSessionIds } from "./complete.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const session: ResourceDefinition = {
  name: "session",
  title: "Session",
  description: "One session: status, current run, channel positions, unanswered input.",
  uri: "trigger://sessions/{session}",
  permission: { action: "read", type: "sessions" },
  complete: { session: (typed, _, { api, signal }) => completeSessionIds(typed, api, signal) },
  read: async ({ session: id = "" }, context) =>
    viewSession(await loadSession(id, readContext(context)), context.view).text,
};
