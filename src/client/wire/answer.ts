/** From the text of a 2xx answer to a checked value. What does not fit throws `contract` and is never retried. */
import type { z } from "zod";
import type { TriggerError } from "../../domain/errors.ts";
import { contractError } from "../failure.ts";
import type { Answer, ApiRequest } from "../pipeline.ts";

export function parseAnswer<S extends z.ZodType>(
  request: Pick<ApiRequest, "method" | "path">,
  answer: Answer,
  schema: S,
): z.output<S> {
  const result = schema.safeParse(parseJson(request, answer.text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw unexpected(request, issue ? `${issue.path.join(".") || "the body"}: ${issue.message}` : "the body");
}

export function parseJson(request: Pick<ApiRequest, "method" | "path">, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unexpected(request, "the body is not JSON");
  }
}

export const unexpected = (request: Pick<ApiRequest, "method" | "path">, problem: string): TriggerError =>
  contractError(`${request.method} ${request.path}`, problem);
