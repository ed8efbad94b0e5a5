/** What the flags, the environment and the config file come to: read once, frozen, handed down. */

export const TOOLSETS = ["runs", "sessions", "insight"] as const;
export type Toolset = (typeof TOOLSETS)[number];

/** One environment the server can talk to. `name` is what a caller says in the `target` argument. */
export interface TargetSettings {
  name: string;
  apiUrl: string;
  /** Absent only when nothing was configured; every call then answers with what to set. */
  token?: string;
  projectRef?: string;
  environment?: string;
  branch?: string;
  embedded: boolean;
}

export interface EmbeddedSettings {
  /** Absent with `--ephemeral`: kept in memory. */
  dataDir?: string;
  port?: number;
}

export interface HttpSettings {
  host: string;
  port: number;
  auth: "none" | "keys";
  /** SHA-256 hex digests of the bearer keys accepted with `--auth keys`. */
  keyDigests: string[];
  allowedHosts: string[];
  allowedOrigins: string[];
}

export interface Settings {
  targets: TargetSettings[];
  embedded?: EmbeddedSettings;
  http: HttpSettings;
  readOnly: boolean;
  toolsets: Toolset[];
  logLevel: "silent" | "error" | "warn" | "info" | "debug";
  redact: boolean;
  /** E-mail addresses too. */
  redactEmails: boolean;
}
