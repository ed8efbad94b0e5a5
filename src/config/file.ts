/** The `--config` file: several targets, and defaults for flags. Secrets stay in the environment; the file names them. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { didYouMean } from "../domain/nearest.ts";
import { ConfigError } from "./error.ts";

const targetSchema = z.strictObject({
  apiUrl: z.string().optional(),
  /** Name of the environment variable that holds the credential. */
  secretKeyEnv: z.string().min(1).optional(),
  accessTokenEnv: z.string().min(1).optional(),
  projectRef: z.string().min(1).optional(),
  environment: z.string().min(1).optional(),
  branch: z.string().min(1).optional(),
});

const fileSchema = z.strictObject({
  targets: z.record(z.string().regex(/^[A-Za-z0-9._-]{1,40}$/), targetSchema).optional(),
  readOnly: z.boolean().optional(),
  toolsets: z.array(z.string()).min(1).optional(),
  logLevel: z.string().optional(),
  redact: z.boolean().optional(),
  redactEmails: z.boolean().optional(),
  http: z
    .strictObject({
      host: z.string().optional(),
      port: z.int().min(0).max(65_535).optional(),
      auth: z.string().optional(),
      allowedHosts: z.array(z.string()).optional(),
      allowedOrigins: z.array(z.string()).optional(),
    })
    .optional(),
});

export type ConfigFile = z.output<typeof fileSchema>;
export type ConfigFileTarget = z.output<typeof targetSchema>;

const KEYS = [
  ...Object.keys(fileSchema.shape),
  ...Object.keys(targetSchema.shape),
  "host",
  "port",
  "auth",
  "allowedHosts",
  "allowedOrigins",
];

function sentence(issue: z.core.$ZodIssue): string {
  const at = issue.path.length === 0 ? "the file" : issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return `${at}: ${issue.message}`;
  return issue.keys.map((key) => `${at} has no "${key}"${didYouMean(key, KEYS)}`).join("; ");
}

/** Throws {@link ConfigError} naming the file and every mistake in it. */
export function readConfigFile(path: string): ConfigFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? `is not JSON: ${error.message}` : "could not be read";
    throw new ConfigError(`The config file ${path} ${why}.`);
  }
  const result = fileSchema.safeParse(parsed);
  if (result.success) return result.data;
  throw new ConfigError(
    `The config file ${path} is not right. ${result.error.issues.map(sentence).join(". ")}.`,
  );
}
