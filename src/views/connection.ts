/** What this server is connected to and what it may do there. Never the credential itself. */
import { type Access, type CredentialKind, mayEver, type Permission } from "../domain/access.ts";
import { type Call, call } from "../domain/calls.ts";
import type { ErrorCode, TriggerError } from "../domain/errors.ts";
import type { Answer, ViewContext } from "./answer.ts";
import { type Block, render } from "./document.ts";
import { age, dateTime, oneLine } from "./format.ts";
import { nextLines } from "./next.ts";

export interface ConnectionFacts {
  apiUrl: string;
  embedded: boolean;
  readOnly: boolean;
  version: string;
  targets: readonly string[];
  access: Access;
  /** As the API tells it. */
  environment?: string;
  /** Why the API could not be reached, or did not accept the credential. */
  problem?: TriggerError;
}

/** Contract auth.md 1. */
const KINDS: Record<CredentialKind, string> = {
  secret: "secret key, everything in its environment",
  additional: "additional secret key, what its scopes allow: only the API knows them",
  public: "public token",
  personal: "personal access token, exchanged for access to one environment",
};

/** What a public token's scopes are good for, in the words of our tools (auth.md 3). */
const ABILITIES: readonly (readonly [string, Permission])[] = [
  ["read runs", { action: "read", type: "runs" }],
  ["trigger tasks", { action: "trigger", type: "tasks" }],
  ["cancel runs", { action: "write", type: "runs" }],
  ["read sessions", { action: "read", type: "sessions" }],
  ["start sessions and write to them", { action: "write", type: "sessions" }],
  ["update and close sessions", { action: "admin", type: "sessions" }],
];

export function viewConnection(facts: ConnectionFacts, context: ViewContext): Answer {
  const { access, problem, environment } = facts;
  const next = nextCalls(facts);
  const blocks: Block[] = [
    headline(facts, context),
    `credential ${KINDS[access.kind]}${expiry(access, context)}`,
    ...(access.kind === "public" ? scopes(access, context) : []),
    facts.readOnly ? "started with --read-only: nothing here changes anything" : undefined,
    facts.targets.length > 1 ? `targets ${facts.targets.join(", ")}: say which with "target"` : undefined,
    `server trigger-mcp ${facts.version}`,
    nextLines(next, context),
  ];
  return {
    text: render(blocks, context.budget).text,
    structured: {
      target: context.target,
      ...(environment !== undefined && { environment }),
      api_url: facts.apiUrl,
      embedded: facts.embedded,
      reachable: !(problem && NO_ANSWER.has(problem.code)),
      accepted: problem === undefined,
      ...(problem && {
        problem: { code: problem.code, ...(problem.status !== undefined && { status: problem.status }) },
      }),
      credential: {
        kind: access.kind,
        ...(access.scopes && { scopes: access.scopes }),
        ...(access.expiresAt !== undefined && { expires_at: access.expiresAt }),
      },
      read_only: facts.readOnly,
      targets: facts.targets,
      version: facts.version,
      next,
    },
  };
}

function headline({ apiUrl, embedded, environment, problem }: ConnectionFacts, context: ViewContext): string {
  const place =
    environment === undefined || environment === context.target
      ? []
      : [`environment ${foreign(environment, context)}`];
  const api = `${embedded ? "embedded API" : "API"} at ${foreign(apiUrl, context)}`;
  return [
    context.target,
    ...place,
    api,
    problem ? trouble(problem, context) : "reachable, credential accepted",
  ].join(" · ");
}

const NO_ANSWER: ReadonlySet<ErrorCode> = new Set(["unreachable", "timeout"]);

function trouble(problem: TriggerError, context: ViewContext): string {
  const why = foreign(problem.message, context).replace(/\.$/, "");
  if (problem.code === "unauthorized") {
    return `reachable, but the credential is NOT accepted (${why}): the user has to set a valid TRIGGER_SECRET_KEY or TRIGGER_ACCESS_TOKEN`;
  }
  if (problem.code === "forbidden") return `reachable, but the credential may not be used here (${why})`;
  if (NO_ANSWER.has(problem.code)) {
    return `NOT reachable (${why}): check TRIGGER_API_URL and the network`;
  }
  return `not sure to work: ${problem.code} (${why})`;
}

function expiry({ expiresAt }: Access, context: ViewContext): string {
  if (expiresAt === undefined) return "";
  const when =
    expiresAt > context.now
      ? `expires ${age(expiresAt, context.now)}`
      : `EXPIRED ${age(expiresAt, context.now)} ago`;
  return `, ${when} (${dateTime(expiresAt)})`;
}

function scopes(access: Access, context: ViewContext): Block[] {
  const granted = access.scopes ?? [];
  const can = ABILITIES.filter(([, permission]) => mayEver(access, permission)).map(([words]) => words);
  return [
    `may ${can.join(", ") || "do nothing"}, as far as its scopes reach; replay, reschedule, tags and metadata need a secret key`,
    {
      rows: granted.map((scope) => ({ text: `scope ${foreign(scope, context)}` })),
      omitted: (shown, total) =>
        `${total - shown} of ${total} scopes not shown: get_connection {"max_tokens":20000}`,
    },
  ];
}

const foreign = (text: string, context: ViewContext): string => oneLine(context.clean(text), 300);

function nextCalls({ access, problem }: ConnectionFacts): Call[] {
  if (problem) return [];
  return [
    ...(mayEver(access, { action: "read", type: "runs" }) ? [call("list_runs")] : []),
    ...(mayEver(access, { action: "read", type: "sessions" }) ? [call("list_sessions")] : []),
  ];
}
