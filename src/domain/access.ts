/** What a credential may do, contract auth.md 1 and 3. */

export type CredentialKind = "secret" | "additional" | "public" | "personal";

/** One thing the API checks: an action on a type of resource; `secretOnly` routes take no public token at all. */
export interface Permission {
  action: "read" | "write" | "trigger" | "admin";
  type: "runs" | "tasks" | "sessions";
  secretOnly?: boolean;
}

export interface Access {
  kind: CredentialKind;
  /** Present for public tokens: `action[:type[:id]]`. */
  scopes?: string[];
  /** Unix milliseconds, where the credential tells. */
  expiresAt?: number;
}

/** `tr_pat_…`, `tr_<env>_sk_…`, `tr_<env>_…`, else a JWT. */
export function credentialKind(token: string): CredentialKind | undefined {
  if (/^tr_(pat|oat|uat)_/.test(token)) return "personal";
  if (/^tr_(dev|stg|prod|preview)_sk_/.test(token)) return "additional";
  if (/^tr_(dev|stg|prod|preview)_/.test(token)) return "secret";
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return "public";
  return undefined;
}

/**
 * Types whose scopes let through for some resource of another type (auth.md 3): a run can be reached by its task, its
 * tags and its batch, a session by its task.
 */
const REACHED_BY: Record<Permission["type"], readonly string[]> = {
  runs: ["runs", "tasks", "tags", "batch"],
  tasks: ["tasks"],
  sessions: ["sessions", "tasks"],
};

/**
 * Whether a credential could be let through for at least one resource: a scope with an id counts, since it
 * allows the call for that id. The server has the last word.
 */
export function mayEver(access: Access, permission: Permission): boolean {
  if (access.kind !== "public") return true;
  if (permission.secretOnly) return false;
  return (access.scopes ?? []).some((scope) => {
    if (scope === "admin") return true;
    const [action, type = ""] = scope.split(":", 3);
    if (action !== permission.action && action !== "*") return false;
    return type === "all" || REACHED_BY[permission.type].includes(type);
  });
}
