/** From argv to an exit status. */
import { readCommandLine } from "../config/args.ts";
import { ConfigError } from "../config/error.ts";
import type { Environment } from "../config/targets.ts";
import { terminal } from "./output.ts";
import { run } from "./run.ts";

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === "EADDRINUSE")
    return `${address}:${port} is in use. Choose another port with --port, or --port 0.`;
  if (code === "EADDRNOTAVAIL")
    return `${address} is no address of this machine. Choose another with --host.`;
  return error instanceof ConfigError || code !== undefined ? error.message : (error.stack ?? error.message);
}

/** Exit status: 2 for a mistake in how it was started, 1 for anything else that kept it from doing its work. */
export async function start(argv: string[], environment: Environment, stop: AbortSignal): Promise<number> {
  // Node would print the line of the bundle it happened in, all of it.
  process.on("uncaughtException", (error) => {
    terminal.err(`trigger-mcp: ${error.stack ?? error.message}`);
    process.exit(1);
  });
  try {
    return await run(readCommandLine(argv), environment, terminal, stop);
  } catch (error) {
    terminal.err(`trigger-mcp: ${words(error)}`);
    return error instanceof ConfigError ? 2 : 1;
  }
}
