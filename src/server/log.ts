/** Log lines as JSON on stderr; stdout belongs to the protocol. pino is loaded with the first line, not at start-up. */
import type { Logger as Pino } from "pino";
import type { Settings } from "../config/settings.ts";
import { createCleaner } from "../views/clean.ts";

export type Level = Exclude<Settings["logLevel"], "silent">;

/** Facts never hold credentials, payloads or upstream text; the errors among them may, so every line is cleaned. */
export type Logger = Readonly<Record<Level, (facts: Record<string, unknown>, message: string) => void>>;

const SEVERITY: Record<Settings["logLevel"], number> = { silent: 0, error: 1, warn: 2, info: 3, debug: 4 };

export function createLogger(level: Settings["logLevel"]): Logger {
  let loading: Promise<Pino> | undefined;
  const load = () => {
    loading ??= import("pino").then(({ pino }) =>
      pino(
        { level, base: { pid: process.pid }, hooks: { streamWrite: cleanLine } },
        pino.destination({ dest: 2, sync: true }),
      ),
    );
    return loading;
  };
  const at =
    (line: Level): Logger[Level] =>
    (facts, message) => {
      if (SEVERITY[line] > SEVERITY[level]) return;
      void load().then((pino) => pino[line](facts, message));
    };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}

const cleanLine = (line: string): string => createCleaner({ redact: true })(line);
