/** Whether the server and the credential work, as cheaply as the credential allows. */
import { isTriggerError } from "../domain/errors.ts";
import type { CallOptions } from "./api.ts";
import type { Caller, CallRequest } from "./caller.ts";
import { apiPath } from "./path.ts";

export async function probe(caller: Caller, options?: CallOptions): Promise<{ environment?: string }> {
  const { kind } = caller.credentials.access;
  const need: CallRequest["need"] = ["read:runs"];
  if (kind === "personal") {
    // The exchange alone tells: server, token, project and environment all have to be right.
    await caller.credentials.bearer(need).token(options ?? {});
  } else if (kind === "secret") {
    await caller.send({ ...claims, need }, options);
  } else {
    await acceptingRefusal(caller.send({ ...newestRun, need }, options));
  }
  const environment = environmentOf(caller);
  return environment === undefined ? {} : { environment };
}

/** Not rate limited, reads nothing. */
const claims = { method: "POST", path: apiPath`/api/v1/auth/jwt/claims`, repeat: "always" } as const;
const newestRun = {
  method: "GET",
  path: apiPath`/api/v1/runs`,
  query: { "page[size]": "1" },
  repeat: "always",
} as const;

/** 403 comes after the credential has been accepted: it only may not do this. */
async function acceptingRefusal(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!isTriggerError(error) || error.code !== "forbidden") throw error;
  }
}

function environmentOf({ context, credentials }: Caller): string | undefined {
  if (credentials.access.kind === "personal") return context.environment;
  return /^tr_(dev|stg|prod|preview)_/.exec(context.token)?.[1] ?? context.environment;
}
