/** Flags, environment and config file to one frozen record. Flags win over variables, variables over the file. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { didYouMean } from "../domain/nearest.ts";
import type { CommandLine } from "./args.ts";
import { ConfigError, NO_CREDENTIALS } from "./error.ts";
import { type ConfigFile, readConfigFile } from "./file.ts";
import { commandSpec } from "./flags.ts";
import {
  type EmbeddedSettings,
  type HttpSettings,
  type Settings,
  type TargetSettings,
  TOOLSETS,
} from "./settings.ts";
import { type Environment, targetFromEnvironment, targetFromFile, variable } from "./targets.ts";

const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
const AUTH = ["none", "keys"] as const;
const DATA_DIR = ".trigger-mcp";

type Flags = CommandLine["flags"];

const text = (flag: string | true | undefined): string | undefined => (flag === true ? undefined : flag);

const listed = (value: string | undefined): string[] | undefined =>
  value
    ?.split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function oneOf<Known extends string>(value: string, known: readonly Known[], what: string): Known {
  const found = known.find((name) => name === value);
  if (found === undefined) {
    throw new ConfigError(
      `${what} takes ${known.join(", ")}; "${value}" is none of them${didYouMean(value, known)}`,
    );
  }
  return found;
}

/** Whether only this machine can reach the address. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/i.test(host);

function port(flags: Flags, fallback: number): number {
  const typed = text(flags.port);
  if (typed === undefined) return fallback;
  if (!/^\d{1,5}$/.test(typed) || Number(typed) > 65_535)
    throw new ConfigError(`--port takes 0 to 65535, not "${typed}".`);
  return Number(typed);
}

/** The key itself is forgotten: what is compared later are digests of equal length. */
export const digest = (key: string): string => createHash("sha256").update(key).digest("hex");

const SHORTEST_KEY = 16;

function keyDigests(environment: Environment): string[] {
  const keys = listed(variable(environment, "TRIGGER_MCP_KEYS")) ?? [];
  if (keys.length === 0) {
    throw new ConfigError(
      'With --auth keys, set TRIGGER_MCP_KEYS to the bearer keys callers may use, separated by commas (make one: node -p "crypto.randomUUID()").',
    );
  }
  if (keys.some((key) => key.length < SHORTEST_KEY)) {
    throw new ConfigError(
      `A key in TRIGGER_MCP_KEYS is shorter than ${SHORTEST_KEY} characters: too easy to guess.`,
    );
  }
  return keys.map(digest);
}

function httpSettings(line: CommandLine, file: ConfigFile["http"], environment: Environment): HttpSettings {
  const { flags } = line;
  const serving = line.command === "http";
  const host = text(flags.host) ?? file?.host ?? "127.0.0.1";
  const auth = oneOf(text(flags.auth) ?? file?.auth ?? "none", AUTH, "--auth");
  if (serving && auth === "none" && !isLoopback(host)) {
    throw new ConfigError(
      `${host} can be reached from other machines: add --auth keys and set TRIGGER_MCP_KEYS, or listen on 127.0.0.1.`,
    );
  }
  return {
    host,
    port: port(flags, file?.port ?? commandSpec("http").port ?? 0),
    auth,
    keyDigests: serving && auth === "keys" ? keyDigests(environment) : [],
    allowedHosts: listed(text(flags["allowed-hosts"])) ?? file?.allowedHosts ?? [],
    allowedOrigins: listed(text(flags["allowed-origins"])) ?? file?.allowedOrigins ?? [],
  };
}

function embeddedSettings(line: CommandLine): EmbeddedSettings | undefined {
  const { command, flags } = line;
  const wanted = flags.embedded === true || command === "dev-api";
  if (!wanted) {
    if (flags.ephemeral || flags["data-dir"]) {
      throw new ConfigError("--data-dir and --ephemeral are about the embedded API: add --embedded.");
    }
    return undefined;
  }
  if (flags.ephemeral && flags["data-dir"])
    throw new ConfigError("Give --ephemeral or --data-dir, not both.");
  if (flags["api-url"]) throw new ConfigError("Give --embedded or --api-url, not both.");
  return {
    ...(flags.ephemeral ? {} : { dataDir: resolve(text(flags["data-dir"]) ?? DATA_DIR) }),
    ...(command === "dev-api" ? { port: port(flags, commandSpec("dev-api").port ?? 0) } : {}),
  };
}

function targets(
  line: CommandLine,
  file: ConfigFile,
  environment: Environment,
  embedded: boolean,
): TargetSettings[] {
  const named = Object.entries(file.targets ?? {});
  if (embedded) {
    if (named.length > 0) throw new ConfigError("Give --embedded or a config file with targets, not both.");
    return [{ name: "dev", apiUrl: "", embedded: true }];
  }
  if (named.length === 0) return [targetFromEnvironment(environment, text(line.flags["api-url"]))];
  if (line.flags["api-url"])
    throw new ConfigError('With targets in the config file, "apiUrl" belongs there, not in --api-url.');
  return named.map(([name, target]) => targetFromFile(name, target, environment));
}

function redactEmails(flags: Flags, file: ConfigFile, redact: boolean): boolean {
  if (flags["redact-emails"] === true && flags["no-redact"] === true)
    throw new ConfigError("Give --redact-emails or --no-redact, not both.");
  return redact && (flags["redact-emails"] === true || file.redactEmails === true);
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) freeze(part);
  return Object.freeze(value);
}

/** Throws {@link ConfigError}. */
export function loadSettings(line: CommandLine, environment: Environment): Settings {
  const { flags } = line;
  const path = text(flags.config);
  const file: ConfigFile = path === undefined ? {} : readConfigFile(path);
  const embedded = embeddedSettings(line);
  const redact = flags["no-redact"] !== true && file.redact !== false;
  const toolsets = listed(text(flags.toolsets)) ?? file.toolsets ?? TOOLSETS;
  return freeze({
    targets: targets(line, file, environment, embedded !== undefined),
    ...(embedded === undefined ? {} : { embedded }),
    http: httpSettings(line, file.http, environment),
    readOnly: flags["read-only"] === true || file.readOnly === true,
    toolsets: toolsets.map((name) => oneOf(name, TOOLSETS, "--toolsets")),
    logLevel: oneOf(text(flags["log-level"]) ?? file.logLevel ?? "warn", LOG_LEVELS, "--log-level"),
    redact,
    redactEmails: redactEmails(flags, file, redact),
  });
}

/** For commands that are of no use without one. Throws {@link ConfigError}. */
export function requireCredentials(settings: Settings): void {
  if (settings.targets.some((target) => target.token === undefined && !target.embedded)) {
    throw new ConfigError(NO_CREDENTIALS);
  }
}
