/** Who may talk to the HTTP server: addressed by a known host name, from a known page, with a known key. */
import { createHash, timingSafeEqual } from "node:crypto";
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import type { HttpSettings } from "../../config/settings.ts";

export type Guard = (request: Request) => Response | undefined;

const LOOPBACK = new Set(["127.0.0.1", "::1", "[::1]", "localhost"]);

/**
 * DNS rebinding protection. Behind a key on a public address any name may be ours, so there names are only checked
 * when some were given.
 */
export function hostGuard(settings: HttpSettings): Guard {
  const local = LOOPBACK.has(settings.host);
  if (!local && settings.allowedHosts.length === 0) return () => undefined;
  const allowed = [...localhostAllowedHostnames(), settings.host, ...settings.allowedHosts];
  return (request) => hostHeaderValidationResponse(request, allowed);
}

/** Web pages: only those from this machine and those allowed. Programs send no `Origin`. */
export function originGuard(settings: HttpSettings): Guard {
  const allowed = [...localhostAllowedOrigins(), ...settings.allowedOrigins];
  return (request) => originValidationResponse(request, allowed);
}

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The digest of the accepted key a request carries; every accepted key is compared, in constant time. */
export function principalOf(request: Request, keyDigests: readonly string[]): string | undefined {
  const key = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (key === undefined) return undefined;
  const given = digestOf(key);
  let principal: string | undefined;
  for (const accepted of keyDigests) {
    if (timingSafeEqual(given, Buffer.from(accepted, "hex"))) principal = accepted;
  }
  return principal;
}

export const unauthorized = (): Response =>
  Response.json(
    {
      jsonrpc: "2.0",
      id: null,
      error: { code: -32_000, message: "Send a key this server accepts: Authorization: Bearer <key>." },
    },
    { status: 401, headers: { "www-authenticate": 'Bearer realm="trigger-mcp"' } },
  );

/** Headers that let an allowed page read our answers. The origin has passed {@link originGuard}. */
export function corsHeaders(request: Request): Record<string, string> {
  const origin = request.headers.get("origin");
  if (origin === null) return {};
  return {
    "access-control-allow-origin": origin,
    vary: "Origin",
    "access-control-expose-headers": "Mcp-Session-Id, WWW-Authenticate",
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers":
      "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name",
    "access-control-max-age": "600",
  };
}
