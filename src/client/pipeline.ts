/** The one way a request leaves: headers, credential, limits, time-outs, repetition, errors. */
import { TriggerError } from "../domain/errors.ts";
import type { CallOptions } from "./api.ts";
import {
  cancelled,
  type Failure,
  failureOfAnswer,
  failureOfConnection,
  failureOfTimeout,
} from "./failure.ts";
import type { ApiPath } from "./path.ts";
import { type Attempt, type Repeat, repeating } from "./retry.ts";
import { callScope } from "./scope.ts";
import type { ClientContext } from "./settings.ts";
import { type HttpRequest, type HttpResponse, type Method, readText } from "./transport.ts";

/** Selects the current status vocabulary (api.md 0.2). */
const API_VERSION = "2025-07-16";
const ATTEMPTS = 5;
const BODY_LIMIT = 32 * 1024 * 1024;
const ERROR_BODY_LIMIT = 64 * 1024;

export interface ApiRequest {
  method: Method;
  path: ApiPath;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** Sent as JSON text, or as it is when `raw`. */
  body?: string;
  repeat: Repeat;
  /** Takes long by nature: traces and events. */
  slow?: boolean;
  /** Bytes; longer answers throw `too_large`. */
  limit?: number;
  attempts?: number;
}

/** Where the tokens of one kind of request come from. */
export interface Bearer {
  token(options: CallOptions): Promise<string>;
  /** A token to try instead of one that was answered 401 or 403; `undefined` when there is none. */
  renew(refused: string, options: CallOptions): Promise<string | undefined>;
}

export interface Answer {
  status: number;
  text: string;
}

/** A stream that has been answered with 200. Whoever holds it closes it. */
export interface OpenStream {
  response: HttpResponse;
  close(): void;
}

export interface Pipeline {
  /** The 2xx answer, or a thrown {@link TriggerError}. */
  send(request: ApiRequest, bearer: Bearer, options?: CallOptions): Promise<Answer>;
  /** One attempt at opening a stream with this very token; repeating is up to the caller. */
  open(request: ApiRequest, token: string, signal: AbortSignal): Promise<Attempt<OpenStream>>;
  /** A presigned URL: http(s) only, no credentials, `undefined` when nothing is stored there. */
  download(url: string, limit: number, options?: CallOptions): Promise<string | undefined>;
}

export function createPipeline(context: ClientContext): Pipeline {
  const { clock, timeouts, transport } = context;

  function httpRequest(request: ApiRequest, token: string, signal: AbortSignal): HttpRequest {
    const url = new URL(context.base + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "user-agent": context.userAgent,
      "x-trigger-api-version": API_VERSION,
      "x-trigger-source": "mcp",
      ...(context.branch !== undefined && { "x-trigger-branch": context.branch }),
      ...request.headers,
    };
    const { method, body } = request;
    return { method, url, headers, signal, ...(body !== undefined && { body }) };
  }

  async function once(
    name: string,
    limit: number,
    ms: number,
    caller: AbortSignal | undefined,
    make: (signal: AbortSignal) => HttpRequest,
  ): Promise<Attempt<Answer>> {
    const scope = callScope(ms, caller);
    try {
      const request = make(scope.signal);
      const response = await transport.request(request);
      const fine = response.status >= 200 && response.status < 300;
      const text = await readText(response.body, fine ? limit : ERROR_BODY_LIMIT);
      if (!fine) return { failure: refusal(name, response, text ?? "", request) };
      if (text === undefined) return { failure: tooLarge(name, limit) };
      return { value: { status: response.status, text } };
    } catch (error) {
      if (scope.ended === "cancelled") throw cancelled(name);
      return { failure: scope.ended ? failureOfTimeout(name, ms) : failureOfConnection(name, error) };
    } finally {
      scope.release();
    }
  }

  const refusal = (name: string, response: HttpResponse, text: string, request: HttpRequest): Failure =>
    failureOfAnswer(
      name,
      response,
      text,
      clock.now(),
      request.headers.authorization?.slice("Bearer ".length),
    );

  return {
    async send(request, bearer, options = {}) {
      const name = `${request.method} ${request.path}`;
      const limit = request.limit ?? BODY_LIMIT;
      let token = await bearer.token(options);
      let renewed = false;
      const attempt = async (ms: number): Promise<Attempt<Answer>> => {
        const make = (signal: AbortSignal) => httpRequest(request, token, signal);
        const outcome = await once(name, limit, ms, options.signal, make);
        if (renewed || "value" in outcome || !isRefused(outcome.failure)) return outcome;
        // Refused before it was looked at, so even what must not be repeated can go out again.
        renewed = true;
        const fresh = await bearer.renew(token, options);
        if (fresh === undefined) return outcome;
        token = fresh;
        return once(name, limit, ms, options.signal, make);
      };
      const plan = {
        request: name,
        repeat: request.repeat,
        attempts: request.attempts ?? ATTEMPTS,
        attemptMs: request.slow ? timeouts.slowAttempt : timeouts.attempt,
        budgetMs: timeouts.budget,
      };
      return repeating(attempt, plan, clock, options);
    },

    async open(request, token, signal) {
      const name = `${request.method} ${request.path}`;
      const scope = callScope(timeouts.connect, signal);
      const close = () => {
        scope.abort();
        scope.release();
      };
      try {
        const sent = httpRequest(request, token, scope.signal);
        const response = await transport.stream(sent);
        if (response.status === 200) {
          scope.settle();
          return { value: { response, close } };
        }
        const text = await readText(response.body, ERROR_BODY_LIMIT);
        close();
        return { failure: refusal(name, response, text ?? "", sent) };
      } catch (error) {
        close();
        if (scope.ended === "cancelled") throw cancelled(name);
        const failure = scope.ended
          ? failureOfTimeout(name, timeouts.connect)
          : failureOfConnection(name, error);
        return { failure };
      }
    },

    async download(address, limit, options = {}) {
      const name = "GET (presigned URL)";
      const url = presigned(address, context.base);
      const headers = { "user-agent": context.userAgent };
      const make = (signal: AbortSignal): HttpRequest => ({ method: "GET", url, headers, signal });
      const attempt = (ms: number) => once(name, limit, ms, options.signal, make);
      const plan = {
        request: name,
        repeat: "always" as const,
        attempts: ATTEMPTS,
        attemptMs: timeouts.attempt,
        budgetMs: timeouts.budget,
      };
      try {
        return (await repeating(attempt, plan, clock, options)).text;
      } catch (error) {
        if (error instanceof TriggerError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

export const isRefused = (failure: Failure): boolean =>
  failure.error.status === 401 || failure.error.status === 403;

const tooLarge = (request: string, limit: number): Failure => ({
  error: new TriggerError("too_large", `${request} answered more than ${limit} bytes.`, { request }),
  again: false,
  doubtful: false,
});

/** The server chose this address: it must not lead from an encrypted API to a plain one, or to a file. */
function presigned(address: string, base: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const allowed = base.startsWith("https:") ? /^https:$/ : /^https?:$/;
  if (!url || !allowed.test(url.protocol)) {
    throw new TriggerError("contract", "The server handed out a download link that is not an http(s) URL.");
  }
  return url;
}
