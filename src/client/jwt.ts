/** Reads what a token says about itself. Nothing is verified here: that is the server's business. */
import { decodeJwt } from "jose";

export interface TokenClaims {
  scopes: string[];
  /** Unix milliseconds. */
  expiresAt?: number;
}

/** `undefined` when it is not a JWT. */
export function readClaims(token: string): TokenClaims | undefined {
  try {
    const { scopes, exp } = decodeJwt(token);
    return {
      scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [],
      ...(exp !== undefined && { expiresAt: exp * 1000 }),
    };
  } catch {
    return undefined;
  }
}
