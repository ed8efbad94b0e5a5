/** Public tokens, contract auth.md 2.2. */
import { z } from "zod";
import type { TokensApi } from "./api.ts";
import type { Caller, CallRequest } from "./caller.ts";
import { apiPath } from "./path.ts";

export function tokensApi(caller: Caller): TokensApi {
  const { access, exchange } = caller.credentials;
  return {
    async mint(scopes, expirationTime, options) {
      if (access.kind === "personal") return exchange(scopes, expirationTime);
      const request: CallRequest = {
        method: "POST",
        path: apiPath`/api/v1/auth/public-tokens`,
        body: JSON.stringify({ scopes, ...(expirationTime !== undefined && { expirationTime }) }),
        need: "secret",
        repeat: "always",
      };
      return (await caller.ask(request, z.looseObject({ token: z.string().min(1) }), options)).token;
    },
  };
}
