/** What the areas are written on: a request, the credential it needs, and the shape of its answer. */
import type { z } from "zod";
import type { CallOptions } from "./api.ts";
import type { Credentials, Need } from "./credentials.ts";
import type { Answer, ApiRequest, Pipeline } from "./pipeline.ts";
import type { ClientContext } from "./settings.ts";
import { parseAnswer } from "./wire/answer.ts";

export interface CallRequest extends ApiRequest {
  need: Need;
}

export interface Caller {
  readonly context: ClientContext;
  readonly credentials: Credentials;
  readonly pipeline: Pipeline;
  /** The bare 2xx answer. */
  send(request: CallRequest, options?: CallOptions): Promise<Answer>;
  /** The answer as the schema has it. */
  ask<S extends z.ZodType>(request: CallRequest, schema: S, options?: CallOptions): Promise<z.output<S>>;
}

export function createCaller(context: ClientContext, credentials: Credentials, pipeline: Pipeline): Caller {
  const send: Caller["send"] = (request, options) =>
    pipeline.send(request, credentials.bearer(request.need), options);
  return {
    context,
    credentials,
    pipeline,
    send,
    ask: async (request, schema, options) => parseAnswer(request, await send(request, options), schema),
  };
}
