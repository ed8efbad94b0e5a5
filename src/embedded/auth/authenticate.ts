/** From an Authorization header to a principal, contract auth.md 1, 2 and 4. */
import type { Environment } from "../engine/types.ts";
import type { EnvironmentPrincipal, PersonalPrincipal } from "./principal.ts";
import { peekClaims, verifyPublicToken } from "./tokens.ts";

/** What has to be known about keys, environments and people. */
export interface Credentials {
  byRootKey(key: string): Environment | undefined;
  byId(environmentId: string): Environment | undefined;
  /** An environment of its own under a branchable parent. */
  branch(parent: Environment, name: string): Environment | undefined;
  additional(key: string): { environment: Environment; scopes: string[] } | undefined;
  /** The user a personal access token stands for. */
  user(personalToken: string): string | undefined;
}

/** 401 with the text the route family uses; `error` is sent as it is. */
export class Unauthenticated extends Error {
  readonly status = 401;
}

/** Turns a request's headers into a principal, or throws {@link Unauthenticated}. */
export type Gate<P> = (headers: Headers) => Promise<P> | P;

export interface Gates {
  /** Root and additional keys. A public token is an unknown key here. */
  keys: Gate<EnvironmentPrincipal>;
  /** The same, and public tokens. */
  keysAndTokens: Gate<EnvironmentPrincipal>;
  /** Personal access tokens only. */
  personal: (headers: Headers) => PersonalPrincipal;
}

const ADDITIONAL_KEY = /^tr_(dev|stg|prod|preview)_sk_[0-9a-zA-Z]{24}$/;

export function createGates(credentials: Credentials): Gates {
  const key = (token: string, headers: Headers): EnvironmentPrincipal => {
    if (ADDITIONAL_KEY.test(token)) {
      const known = credentials.additional(token);
      if (known === undefined) throw new Unauthenticated("Invalid API key");
      const environment = selectBranch(known.environment, headers, credentials);
      return { kind: "additional", environment, token, scopes: known.scopes };
    }
    const root = credentials.byRootKey(token);
    if (root === undefined) throw new Unauthenticated("Invalid API key");
    return { kind: "secret", environment: selectBranch(root, headers, credentials), token };
  };

  const publicToken = async (token: string, environmentId: string | undefined) => {
    const environment = environmentId === undefined ? undefined : credentials.byId(environmentId);
    if (environment === undefined) throw new Unauthenticated("Invalid Public Access Token");
    const claims = await verifyPublicToken(token, environment.rootKey);
    if (claims === undefined) throw new Unauthenticated("Public Access Token is invalid");
    return { kind: "public" as const, environment, token, scopes: claims.scopes, claims };
  };

  return {
    keys: (headers) => key(bearer(headers, "Invalid or Missing API key"), headers),
    keysAndTokens: (headers) => {
      const token = bearer(headers, "Invalid or Missing API key");
      const peeked = peekClaims(token);
      return peeked === undefined ? key(token, headers) : publicToken(token, peeked.environmentId);
    },
    personal: (headers) => {
      const token = bearer(headers, "Invalid or Missing PAT");
      const userId = credentials.user(token);
      if (userId === undefined) throw new Unauthenticated("Invalid PAT");
      return { kind: "personal", token, userId };
    },
  };
}

/** The bearer token, or {@link Unauthenticated} with `missing`. */
export function bearer(headers: Headers, missing: string): string {
  const token = /^Bearer\s+(\S.*)$/i.exec(headers.get("authorization") ?? "")?.[1]?.trim();
  if (token === undefined) throw new Unauthenticated(missing);
  return token;
}

/** `x-trigger-branch`, auth.md 4: needed with preview keys, optional with dev keys, ignored elsewhere. */
export function selectBranch(root: Environment, headers: Headers, credentials: Credentials): Environment {
  if (root.type !== "PREVIEW" && root.type !== "DEVELOPMENT") return root;
  const name = branchName(headers.get("x-trigger-branch"));
  if (root.type === "DEVELOPMENT" && (name === undefined || name === "default")) return root;
  if (name === undefined) throw new Unauthenticated("x-trigger-branch header required for preview env");
  const branch = credentials.branch(root, name);
  if (branch === undefined) throw new Unauthenticated("No matching branch env");
  return branch;
}

const REF_PREFIX = /^refs\/(heads|remotes|tags|pull|merge|release)\//;

/** The cleaned branch name; any other `refs/…` counts as none. */
export function branchName(header: string | null): string | undefined {
  const name = (header ?? "").trim().replace(REF_PREFIX, "");
  return name === "" || name.startsWith("refs/") ? undefined : name;
}
