/** What can be typed: commands, the flags each takes, and what they are for. Help and parsing are computed from it. */

export interface FlagSpec {
  type: "boolean" | "string";
  /** What stands for the value in help. */
  value?: string;
  help: string;
}

export const FLAGS = {
  embedded: { type: "boolean", help: "run against the Trigger.dev-compatible API inside; no account needed" },
  "data-dir": { type: "string", value: "dir", help: "where the embedded API keeps its data (.trigger-mcp)" },
  ephemeral: { type: "boolean", help: "keep the embedded API's data in memory only" },
  "api-url": {
    type: "string",
    value: "url",
    help: "Trigger.dev API (TRIGGER_API_URL, https://api.trigger.dev)",
  },
  "read-only": { type: "boolean", help: "offer only tools that change nothing" },
  toolsets: { type: "string", value: "a,b", help: "offer only these of runs, sessions, insight" },
  config: { type: "string", value: "file", help: "JSON file with several targets; see the README" },
  "log-level": {
    type: "string",
    value: "level",
    help: "silent, error, warn (default), info or debug; to stderr",
  },
  "redact-emails": { type: "boolean", help: "replace e-mail addresses as well" },
  "no-redact": { type: "boolean", help: "show secrets found in upstream text instead of placeholders" },
  host: { type: "string", value: "address", help: "address to listen on (127.0.0.1)" },
  port: { type: "string", value: "n", help: "port to listen on; 0 picks a free one" },
  auth: { type: "string", value: "how", help: "none (loopback only) or keys (TRIGGER_MCP_KEYS=key,key)" },
  "allowed-hosts": { type: "string", value: "a,b", help: "further host names requests may be addressed to" },
  "allowed-origins": { type: "string", value: "a,b", help: "further host names of web pages that may call" },
  json: { type: "boolean", help: "print the structured part instead of the text" },
  help: { type: "boolean", help: "show this" },
  version: { type: "boolean", help: "show the version" },
} as const satisfies Record<string, FlagSpec>;

export type FlagName = keyof typeof FLAGS;

const EMBEDDED = ["data-dir", "ephemeral"] as const;
const SERVING = [
  "embedded",
  ...EMBEDDED,
  "api-url",
  "read-only",
  "toolsets",
  "config",
  "log-level",
  "no-redact",
  "redact-emails",
] as const;

export interface CommandSpec {
  does: string;
  flags: readonly FlagName[];
  /** What follows the command's name, as help shows it. */
  operands?: string;
  /** How many operands at least and at most. */
  count?: readonly [number, number];
  /** `--port` when it is not given. */
  port?: number;
}

export const COMMANDS = {
  stdio: { does: "serve MCP over stdio (the default)", flags: SERVING },
  http: {
    does: "serve MCP over HTTP at /mcp, with /healthz, /readyz and /metrics",
    flags: ["host", "port", "auth", "allowed-hosts", "allowed-origins", ...SERVING],
    port: 3333,
  },
  "dev-api": {
    does: "serve the embedded Trigger.dev-compatible API alone",
    flags: ["port", ...EMBEDDED, "log-level"],
    port: 3030,
  },
  call: {
    does: "call one tool and print its text",
    flags: ["json", ...SERVING],
    operands: "<tool> [json]",
    count: [1, 2],
  },
  tools: {
    does: "list the tools with what each does to the world and what it costs to offer",
    flags: ["read-only", "toolsets", "config"],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;

export const commandSpec = (name: CommandName): CommandSpec => COMMANDS[name];

/** Flags every command takes. */
export const COMMON_FLAGS: readonly FlagName[] = ["help", "version"];
