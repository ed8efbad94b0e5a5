/** argv to a command and its flags. What is not known is refused with the nearest name that is. */
import { parseArgs } from "node:util";
import { didYouMean } from "../domain/nearest.ts";
import { ConfigError } from "./error.ts";
import { COMMANDS, COMMON_FLAGS, type CommandName, commandSpec, FLAGS, type FlagName } from "./flags.ts";

export interface CommandLine {
  command: CommandName;
  /** Whether the command was named, or is the default. */
  named: boolean;
  /** Boolean flags that were given are `true`. */
  flags: Partial<Record<FlagName, string | true>>;
  operands: string[];
}

const isFlag = (name: string): name is FlagName => Object.hasOwn(FLAGS, name);
const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

function readFlags(argv: string[]) {
  const { tokens } = parseArgs({
    args: argv,
    options: Object.fromEntries(Object.entries(FLAGS).map(([name, { type }]) => [name, { type }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags: CommandLine["flags"] = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { name, value } = token;
    if (!isFlag(name)) {
      throw new ConfigError(`${token.rawName} is not a flag${didYouMean(name, Object.keys(FLAGS))}`);
    }
    if (FLAGS[name].type === "boolean") {
      if (value !== undefined) throw new ConfigError(`--${name} takes no value.`);
      flags[name] = true;
    } else {
      if (value === undefined || value === "")
        throw new ConfigError(`--${name} needs a value: ${FLAGS[name].help}.`);
      flags[name] = value;
    }
  }
  return { flags, operands };
}

/** Throws {@link ConfigError}. */
export function readCommandLine(argv: string[]): CommandLine {
  const { flags, operands } = readFlags(argv);
  const [first, ...rest] = operands;
  if (first !== undefined && !isCommand(first)) {
    throw new ConfigError(
      `"${first}" is not a command${didYouMean(first, Object.keys(COMMANDS)) || `; there are ${Object.keys(COMMANDS).join(", ")}.`}`,
    );
  }
  const command = first ?? "stdio";
  const spec = commandSpec(command);
  for (const name of Object.keys(flags).filter(isFlag)) {
    if (spec.flags.includes(name) || COMMON_FLAGS.includes(name)) continue;
    const takers = Object.keys(COMMANDS)
      .filter(isCommand)
      .filter((other) => commandSpec(other).flags.includes(name));
    throw new ConfigError(`--${name} is not a flag of ${command}; it belongs to ${takers.join(", ")}.`);
  }
  const [least, most] = spec.count ?? [0, 0];
  if (!flags.help && !flags.version && (rest.length < least || rest.length > most)) {
    throw new ConfigError(
      `Usage: trigger-mcp ${command}${spec.operands === undefined ? "" : ` ${spec.operands}`}; got ${rest.length} further argument${rest.length === 1 ? "" : "s"}.`,
    );
  }
  return { command, named: first !== undefined, flags, operands: rest };
}
