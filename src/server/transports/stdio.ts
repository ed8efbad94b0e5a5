/**
 * MCP over stdio. Nothing but the protocol is written to stdout. The host owns the process: when it closes stdin, stops
 * reading stdout or sends a signal, serving is over (sdk.md 10: the SDK leaves that to us).
 */
import type { McpRequestContext, McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { createServer } from "../register.ts";
import type { Service } from "../service.ts";
import { Subscriptions } from "../subscriptions/index.ts";
import { ListeningTransport } from "../subscriptions/listen-stdio.ts";
import { serveSubscriptions } from "../subscriptions/subscribe.ts";

const isBrokenPipe = (error: Error): boolean =>
  ["EPIPE", "ERR_STREAM_DESTROYED", "ECONNRESET"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Resolves when the host has gone; by then what was being answered has been told to stop. */
export async function serveOverStdio(service: Service, stop: AbortSignal): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    const over = () => resolve();
    process.stdin.once("end", over).once("close", over).once("error", over);
    process.stdout.once("error", over).once("close", over);
    stop.addEventListener("abort", over, { once: true });
    if (stop.aborted) over();
  });
  const subscriptions = new Subscriptions(service);
  let server: McpServer | undefined;
  const serve = ({ era }: McpRequestContext) => {
    server = createServer(service);
    if (era === "legacy") serveSubscriptions(server, service, subscriptions);
    return server;
  };
  // The SDK passes it on to every listen request that asked for the URI.
  const tell = (uri: string) => void server?.server.sendResourceUpdated({ uri }).catch(() => {});
  const handle = serveStdio(serve, {
    transport: new ListeningTransport(new StdioServerTransport(), subscriptions, tell),
    onerror: (error) => {
      if (!isBrokenPipe(error)) service.log.warn({ err: error }, "protocol error");
    },
  });
  await gone;
  await handle.close();
}
