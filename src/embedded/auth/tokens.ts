/** Public access tokens: HS256 JWTs signed with an environment's root key, contract auth.md 2. */
import { decodeJwt, errors, jwtVerify, SignJWT } from "jose";
import type { Environment } from "../engine/types.ts";
import type { PublicClaims } from "./principal.ts";

const ISSUER = "https://id.trigger.dev";
const AUDIENCE = "https://api.trigger.dev";

const keyOf = (rootKey: string): Uint8Array => new TextEncoder().encode(rootKey);

/** Signs `claims` for an environment. `expires`: a span such as `1h`, or Unix seconds. */
export function mintPublicToken(
  environment: Environment,
  claims: Record<string, unknown>,
  expires: string | number = "1h",
): Promise<string> {
  return new SignJWT({ ...claims, sub: environment.id, pub: true })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(keyOf(environment.rootKey));
}

/** Read without verifying: undefined unless it is a JWT that calls itself public. `actor`: the user of a PAT exchange. */
export function peekClaims(
  token: string,
): { environmentId: string | undefined; actor: string | undefined } | undefined {
  try {
    const { pub, sub, act } = decodeJwt(token);
    const actor = isObject(act) && typeof act.sub === "string" ? act.sub : undefined;
    return pub === true ? { environmentId: sub, actor } : undefined;
  } catch {
    return undefined;
  }
}

/** The claims, or undefined for any flaw: the answer deliberately does not tell flaws apart. */
export async function verifyPublicToken(token: string, rootKey: string): Promise<PublicClaims | undefined> {
  try {
    const { payload } = await jwtVerify(token, keyOf(rootKey), {
      algorithms: ["HS256"],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ["exp"],
    });
    return readClaims(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function readClaims(payload: Record<string, unknown>): PublicClaims {
  const { scopes, otu, realtime, act } = payload;
  const claims: PublicClaims = {
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [],
  };
  if (otu === true) claims.otu = true;
  if (isObject(realtime)) claims.realtime = realtime;
  if (isObject(act) && typeof act.sub === "string") claims.act = { sub: act.sub };
  return claims;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
