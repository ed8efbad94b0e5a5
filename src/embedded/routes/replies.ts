/** The bodies and headers that many routes answer with, contract api.md 0.3. */
import type { z } from "zod";
import type { Taken } from "../auth/token-bucket.ts";

export const error = (status: number, message: string, headers: Record<string, string> = {}): Response =>
  Response.json({ error: message }, { status, headers });

/** The unauthorized body: a scope check failed. */
export const forbidden = (): Response =>
  Response.json(
    { error: "Unauthorized", code: "unauthorized", param: "access_token", type: "authorization" },
    { status: 403 },
  );

/** A 400 whose `details` are zod issues. */
export const invalid = (what: "Params" | "Query" | "Headers", details: z.core.$ZodIssue[]): Response =>
  Response.json({ error: `${what} Error`, details }, { status: 400 });

/** `Validation error: <message> at "<path>"; …`: what a body that fails its schema is told. */
export const validationError = (issues: z.core.$ZodIssue[]): Response =>
  error(400, `Validation error: ${issues.map(describe).join("; ")}`);

const describe = (issue: z.core.$ZodIssue): string =>
  issue.path.length === 0 ? issue.message : `${issue.message} at "${issue.path.join(".")}"`;

/** A wrong method on `tags` and `reschedule`: HTTP 200, as the contract has it. */
export const lateMethodNotAllowed = (): Response =>
  Response.json({ status: 405, body: "Method Not Allowed" });

/** What plain routes answer to an exception they do not catch. */
export const plainServerError = (): Response =>
  new Response("Unexpected Server Error", { status: 500, headers: { "content-type": "text/plain" } });

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "x-trigger-jwt, x-trigger-jwt-claims",
};

/** Lets any origin read the answer; an answer that exposes more of its headers by itself keeps that. */
export function withCors(response: Response): Response {
  for (const [name, value] of Object.entries(CORS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

export const preflight = (): Response =>
  Response.json(
    {},
    {
      headers: {
        ...CORS,
        "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
        "access-control-allow-headers": "*, authorization, content-type",
        "access-control-max-age": "300",
      },
    },
  );

/** The budget of batch items is spent. Unlike everywhere else, the reset is in Unix seconds and there is a `Retry-After`, retries.md 1. */
export function itemsRefused({ limit, remaining, resetAt }: Taken, now: number): Response {
  const seconds = Math.max(1, Math.ceil((resetAt - now) / 1000));
  return error(429, `Batch item rate limit exceeded. Retry in ${seconds} seconds.`, {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(Math.max(0, Math.floor(remaining))),
    "x-ratelimit-reset": String(Math.ceil(resetAt / 1000)),
    "retry-after": String(seconds),
  });
}
