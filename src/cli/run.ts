/** Runs one command to its end. */
import { type Composition, compose, openEmbedded } from "../compose.ts";
import type { CommandLine } from "../config/args.ts";
import { helpText } from "../config/help.ts";
import { loadSettings, requireCredentials } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { Environment } from "../config/targets.ts";
import { version } from "../config/version.ts";
import { createLogger } from "../server/log.ts";
import { call } from "./call.ts";
import type { Output } from "./output.ts";
import { toolTable } from "./tools.ts";
import { devApiWelcome, httpWelcome } from "./welcome.ts";

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function stdio({ service, embedded }: Composition, stop: AbortSignal): Promise<number> {
  const { serveOverStdio } = await import("../server/transports/stdio.ts");
  const served = serveOverStdio(service, stop);
  // Runs should be happening when the first question comes; a failure is told by the first call.
  void embedded?.().catch((error) => service.log.error({ err: error }, "embedded API did not start"));
  await served;
  return 0;
}

async function http(
  { service, embedded }: Composition,
  settings: Settings,
  output: Output,
  stop: AbortSignal,
): Promise<number> {
  const { serveOverHttp } = await import("../server/transports/http.ts");
  const api = await embedded?.();
  const server = await serveOverHttp(service, settings.http);
  output.out(httpWelcome(server.url, settings.http.auth === "keys", api));
  await aborted(stop);
  await server.close();
  return 0;
}

async function devApi(settings: Settings, output: Output, stop: AbortSignal): Promise<number> {
  const api = await openEmbedded(settings, createLogger(settings.logLevel));
  output.out(devApiWelcome(api));
  await aborted(stop);
  await api.close();
  return 0;
}

/** Exit status. Throws {@link ConfigError}. */
export async function run(
  line: CommandLine,
  environment: Environment,
  output: Output,
  stop: AbortSignal,
): Promise<number> {
  if (line.flags.version || line.flags.help) {
    output.out(line.flags.version ? version : helpText(line.named ? line.command : undefined));
    return 0;
  }
  const settings = loadSettings(line, environment);
  if (line.command === "http" || line.command === "call") requireCredentials(settings);
  if (line.command === "dev-api") return devApi(settings, output, stop);

  const composition = await compose(settings);
  try {
    switch (line.command) {
      case "stdio":
        return await stdio(composition, stop);
      case "http":
        return await http(composition, settings, output, stop);
      case "call":
        return await call(composition.service, line, output, stop);
      case "tools":
        output.out(toolTable(composition.service));
        return 0;
    }
  } finally {
    await composition.close();
  }
}
