/** `--help`, computed from the tables that parsing uses. */
import { COMMANDS, COMMON_FLAGS, type CommandName, commandSpec, FLAGS, type FlagName } from "./flags.ts";

const rows = (pairs: [string, string][]): string => {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
};

function flagRow(name: FlagName): [string, string] {
  const { value, help }: { value?: string; help: string } = FLAGS[name];
  return [`--${name}${value === undefined ? "" : ` <${value}>`}`, help];
}

const VARIABLES: [string, string][] = [
  ["TRIGGER_SECRET_KEY", "secret key of an environment (tr_dev_…, tr_stg_…, tr_prod_…, tr_preview_…)"],
  ["TRIGGER_ACCESS_TOKEN", "personal access token (tr_pat_…) or a public token"],
  ["TRIGGER_PROJECT_REF, TRIGGER_ENVIRONMENT", "which environment a personal access token means"],
  ["TRIGGER_PREVIEW_BRANCH", "branch of a preview environment"],
  ["TRIGGER_API_URL", "https://api.trigger.dev unless set"],
  ["TRIGGER_MCP_KEYS", "bearer keys of http --auth keys, separated by commas"],
];

/** Help for one command, or for the program. */
export function helpText(command?: CommandName): string {
  if (command === undefined) {
    return [
      "trigger-mcp: see, debug and drive Trigger.dev runs and sessions from an AI agent",
      "",
      "Usage: trigger-mcp [command] [flags]",
      "",
      rows(
        Object.entries(COMMANDS).map(([name, spec]) => [
          "operands" in spec ? `${name} ${spec.operands}` : name,
          spec.does,
        ]),
      ),
      "",
      "Environment:",
      rows(VARIABLES),
      "",
      "Flags of a command: trigger-mcp <command> --help",
    ].join("\n");
  }
  const spec = commandSpec(command);
  return [
    `trigger-mcp ${command}${spec.operands === undefined ? "" : ` ${spec.operands}`}: ${spec.does}`,
    "",
    rows([...spec.flags, ...COMMON_FLAGS].map(flagRow)),
  ].join("\n");
}
