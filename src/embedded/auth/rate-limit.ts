/** The middleware in front of every `/api/*` route: authorization present, rate limits, contract api.md 0.3 and retries.md 1. */
import { createHash } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { Credentials } from "./authenticate.ts";
import { type BucketOptions, createTokenBuckets, type Taken } from "./token-bucket.ts";
import { peekClaims } from "./tokens.ts";

export interface RateLimits {
  /** One bucket per environment; also the default for anything unknown. */
  secretKey: BucketOptions;
  /** One fixed window per token. */
  publicToken: BucketOptions;
  /** `POST /api/v3/batches`, counted in items. */
  batchItems: BucketOptions;
}

/** The contract's numbers. */
export const RATE_LIMITS: RateLimits = {
  secretKey: { limit: 750, refill: 250, intervalMs: 10_000 },
  publicToken: { limit: 60, refill: 60, intervalMs: 60_000 },
  batchItems: { limit: 1_200, refill: 100, intervalMs: 10_000 },
};

const EXEMPT = [
  /^\/api\/v1\/auth\/jwt\/claims$/,
  /^\/api\/v1\/sessions\/[^/]+\/snapshot-url$/,
  /^\/api\/v[12]\/packets\//,
  /^\/api\/v1\/runs\/[^/]+\/attempts$/,
  /^\/api\/v3\/batches\/[^/]+\/items$/,
];

export function rateLimit(
  limits: RateLimits,
  credentials: Credentials,
  now: () => number,
): MiddlewareHandler {
  const secretKeys = createTokenBuckets(limits.secretKey, now);
  const publicTokens = createTokenBuckets(limits.publicToken, now);

  const take = (authorization: string): Taken => {
    const token = authorization.replace(/^Bearer\s+/i, "");
    const claims = peekClaims(token);
    // Tokens from the PAT exchange share a window per environment and user: minting more does not help.
    if (claims) {
      return publicTokens.take(claims.actor ? `${claims.environmentId} ${claims.actor}` : digest(token));
    }
    const environment = credentials.byRootKey(token) ?? credentials.additional(token)?.environment;
    return secretKeys.take(environment?.id ?? digest(authorization));
  };

  return async (c, next) => {
    if (c.req.method === "OPTIONS" || EXEMPT.some((path) => path.test(c.req.path))) return next();
    const authorization = c.req.header("authorization");
    if (!authorization) return problem(UNAUTHORIZED, {});
    const taken = take(authorization);
    const headers = {
      "x-ratelimit-limit": String(taken.limit),
      "x-ratelimit-remaining": String(Math.max(0, Math.floor(taken.remaining))),
      "x-ratelimit-reset": String(Math.ceil(taken.resetAt)),
    };
    if (!taken.allowed) return problem(tooMany(taken, now()), headers);
    await next();
    // A route with a budget of its own has said how that one stands.
    if (c.res.headers.has("x-ratelimit-limit")) return;
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
  };
}

/** Credentials are not kept, and a key is never longer than this. */
const digest = (text: string): string => createHash("sha256").update(text).digest("base64");

const STATUS_DOCS = "https://developer.mozilla.org/en-US/docs/Web/HTTP/Status";

const UNAUTHORIZED = {
  title: "Unauthorized",
  status: 401,
  type: `${STATUS_DOCS}/401`,
  detail: "No authorization header provided",
  error: "No authorization header provided",
};

function tooMany({ limit, remaining, resetAt }: Taken, now: number) {
  const seconds = Math.max(0, (resetAt - now) / 1000);
  const text = `Rate limit exceeded ${Math.max(0, remaining)}/${limit} requests remaining. Retry in ${seconds} seconds.`;
  return {
    title: "Rate Limit Exceeded",
    status: 429,
    type: `${STATUS_DOCS}/429`,
    detail: text,
    reset: Math.ceil(resetAt),
    limit,
    remaining,
    secondsUntilReset: seconds,
    error: text,
  };
}

/** `application/problem+json`, pretty-printed, without CORS headers and without `Retry-After`. */
const problem = (body: { status: number }, headers: Record<string, string>): Response =>
  new Response(JSON.stringify(body, null, 2), {
    status: body.status,
    headers: { "content-type": "application/problem+json; charset=utf-8", ...headers },
  });
