/** What a refreshed session token tells besides being a credential, contract channels.md 9. */
import { isObject } from "../domain/message.ts";

/** The run the token was made for (`read:runs:<id>` among its scopes). The token itself is never shown. */
export function runOfToken(token: string): string | undefined {
  const scopes = claims(token)?.scopes;
  if (!Array.isArray(scopes)) return undefined;
  const scope = scopes.find((one): one is string => typeof one === "string" && one.startsWith("read:runs:"));
  return scope?.slice("read:runs:".length);
}

function claims(token: string): Record<string, unknown> | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return isObject(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}
