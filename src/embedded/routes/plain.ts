/**
 * Plain routes: the older hand-written dialect of contract api.md 0.3. Secret keys only: no public token, no additional
 * key without bare `admin`, and an exception nobody caught is 500 in plain text.
 */
import type { Hono } from "hono";
import { type Gates, Unauthenticated } from "../auth/authenticate.ts";
import { type EnvironmentPrincipal, hasFullAccess } from "../auth/principal.ts";
import { readText } from "./body.ts";
import { error, plainServerError } from "./replies.ts";

export interface PlainCall {
  principal: EnvironmentPrincipal;
  request: Request;
  params: Record<string, string>;
}

export type PlainHandler = (call: PlainCall) => Response | Promise<Response>;

/** Wraps `handle` with the authentication of plain routes; `unauthorized` is the route's own 401 text. */
export function plain(gates: Gates, unauthorized: string, handle: PlainHandler) {
  return async (request: Request, params: Record<string, string>): Promise<Response> => {
    const principal = await principalOf(gates, request);
    if (principal === undefined || !hasFullAccess(principal)) return error(401, unauthorized);
    return handle({ principal, request, params });
  };
}

async function principalOf(gates: Gates, request: Request): Promise<EnvironmentPrincipal | undefined> {
  try {
    return await gates.keys(request.headers);
  } catch (thrown) {
    if (thrown instanceof Unauthenticated) return undefined;
    throw thrown;
  }
}

/** Parsed JSON; throws a SyntaxError for anything else, which each plain route answers in its own way. */
export async function jsonOf(request: Request): Promise<unknown> {
  return JSON.parse((await readText(request)) ?? "");
}

/** An exception no handler caught: logged with its cause, answered as its route family does. */
export class RouteFailure extends Error {
  readonly response: Response;
  constructor(cause: unknown, response: Response) {
    super("a route failed", { cause });
    this.response = response;
  }
}

type PlainEndpoint = (request: Request, params: Record<string, string>) => Promise<Response>;

export interface PlainParts {
  get?: PlainEndpoint;
  post?: PlainEndpoint;
  /** For every other method. */
  otherwise(method: string): Response;
  /** For an exception; `500 text/plain` unless the route has its own. */
  failure?(): Response;
}

export function mountPlain(app: Hono, path: string, parts: PlainParts): void {
  const endpoints: Record<string, PlainEndpoint | undefined> = {
    GET: parts.get,
    HEAD: parts.get,
    POST: parts.post,
  };
  app.all(path, async (c) => {
    const endpoint = endpoints[c.req.method];
    if (endpoint === undefined) return parts.otherwise(c.req.method);
    try {
      return await endpoint(c.req.raw, c.req.param());
    } catch (thrown) {
      throw new RouteFailure(thrown, (parts.failure ?? plainServerError)());
    }
  });
}
