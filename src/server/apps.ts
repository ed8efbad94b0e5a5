/**
 * MCP Apps (`io.modelcontextprotocol/ui`): which tool has a page, the pages as resources, and who can show them. Hosts
 * without the extension pass over the keys and have the text.
 */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { apps } from "../apps/index.ts";
import type { ToolDefinition } from "../tools/define.ts";
import type { Service } from "./service.ts";

const EXTENSION = "io.modelcontextprotocol/ui";
const MIME_TYPE = "text/html;profile=mcp-app";

/** Pages only change with the version. */
const READ = { ttlMs: 300_000, cacheScope: "public" } as const;

/** A tool's `_meta`: the page that shows its answers, also under the key of older hosts. */
export const appMeta = ({ uri }: NonNullable<ToolDefinition["app"]>) => ({
  ui: { resourceUri: uri },
  "ui/resourceUri": uri,
});

/** Whether the caller has declared that it shows apps: with every request in the 2026 era, at the beginning before. */
export function showsApps({ server }: McpServer, { mcpReq: { envelope } }: ServerContext): boolean {
  const declared = (envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY];
  const { extensions } = (declared ?? server.getClientCapabilities() ?? {}) as ClientCapabilities;
  const { mimeTypes } = (extensions?.[EXTENSION] ?? {}) as { mimeTypes?: unknown };
  return Array.isArray(mimeTypes) && mimeTypes.includes(MIME_TYPE);
}

/** The pages of the tools that are offered. They load nothing from anywhere, so no origin is allowed. */
export function registerApps(server: McpServer, service: Service): void {
  const wanted = new Set(service.surface.tools.map(({ app }) => app?.uri));
  for (const { uri, name, title, description, html } of apps.filter((app) => wanted.has(app.uri))) {
    const _meta = { ui: { csp: {}, prefersBorder: true } };
    server.registerResource(
      name,
      uri,
      { title, description, mimeType: MIME_TYPE, cacheHint: READ, _meta },
      async () => ({ contents: [{ uri, mimeType: MIME_TYPE, text: await html(), _meta }] }),
    );
  }
}
