/** Which environments there are, and with what credential: from the config file, else from the environment variables. */
import { credentialKind } from "../domain/access.ts";
import { ConfigError } from "./error.ts";
import type { ConfigFileTarget } from "./file.ts";
import type { TargetSettings } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_API_URL = "https://api.trigger.dev";

/** What everybody calls the environment whose key starts so. */
const NAMES: Record<string, string> = { dev: "dev", stg: "staging", prod: "prod", preview: "preview" };

/** An environment variable that is set and not blank. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === "" ? undefined : value;
}

function checkedUrl(value: string, from: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`${from} must be an http or https URL, such as ${DEFAULT_API_URL}.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError(`${from} must not hold a user name or password.`);
  }
  return value.replace(/\/+$/, "");
}

function checkedToken(token: string, from: string): string {
  if (credentialKind(token) === undefined) {
    throw new ConfigError(
      `${from} is not a Trigger.dev credential: expected a secret key (tr_dev_…, tr_stg_…, tr_prod_…, tr_preview_…), a personal access token (tr_pat_…) or a public token.`,
    );
  }
  return token;
}

const environmentName = (token: string): string | undefined =>
  NAMES[/^tr_(dev|stg|prod|preview)_/.exec(token)?.[1] ?? ""];

type Parts = Omit<TargetSettings, "name" | "embedded">;

function withCredentialChecked(parts: Parts, from: string): Parts {
  if (parts.token === undefined || credentialKind(parts.token) !== "personal") return parts;
  const missing = [
    ...(parts.projectRef === undefined ? ["the project (TRIGGER_PROJECT_REF, proj_…)"] : []),
    ...(parts.environment === undefined
      ? ["the environment (TRIGGER_ENVIRONMENT: dev, staging, prod or preview)"]
      : []),
  ];
  if (missing.length === 0) return parts;
  throw new ConfigError(`${from} holds a personal access token, which also needs ${missing.join(" and ")}.`);
}

/** The one target that `TRIGGER_…` variables describe; without a credential it has no token. */
export function targetFromEnvironment(environment: Environment, apiUrlFlag?: string): TargetSettings {
  const fromKey = variable(environment, "TRIGGER_SECRET_KEY");
  const fromToken = variable(environment, "TRIGGER_ACCESS_TOKEN");
  const source = fromKey === undefined ? "TRIGGER_ACCESS_TOKEN" : "TRIGGER_SECRET_KEY";
  const token = fromKey ?? fromToken;
  const apiUrl = apiUrlFlag ?? variable(environment, "TRIGGER_API_URL") ?? DEFAULT_API_URL;
  const projectRef = variable(environment, "TRIGGER_PROJECT_REF");
  const slug = variable(environment, "TRIGGER_ENVIRONMENT");
  const branch = variable(environment, "TRIGGER_PREVIEW_BRANCH");
  const parts: Parts = {
    apiUrl: checkedUrl(apiUrl, apiUrlFlag === undefined ? "TRIGGER_API_URL" : "--api-url"),
    ...(token === undefined ? {} : { token: checkedToken(token, source) }),
    ...(projectRef === undefined ? {} : { projectRef }),
    ...(slug === undefined ? {} : { environment: slug }),
    ...(branch === undefined ? {} : { branch }),
  };
  const name = (token === undefined ? undefined : environmentName(token)) ?? slug ?? "default";
  return { name, embedded: false, ...withCredentialChecked(parts, source) };
}

/** Throws {@link ConfigError} when the variable a target names is not set. */
export function targetFromFile(
  name: string,
  target: ConfigFileTarget,
  environment: Environment,
): TargetSettings {
  const source = target.secretKeyEnv ?? target.accessTokenEnv;
  if (source === undefined) {
    throw new ConfigError(
      `Target "${name}" names no credential: give it "secretKeyEnv" or "accessTokenEnv", the name of an environment variable.`,
    );
  }
  const token = variable(environment, source);
  if (token === undefined)
    throw new ConfigError(`Target "${name}" takes its credential from ${source}, which is not set.`);
  const parts: Parts = {
    apiUrl: checkedUrl(target.apiUrl ?? DEFAULT_API_URL, `apiUrl of target "${name}"`),
    token: checkedToken(token, source),
    ...(target.projectRef === undefined ? {} : { projectRef: target.projectRef }),
    ...(target.environment === undefined ? {} : { environment: target.environment }),
    ...(target.branch === undefined ? {} : { branch: target.branch }),
  };
  return { name, embedded: false, ...withCredentialChecked(parts, `Target "${name}"`) };
}
