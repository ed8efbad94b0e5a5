/**
 * Builder routes: declare what a path takes, and the checks run in the contract's order with the contract's bodies
 * (api.md 0.3). A path has at most one loader (GET, HEAD) and one action (every other method):
 *
 *     route(app, "/api/v1/things/:thing", {
 *       cors: true,
 *       loader: loader({ gate: gates.keysAndTokens, find, authorize }, ({ resource }) => Response.json(resource)),
 *       action: action({ gate: gates.keys, method: "PATCH", maxBody: 1024, body: Body }, ({ body }) => …),
 *     });
 */
import type { Hono } from "hono";
import type { z } from "zod";
import { type Gate, Unauthenticated } from "../auth/authenticate.ts";
import { authorize, type Check, hasFullAccess, type Principal } from "../auth/principal.ts";
import { readText } from "./body.ts";
import { error, forbidden, invalid, preflight, validationError, withCors } from "./replies.ts";

/** What every check and handler is given. `Q` and `B` are the parsed query and body. */
export interface Call<P extends Principal, Q = unknown, B = unknown> {
  principal: P;
  request: Request;
  /** Decoded path parameters, already checked when the spec has a `params` schema. */
  params: Record<string, string>;
  query: Q;
  body: B;
}

interface Inputs<Q> {
  params?: z.ZodType;
  query?: z.ZodType<Q>;
  headers?: z.ZodType;
}

interface Spec<P extends Principal, Q, B> extends Inputs<Q> {
  gate: Gate<P>;
  /** Without a rule of its own, and yet for keys with restricted scopes too. */
  open?: boolean;
  body?: z.ZodType<B>;
}

export interface LoaderSpec<P extends Principal, Q, R> extends Spec<P, Q, unknown> {
  /** Missing: 404 `Not found`. */
  find?(call: Call<P, Q>): R | undefined | Promise<R | undefined>;
  /** `x-should-retry` of that 404: true where replication lag may explain it. */
  retryNotFound?: boolean;
  authorize?(call: Call<P, Q>, resource: R): Check;
}

export interface ActionSpec<P extends Principal, Q, B, R> extends Spec<P, Q, B> {
  /** Pinned method; without it any but GET and HEAD will do. */
  method?: "POST" | "PUT" | "PATCH";
  /** Bytes. `Content-Length` is then required and at most this. */
  maxBody?: number;
  /** Missing: 404 `Resource not found`, after the scope check. */
  find?(call: Call<P, Q, B>): R | undefined | Promise<R | undefined>;
  authorize?(call: Call<P, Q, B>, resource: R | undefined): Check;
}

type Handler<C, R> = (call: C & { resource: R }) => Response | Promise<Response>;
export type Endpoint = (request: Request, params: Record<string, string>) => Promise<Response>;

/** GET and HEAD. Order: auth, rule, params, query, headers, lookup (404), scopes (403), handler. */
export function loader<P extends Principal, Q = unknown, R = undefined>(
  spec: LoaderSpec<P, Q, R>,
  handle: Handler<Call<P, Q>, R>,
): Endpoint {
  return answering(async (request, params) => {
    const principal = await spec.gate(request.headers);
    if (lacksRule(spec) && !hasFullAccess(principal)) return forbidden();
    const query = parseInputs(spec, request, params);
    const call: Call<P, Q> = { principal, request, params, query, body: undefined };
    const resource = await spec.find?.(call);
    if (spec.find !== undefined && resource === undefined) {
      return error(404, "Not found", { "x-should-retry": String(spec.retryNotFound ?? false) });
    }
    const found = resource as R;
    if (spec.authorize && !authorize(principal, spec.authorize(call, found))) return forbidden();
    return handle({ ...call, resource: found });
  });
}

