/** What a client is made from. */
import { credentialKind } from "../domain/access.ts";
import { TriggerError } from "../domain/errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import { createTransport, type Transport } from "./transport.ts";

/** Milliseconds. */
export interface Timeouts {
  /** One attempt of an ordinary call, its body included. */
  attempt: number;
  /** The same for traces and events. */
  slowAttempt: number;
  /** All attempts of one call and the waits between them. */
  budget: number;
  /** Until a stream has answered with headers. */
  connect: number;
  /** Silence on a stream after which it counts as dead: about three missed pings. */
  idle: number;
}

export interface ClientSettings {
  /** Origin, with a path in front of `/api` if the server has one. */
  apiUrl: string;
  token: string;
  /** A personal token needs both. `staging` and `stg` mean the same. */
  projectRef?: string;
  environment?: string;
  branch?: string;
  userAgent?: string;
  timeouts?: Partial<Timeouts>;
  now?: Clock["now"];
  random?: Clock["random"];
  sleep?: Clock["sleep"];
  /** Connections shared with other clients; closing the client then leaves them open. */
  transport?: Transport;
}

/** Checked settings with everything filled in. */
export interface ClientContext extends Pick<ClientSettings, "projectRef" | "environment" | "branch"> {
  /** Without a slash at its end: paths are put right behind it. */
  base: string;
  token: string;
  userAgent: string;
  timeouts: Timeouts;
  clock: Clock;
  transport: Transport;
  ownsTransport: boolean;
}

/** Contract retries.md 4. */
const DEFAULT_TIMEOUTS: Timeouts = {
  attempt: 30_000,
  slowAttempt: 60_000,
  budget: 60_000,
  connect: 30_000,
  idle: 45_000,
};

/** Throws `not_configured` for a URL or a credential that cannot work; the message never repeats the credential. */
export function clientContext(settings: ClientSettings): ClientContext {
  const token = settings.token.trim();
  if (!/^[\x21-\x7e]+$/.test(token) || credentialKind(token) === undefined) {
    throw new TriggerError(
      "not_configured",
      "The credential is neither a secret key (tr_dev_…), a personal access token (tr_pat_…) nor a public token.",
    );
  }
  const { projectRef, environment, branch, transport } = settings;
  return {
    base: baseUrl(settings.apiUrl),
    token,
    ...(projectRef !== undefined && { projectRef }),
    ...(environment !== undefined && { environment }),
    ...(branch !== undefined && { branch }),
    userAgent: settings.userAgent ?? "trigger-mcp",
    timeouts: { ...DEFAULT_TIMEOUTS, ...settings.timeouts },
    clock: {
      now: settings.now ?? systemClock.now,
      random: settings.random ?? systemClock.random,
      sleep: settings.sleep ?? systemClock.sleep,
    },
    transport: transport ?? createTransport(),
    ownsTransport: transport === undefined,
  };
}

function baseUrl(apiUrl: string): string {
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new TriggerError("not_configured", "The API URL must be an http(s) URL without user and password.");
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}
