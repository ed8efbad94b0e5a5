/** The names of our tools, and a call one answer suggests to its reader. Descriptions interpolate these names. */
export const TOOL_NAMES = [
  "get_connection",
  "list_runs",
  "get_run",
  "get_run_trace",
  "search_run_events",
  "get_span",
  "diagnose_run",
  "compare_runs",
  "triage_failures",
  "follow_run",
  "trigger_task",
  "replay_run",
  "reschedule_run",
  "add_run_tags",
  "update_run_metadata",
  "cancel_run",
  "list_sessions",
  "get_session",
  "get_session_transcript",
  "read_session_channel",
  "follow_session",
  "diagnose_session",
  "start_session",
  "send_session_message",
  "append_session_record",
  "update_session",
  "close_session",
] as const;

export type ToolName = (typeof TOOL_NAMES)[number];

export interface Call {
  tool: ToolName;
  args: Record<string, unknown>;
}

/** `list_runs {"status":["FAILED"]}`: how a suggested call is written in text, ready to be made; always one line. */
export const formatCall = (call: Call): string =>
  `${call.tool} ${JSON.stringify(call.args).replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`)}`;

export const call = (tool: ToolName, args: Record<string, unknown> = {}): Call => ({ tool, args });
