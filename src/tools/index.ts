/** Every tool there is, in the order they are listed. */
import addRunTags from "./add-run-tags.ts";
import appendSessionRecord from "./append-session-record.ts";
import cancelRun from "./cancel-run.ts";
import closeSession from "./close-session.ts";
import compareRuns from "./compare-runs.ts";
import type { ToolDefinition } from "./define.ts";
import diagnoseRun from "./diagnose-run.ts";
import diagnoseSession from "./diagnose-session.ts";
import followRun from "./follow-run.ts";
import followSession from "./follow-session.ts";
import getConnection from "./get-connection.ts";
import getRun from "./get-run.ts";
import getRunTrace from "./get-run-trace.ts";
import getSession from "./get-session.ts";
import getSessionTranscript from "./get-session-transcript.ts";
import getSpan from "./get-span.ts";
import listRuns from "./list-runs.ts";
import listSessions from "./list-sessions.ts";
import readSessionChannel from "./read-session-channel.ts";
import replayRun from "./replay-run.ts";
import rescheduleRun from "./reschedule-run.ts";
import searchRunEvents from "./search-run-events.ts";
import sendSessionMessage from "./send-session-message.ts";
import startSession from "./start-session.ts";
import triageFailures from "./triage-failures.ts";
import triggerTask from "./trigger-task.ts";
import updateRunMetadata from "./update-run-metadata.ts";
import updateSession from "./update-session.ts";

export const tools = [
  getConnection,
  listRuns,
  getRun,
  getRunTrace,
  searchRunEvents,
  getSpan,
  diagnoseRun,
  compareRuns,
  triageFailures,
  followRun,
  triggerTask,
  replayRun,
  rescheduleRun,
  addRunTags,
  updateRunMetadata,
  cancelRun,
  listSessions,
  getSession,
  getSessionTranscript,
  readSessionChannel,
  followSession,
  diagnoseSession,
  startSession,
  sendSessionMessage,
  appendSessionRecord,
  updateSession,
  closeSession,
] as unknown as readonly ToolDefinition[];
