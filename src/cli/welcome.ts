/** What `http` and `dev-api` print once they listen: how to connect, and what to ask first. */
import type { EmbeddedApi } from "../compose.ts";
import type { ToolName } from "../domain/calls.ts";

/** The key in client configurations; `trigger` is what Trigger.dev's own server is called. */
const SERVER_KEY = "trigger-runs";

interface Question {
  ask: string;
  tools: ToolName[];
}

/** About what the embedded API has had happen when it starts. */
const EXAMPLE_QUESTIONS: Question[] = [
  { ask: "Why did the newest process-order run fail?", tools: ["list_runs", "diagnose_run"] },
  { ask: "Where does sync-inventory spend its time?", tools: ["get_run_trace", "get_span"] },
  {
    ask: "Ask the support agent in chat-81 where order 4821 is, and show me the answer.",
    tools: ["send_session_message"],
  },
];

const QUESTIONS: Question[] = [
  {
    ask: "What failed today, what is new, and why?",
    tools: ["triage_failures", "diagnose_run"],
  },
  {
    ask: "Where does the slowest run of the last day spend its time?",
    tools: ["list_runs", "get_run_trace"],
  },
  { ask: "Is any conversation waiting for an answer?", tools: ["list_sessions", "diagnose_session"] },
];

const header = (withKey: boolean): string => (withKey ? ' --header "Authorization: Bearer <key>"' : "");

export function httpWelcome(url: string, withKey: boolean, embedded: EmbeddedApi | undefined): string {
  const entry = {
    type: "http",
    url,
    ...(withKey ? { headers: { Authorization: "Bearer <key>" } } : {}),
  };
  return [
    `trigger-mcp serves MCP at ${url}`,
    ...(embedded === undefined ? [] : ["", ...embeddedLines(embedded)]),
    "",
    "Connect a client:",
    `  Claude Code   claude mcp add --transport http ${SERVER_KEY} ${url}${header(withKey)}`,
    `  VS Code       code --add-mcp '${JSON.stringify({ name: SERVER_KEY, ...entry })}'`,
    `  Cursor        ~/.cursor/mcp.json: ${JSON.stringify({ mcpServers: { [SERVER_KEY]: { url, ...(withKey ? { headers: entry.headers } : {}) } } })}`,
    `  other         {"mcpServers":{"${SERVER_KEY}":${JSON.stringify(entry)}}}`,
    "",
    "Three things to ask:",
    ...(embedded === undefined ? QUESTIONS : EXAMPLE_QUESTIONS).map(
      ({ ask, tools }) => `  "${ask}"\n      uses ${tools.join(", ")}`,
    ),
    "",
    "Ctrl-C stops it.",
  ].join("\n");
}

function embeddedLines(api: EmbeddedApi): string[] {
  return [
    `Embedded Trigger.dev API at ${api.url}, for any Trigger.dev client:`,
    `  TRIGGER_API_URL=${api.url}`,
    `  TRIGGER_SECRET_KEY=${api.secretKey}`,
  ];
}

export function devApiWelcome(api: EmbeddedApi): string {
  return [...embeddedLines(api), `  TRIGGER_PROJECT_REF=${api.projectRef}`, "", "Ctrl-C stops it."].join(
    "\n",
  );
}
