/**
 * Puts the definitions on the SDK. HTTP makes a server per request, so nothing here may cost more than registering:
 * schemas and metadata are made once (schemas.ts).
 */
import { type CallToolResult, McpServer, type ServerContext } from "@modelcontextprotocol/server";
import type { Tick } from "../bridge/progress.ts";
import { annotations } from "../tools/define.ts";
import { appMeta, registerApps, showsApps } from "./apps.ts";
import { instructions } from "./instructions.ts";
import { type Caller, callTool } from "./pipeline.ts";
import { registerPrompts } from "./prompts.ts";
import { registerResources } from "./resources.ts";
import { advertised, toolSchemas } from "./schemas.ts";
import type { Service } from "./service.ts";

/** Lists only change with the process; they are private because scopes decide what is in them. */
const LISTED = { ttlMs: 300_000, cacheScope: "private" } as const;
const READ = { ttlMs: 0, cacheScope: "private" } as const;

const CACHE_HINTS = {
  "server/discover": LISTED,
  "tools/list": LISTED,
  "prompts/list": LISTED,
  "resources/list": LISTED,
  "resources/templates/list": LISTED,
  "resources/read": READ,
};

/** The caller of this request; progress goes out only where a token came in (tokens may be 0). */
function callerOf(context: ServerContext): Caller {
  const { signal, _meta, notify } = context.mcpReq;
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return { signal };
  return {
    signal,
    progress: (tick: Tick) =>
      notify({ method: "notifications/progress", params: { progressToken, ...tick } }),
  };
}

/**
 * A server for one connection (stdio), one session (HTTP, 2025 era) or one request (HTTP, 2026 era). The transports serve
 * subscriptions, each in its own way; without the capability the SDK honours none.
 *
 * `called`: the one tool that the one request calls. A call can last for minutes, and there can be a thousand of them:
 * nothing else is registered then.
 */
export function createServer(service: Service, called?: string): McpServer {
  const { surface } = service;
  const server = new McpServer(
    { name: "trigger-mcp", title: "Trigger.dev runs and sessions", version: service.version },
    {
      instructions: instructions(service),
      cacheHints: CACHE_HINTS,
      capabilities: {
        logging: {},
        tools: { listChanged: false },
        ...(surface.resources.length > 0 ? { resources: { listChanged: false, subscribe: true } } : {}),
        ...(surface.prompts.length > 0 ? { prompts: { listChanged: false } } : {}),
      },
    },
  );

  const targets = service.targets.map(({ name }) => name);
  const all = called === undefined;
  for (const tool of all ? surface.tools : surface.tools.filter(({ name }) => name === called)) {
    const schemas = toolSchemas(tool, targets);
    const { input, output } = advertised(schemas);
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.summary,
        inputSchema: input,
        outputSchema: output,
        annotations: annotations(tool),
        ...(tool.app && { _meta: appMeta(tool.app) }),
      },
      async (args, context): Promise<CallToolResult> => {
        const { text, structured, isError, meta } = await callTool(service, tool, args, {
          ...callerOf(context),
          apps: showsApps(server, context),
        });
        return {
          content: [{ type: "text", text }],
          structuredContent: structured,
          ...(isError ? { isError } : {}),
          ...(meta && { _meta: meta }),
        };
      },
    );
  }
  if (all) {
    registerResources(server, service);
    registerApps(server, service);
    registerPrompts(server, service);
  }
  return server;
}
