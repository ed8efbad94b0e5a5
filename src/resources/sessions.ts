/** The newest sessions. */
import { loadSessions } from "../tools/list-sessions.ts";
import { viewSessions } from "../views/sessions.ts";
import type { ResourceDefinition } from "./define.ts";
import { readContext } from "./reading.ts";

export const sessions: ResourceDefinition = {
  name: "sessions",
  title: "Sessions",
  description: "The newest sessions, as a list.",
  uri: "trigger://sessions",
  permission: { action: "read", type: "sessions" },
  read: async (_, context) =>
    viewSessions(await loadSessions({}, readContext(context)), context.view, {}).text,
};
