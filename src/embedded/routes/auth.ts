/** Minting public tokens through the API, contract auth.md 2.2. */
import type { Hono } from "hono";
import { z } from "zod";
import type { Gates } from "../auth/authenticate.ts";
import { type EnvironmentPrincipal, grants } from "../auth/principal.ts";
import { mintPublicToken } from "../auth/tokens.ts";
import { readText } from "./body.ts";
import { action, route } from "./builder.ts";
import { jsonOf, mountPlain, plain } from "./plain.ts";
import { error, lateMethodNotAllowed } from "./replies.ts";

const MAX_LIFE_SECONDS = 30 * 86_400;

export const ClaimsBody = z.object({
  claims: z
    .object({ scopes: z.array(z.string()).optional() })
    .loose()
    .optional(),
  expirationTime: z.union([z.number(), z.string()]).optional(),
});

const PublicTokenBody = z.object({
  scopes: z.array(z.string()).min(1),
  expirationTime: z.union([z.number(), z.string()]).optional(),
  oneTimeUse: z.boolean().optional(),
  realtime: z.object({ skipColumns: z.array(z.string()).optional() }).optional(),
});

export interface AuthDeps {
  gates: Gates;
  now(): number;
}

export const invalidBody = (issues?: z.core.$ZodIssue[]): Response =>
  Response.json({ error: "Invalid request body", ...(issues ? { issues } : {}) }, { status: 400 });

export function authRoutes(app: Hono, { gates, now }: AuthDeps): void {
  const unauthorized = "Invalid or Missing API key";

  mountPlain(app, "/api/v1/auth/jwt", {
    post: plain(gates, unauthorized, async ({ principal, request }) => {
      const body = ClaimsBody.safeParse(await jsonOf(request));
      if (!body.success) return invalidBody(body.error.issues);
      const { claims = {}, expirationTime = "1h" } = body.data;
      return Response.json({ token: await mintPublicToken(principal.environment, claims, expirationTime) });
    }),
    otherwise: lateMethodNotAllowed,
    failure: () => error(500, "Internal Server Error"),
  });

  mountPlain(app, "/api/v1/auth/jwt/claims", {
    post: plain(gates, unauthorized, ({ principal }) =>
      Response.json({ sub: principal.environment.id, pub: true }),
    ),
    otherwise: lateMethodNotAllowed,
  });

  route(app, "/api/v1/auth/public-tokens", {
    action: action(
      // Any key may ask: what it may hand out is decided scope by scope.
      { gate: gates.keys, method: "POST", open: true },
      async ({ principal, request }) => {
        const json = parseJson(await readText(request));
        if (json === undefined) return invalidBody();
        const body = PublicTokenBody.safeParse(json);
        if (!body.success) return invalidBody(body.error.issues);
        const { scopes, expirationTime = "15m", oneTimeUse, realtime } = body.data;
        const expires = expiry(expirationTime, now());
        if (typeof expires === "string") return error(400, expires);
        const deniedScopes = scopes.filter((scope) => !mayHandOut(principal, scope));
        if (deniedScopes.length > 0) {
          return Response.json(
            {
              error: "Requested scopes exceed the API key's access",
              code: "scopes_exceed_key_access",
              deniedScopes,
            },
            { status: 403 },
          );
        }
        const claims = { scopes, ...(oneTimeUse ? { otu: true } : {}), ...(realtime ? { realtime } : {}) };
        return Response.json({ token: await mintPublicToken(principal.environment, claims, expires) });
      },
    ),
  });
}

/** A scope without a type is denied to everybody, other than bare `admin`. */
function mayHandOut(principal: EnvironmentPrincipal, scope: string): boolean {
  const [action, type, ...id] = scope.split(":");
  if (type === undefined && scope !== "admin") return false;
  if (principal.kind !== "additional") return true;
  if (scope === "admin") return principal.scopes.includes("admin");
  const resource = { type: type ?? "", ...(id.length > 0 ? { id: id.join(":") } : {}) };
  return principal.scopes.some((held) => grants(held, action ?? "", resource));
}

const UNIT_SECONDS: [RegExp, number][] = [
  [/^(s|secs?|seconds?)$/, 1],
  [/^(m|mins?|minutes?)$/, 60],
  [/^(h|hrs?|hours?)$/, 3_600],
  [/^(d|days?)$/, 86_400],
  [/^(w|weeks?)$/, 604_800],
  [/^(y|yrs?|years?)$/, 31_557_600],
];

/** Unix seconds, or what is wrong. A number is absolute; a text is `[+] <n> <unit>`. */
function expiry(given: number | string, now: number): number | string {
  const seconds = Math.floor(now / 1000);
  const absolute = typeof given === "number" ? given : seconds + lifeSeconds(given);
  if (!Number.isFinite(absolute)) return "Invalid expiration time";
  if (absolute <= seconds) return "Expiration time must be in the future";
  if (absolute > seconds + MAX_LIFE_SECONDS) return "Expiration time cannot exceed 30 days";
  return Math.floor(absolute);
}

function lifeSeconds(text: string): number {
  const match = /^\+?\s*(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  const unit = UNIT_SECONDS.find(([name]) => name.test(match?.[2]?.toLowerCase() ?? ""));
  return match && unit ? Number(match[1]) * unit[1] : Number.NaN;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