/** POST, PUT, PATCH, DELETE. Order: method, auth, size, params, query, headers, body, scopes (403), lookup (404), handler. */
export function action<P extends Principal, Q = unknown, B = unknown, R = undefined>(
  spec: ActionSpec<P, Q, B, R>,
  handle: Handler<Call<P, Q, B>, R>,
): Endpoint {
  return answering(async (request, params) => {
    if (spec.method !== undefined && request.method !== spec.method) {
      return error(405, "Method not allowed", { allow: spec.method });
    }
    const principal = await spec.gate(request.headers);
    if (lacksRule(spec) && !hasFullAccess(principal)) return forbidden();
    if (spec.maxBody !== undefined && !withinLimit(request, spec.maxBody)) {
      return error(413, "Request body too large");
    }
    const query = parseInputs(spec, request, params);
    const body = spec.body === undefined ? (undefined as B) : await parseBody(spec.body, request);
    const call: Call<P, Q, B> = { principal, request, params, query, body };
    const resource = await spec.find?.(call);
    if (spec.authorize && !authorize(principal, spec.authorize(call, resource))) return forbidden();
    if (spec.find !== undefined && resource === undefined) return error(404, "Resource not found");
    return handle({ ...call, resource: resource as R });
  });
}

export interface RouteParts {
  loader?: Endpoint;
  action?: Endpoint;
  cors?: boolean;
  /**
   * GET where there is no loader: 405 with an empty body, or the framework's 400 where the route exports none at all
   * (cancel, replay).
   */
  withoutLoader?: 405 | 400;
}

/** Mounts a path. A method the path has no part for is 405. */
export function route(app: Hono, path: string, parts: RouteParts): void {
  const { loader: load, action: act, cors = false } = parts;
  app.all(path, async (c) => {
    const reads = c.req.method === "GET" || c.req.method === "HEAD";
    if (c.req.method === "OPTIONS") return cors ? preflight() : error(405, "Method not allowed");
    const endpoint = reads ? load : act;
    const response =
      endpoint === undefined
        ? reads
          ? new Response(null, { status: parts.withoutLoader ?? 405 })
          : error(405, "Method not allowed", { allow: "GET" })
        : await endpoint(c.req.raw, c.req.param());
    return cors ? withCors(response) : response;
  });
}

/** A check that ends the request, thrown by the parsing steps and answered as it is. */
class Halt extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super("request refused");
    this.response = response;
  }
}

const answering =
  (endpoint: Endpoint): Endpoint =>
  async (request, params) => {
    try {
      return await endpoint(request, params);
    } catch (thrown) {
      if (thrown instanceof Halt) return thrown.response;
      if (thrown instanceof Unauthenticated) return error(thrown.status, thrown.message);
      throw thrown;
    }
  };

/** Checks params, query and headers in that order; returns the parsed query. */
function parseInputs<Q>(spec: Inputs<Q>, request: Request, params: Record<string, string>): Q {
  const check = <T>(
    what: "Params" | "Query" | "Headers",
    schema: z.ZodType<T> | undefined,
    value: unknown,
  ) => {
    if (schema === undefined) return value as T;
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new Halt(invalid(what, parsed.error.issues));
    return parsed.data;
  };
  check("Params", spec.params, params);
  // Keys are literal and of a repeated one the last value counts.
  const query = check("Query", spec.query, Object.fromEntries(new URL(request.url).searchParams));
  check("Headers", spec.headers, Object.fromEntries(request.headers));
  return query;
}

const lacksRule = (spec: { authorize?: unknown; open?: boolean }): boolean =>
  spec.authorize === undefined && spec.open !== true;

/** A chunked upload has no `Content-Length` and is therefore always too large. */
function withinLimit(request: Request, limit: number): boolean {
  const declared = request.headers.get("content-length");
  return declared !== null && Number(declared) <= limit;
}

async function parseBody<B>(schema: z.ZodType<B>, request: Request): Promise<B> {
  const text = await readText(request);
  if (text === undefined) throw new Halt(error(413, "Request body too large"));
  if (text === "") throw new Halt(error(400, "Request body is empty"));
  const json = parseJson(text);
  if (!json) throw new Halt(error(400, "Invalid JSON"));
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new Halt(validationError(parsed.error.issues));
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
