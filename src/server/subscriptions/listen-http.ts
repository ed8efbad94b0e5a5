/** `subscriptions/listen` over HTTP: one request, whose response stream lasts as long as somebody listens. */
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import { observed } from "../transports/observed.ts";
import type { Subscriptions } from "./index.ts";
import { Listening, urisAsked, withUris } from "./listening.ts";

/** Hands requests with their parsed bodies to the SDK's handler, which does not tell what is listened to. */
export function listeningHandler(handler: McpHttpHandler, subscriptions: Subscriptions) {
  // One function for all requests: the handler itself finds the streams that asked for a URI.
  const tell = (uri: string) => handler.notify.resourceUpdated(uri);

  return async (request: Request, body: unknown): Promise<Response> => {
    const asked = urisAsked(body);
    if (asked === undefined) return handler.fetch(request, { parsedBody: body });
    const listening = new Listening(subscriptions, tell);
    const end = () => listening.end();
    request.signal.addEventListener("abort", end, { once: true });
    try {
      const honoured = await listening.honour(asked);
      const response = await handler.fetch(request, { parsedBody: withUris(body, honoured) });
      return observed(response, end, { request });
    } catch (error) {
      end();
      throw error;
    }
  };
}
