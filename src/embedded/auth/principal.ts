/** Who is calling and what they may do, contract auth.md 1 and 3. */
import type { Environment } from "../engine/types.ts";

/** Claims of a public token that routes look at. */
export interface PublicClaims {
  scopes: string[];
  /** One-time use. */
  otu?: boolean;
  realtime?: { skipColumns?: string[] };
  act?: { sub: string; client?: string };
}

/** A caller inside one environment. `token` is the credential itself: never logged, never answered. */
export type EnvironmentPrincipal =
  | { kind: "secret"; environment: Environment; token: string }
  | { kind: "additional"; environment: Environment; token: string; scopes: string[] }
  | { kind: "public"; environment: Environment; token: string; scopes: string[]; claims: PublicClaims };

export interface PersonalPrincipal {
  kind: "personal";
  token: string;
  userId: string;
}

export type Principal = EnvironmentPrincipal | PersonalPrincipal;

/** Without an id: the whole collection, which no scope with an id can grant. */
export interface Resource {
  type: string;
  id?: string;
}

/** `anyOf` passes when one resource is granted; `every` when all are, or one of the broad alternatives `or`. */
export type Check =
  | { action: string; anyOf: Resource[] }
  | { action: string; every: Resource[]; or: Resource[] };

/** Grammar `action[:type[:id]]`: everything after the second colon is the id, colons included. */
export function grants(scope: string, action: string, resource: Resource): boolean {
  if (scope === "admin") return true;
  const [granted, type, ...rest] = scope.split(":");
  if (granted !== action && granted !== "*") return false;
  if (type === "all") return true;
  return type === resource.type && (rest.length === 0 || rest.join(":") === resource.id);
}

/** Whether the principal passes a check. Root keys pass every check; a person has their user's rights. */
export function authorize(principal: Principal, check: Check): boolean {
  if (principal.kind === "secret" || principal.kind === "personal") return true;
  const granted = (resource: Resource) =>
    principal.scopes.some((scope) => grants(scope, check.action, resource));
  if ("anyOf" in check) return check.anyOf.some(granted);
  return check.or.some(granted) || (check.every.length > 0 && check.every.every(granted));
}

/** Passes where a route has no rule of its own: a root key, a person, or an additional key holding bare `admin`. */
export const hasFullAccess = (principal: Principal): boolean =>
  principal.kind === "secret" ||
  principal.kind === "personal" ||
  (principal.kind === "additional" && principal.scopes.includes("admin"));
