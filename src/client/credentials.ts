/** Which token a request goes out with (contract auth.md 1 and 4.1). */
import { z } from "zod";
import { type Access, credentialKind } from "../domain/access.ts";
import { TriggerError } from "../domain/errors.ts";
import { Recent } from "../domain/recent.ts";
import { readClaims } from "./jwt.ts";
import { apiPath } from "./path.ts";
import type { ApiRequest, Bearer, Pipeline } from "./pipeline.ts";
import type { ClientContext } from "./settings.ts";
import { type Shared, shared } from "./shared.ts";
import { parseAnswer } from "./wire/answer.ts";

/** The scopes a request needs, or `secret` for routes that take no public token, or `own`: the credential as it is. */
export type Need = string[] | "secret" | "own";

export interface Credentials {
  readonly access: Access;
  bearer(need: Need): Bearer;
  /** A public token with these scopes from a personal one. */
  exchange(scopes: string[], expirationTime?: string): Promise<string>;
}

/** A token this close to its end is replaced first: a call takes time, and clocks differ. */
const EXPIRY_MARGIN_MS = 60_000;
const ONE_HOUR_MS = 3_600_000;
/** Tokens kept for the next call: sessions in use at the same time. */
const MOST_EXCHANGED = 1_000;

export function createCredentials(context: ClientContext, pipeline: Pipeline): Credentials {
  const access = accessOf(context.token);
  const own = fixedBearer(context.token);
  if (access.kind !== "personal") {
    return { access, bearer: () => own, exchange: () => Promise.reject(notPersonal()) };
  }
  return { access, ...personalCredentials(context, pipeline, own) };
}

function personalCredentials(context: ClientContext, pipeline: Pipeline, own: Bearer) {
  const { clock } = context;
  const exchanged = new Recent<Shared<string>>(MOST_EXCHANGED);

  async function exchange(scopes: string[], expirationTime?: string): Promise<string> {
    const { projectRef, environment } = place(context);
    const request: ApiRequest = {
      method: "POST",
      path: apiPath`/api/v1/projects/${projectRef}/${environment}/jwt`,
      body: JSON.stringify({ claims: { scopes }, ...(expirationTime !== undefined && { expirationTime }) }),
      repeat: "always",
    };
    const answer = await pipeline.send(request, own);
    return parseAnswer(request, answer, z.looseObject({ token: z.string().min(1) })).token;
  }

  const secret = shared(async () => {
    const { projectRef, environment } = place(context);
    const path = apiPath`/api/v1/projects/${projectRef}/${environment}`;
    const request: ApiRequest = { method: "GET", path, repeat: "always" };
    const answer = await pipeline.send(request, own);
    return parseAnswer(request, answer, z.looseObject({ apiKey: z.string().min(1) })).apiKey;
  }, clock);

  function publicToken(scopes: string[]): Shared<string> {
    const key = [...scopes].sort().join(" ");
    const known = exchanged.get(key);
    if (known) return known;
    const source = shared(
      () => exchange(scopes),
      clock,
      (token) => (readClaims(token)?.expiresAt ?? clock.now() + ONE_HOUR_MS) - EXPIRY_MARGIN_MS,
    );
    exchanged.set(key, source);
    return source;
  }

  function bearer(need: Need): Bearer {
    if (need === "own") return own;
    const source = need === "secret" ? secret : publicToken(need);
    return {
      token: (options) => source.get(options),
      renew(refused, options) {
        source.forget(refused);
        return source.get(options);
      },
    };
  }

  return { exchange, bearer };
}

const fixedBearer = (token: string): Bearer => ({
  token: async () => token,
  renew: async () => undefined,
});

function accessOf(token: string): Access {
  const kind = credentialKind(token);
  if (kind === undefined) throw new TriggerError("not_configured", "The credential is of no known kind.");
  return kind === "public" ? { kind, ...readClaims(token) } : { kind };
}

/** The exchange says `staging` where everything else says `stg` (auth.md 4.1). */
function place(context: ClientContext): { projectRef: string; environment: string } {
  const { projectRef, environment } = context;
  if (projectRef === undefined || environment === undefined) {
    throw new TriggerError(
      "not_configured",
      "A personal access token does not say which environment is meant: set the project ref and the environment.",
    );
  }
  return { projectRef, environment: environment === "stg" ? "staging" : environment };
}

const notPersonal = () =>
  new TriggerError("forbidden", "Only a personal access token can be exchanged for other tokens.");
