/** `call <tool> [json]`: one tool call from the terminal; progress goes to stderr as it arrives. */
import type { CommandLine } from "../config/args.ts";
import { ConfigError } from "../config/error.ts";
import { didYouMean } from "../domain/nearest.ts";
import { callTool } from "../server/pipeline.ts";
import type { Service } from "../server/service.ts";
import type { Output } from "./output.ts";

function parsedArguments(typed: string | undefined): unknown {
  if (typed === undefined) return {};
  try {
    return JSON.parse(typed);
  } catch {
    throw new ConfigError(
      `The arguments are not JSON: ${typed.slice(0, 80)}. Write them as '{"name":"value"}'.`,
    );
  }
}

/** Exit status: 0, or 1 when the answer is an error. Throws {@link ConfigError} before anything is called. */
export async function call(
  service: Service,
  line: CommandLine,
  output: Output,
  stop: AbortSignal,
): Promise<number> {
  const [name = "", json] = line.operands;
  const tool = service.surface.tools.find((known) => known.name === name);
  if (tool === undefined) {
    const names = service.surface.tools.map((known) => known.name);
    throw new ConfigError(
      `There is no tool "${name}"${didYouMean(name, names) || ". List them: trigger-mcp tools"}`,
    );
  }
  const answer = await callTool(service, tool, parsedArguments(json), {
    signal: stop,
    progress: ({ message }) => output.err(message),
  });
  output.out(line.flags.json === true ? JSON.stringify(answer.structured, null, 2) : answer.text);
  return answer.isError ? 1 : 0;
}
