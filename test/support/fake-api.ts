/** An HTTP server that answers what a test has planned, in that order, and refuses everything else. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  method: string;
  /** As it came over the wire, without the query. */
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
  body: string;
}

export type Reply = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface FakeApi {
  url: string;
  requests: SeenRequest[];
  /** Answers for this method and path; the last one stays when `forever`. */
  plan(route: string, ...replies: Reply[]): void;
  planForever(route: string, reply: Reply): void;
  /** Throws when something unplanned was asked for, or something planned was not. */
  verify(): void;
  close(): Promise<void>;
}

export async function startFakeApi(): Promise<FakeApi> {
  const plans = new Map<string, { replies: Reply[]; forever?: Reply }>();
  const requests: SeenRequest[] = [];
  const surprises: string[] = [];

  const server = createServer(async (incoming, response) => {
    const request = await seen(incoming);
    requests.push(request);
    const route = `${request.method} ${request.path}`;
    const plan = plans.get(route);
    const reply = plan?.replies.shift() ?? plan?.forever;
    if (!reply) {
      surprises.push(route);
      json(418, { error: `unplanned: ${route}` }, { "x-should-retry": "false" })(response, request);
      return;
    }
    await reply(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const planOf = (route: string) => {
    const plan: { replies: Reply[]; forever?: Reply } = plans.get(route) ?? { replies: [] };
    plans.set(route, plan);
    return plan;
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    plan: (route, ...replies) => planOf(route).replies.push(...replies),
    planForever: (route, reply) => {
      planOf(route).forever = reply;
    },
    verify() {
      const left = [...plans].filter(([, plan]) => plan.replies.length > 0).map(([route]) => route);
      if (surprises.length + left.length > 0) {
        throw new Error(
          `unplanned: ${surprises.join(", ") || "none"}; never asked for: ${left.join(", ") || "none"}`,
        );
      }
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function seen(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const [path = "", query = ""] = (incoming.url ?? "").split("?", 2);
  return {
    method: incoming.method ?? "",
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

export const text =
  (status: number, body: string, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "text/plain", ...headers });
    response.end(body);
  };

/** Reads the request and hangs up without an answer. */
export const hangUp: Reply = (response) => {
  response.destroy();
};

/** Never answers. */
export const silence: Reply = () => undefined;

/** An event stream that says `content` and then ends, hangs up, or stays open. */
export const stream =
  (
    content: string | Uint8Array,
    then: "end" | "break" | "stay" = "end",
    headers: Record<string, string> = {},
  ): Reply =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-stream-version": "v2", ...headers });
    response.flushHeaders();
    if (then === "end") response.end(content);
    else if (content.length === 0) then === "break" && response.destroy();
    else response.write(content, () => then === "break" && response.destroy());
  };
