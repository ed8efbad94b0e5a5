/** An HTTP proxy in front of an API that does to connections what networks, gateways and expiring tokens do. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export type Fault =
  /** Answered here; the API never hears of it. */
  | { kind: "refuse"; status: number; headers?: Record<string, string> }
  /** The API does what it is asked, and its answer is lost with the connection. */
  | { kind: "lose" }
  | { kind: "delay"; ms: number }
  /** The connection breaks after so many bytes of the answer. */
  | { kind: "cut"; after: number }
  /** After so many bytes nothing more comes, and the connection stays open. */
  | { kind: "stall"; after: number }
  /** A stream goes on so many records before the one it was asked to. */
  | { kind: "repeat"; records: number };

export interface FaultyProxy {
  url: string;
  /** How many faults of each kind really happened. */
  faults: Readonly<Record<string, number>>;
  /** Answers under way, and connections from clients. */
  open(): { answers: number; sockets: number };
  close(): Promise<void>;
}

export async function startFaultyProxy(
  target: string,
  choose: (asked: Pick<IncomingMessage, "method" | "url" | "headers">) => Fault | undefined,
): Promise<FaultyProxy> {
  const faults: Record<string, number> = {};
  const sockets = new Set<Socket>();
  const answers = new Set<ServerResponse>();

  const happened = (name: string) => {
    faults[name] = (faults[name] ?? 0) + 1;
  };

  const server = createServer(async (asked, answer) => {
    answers.add(answer);
    answer.once("close", () => answers.delete(answer));
    const fault = choose(asked);
    if (fault?.kind === "refuse") {
      happened(String(fault.status));
      asked.resume();
      answer.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      answer.end('{"error":"refused by the proxy"}');
      return;
    }
    if (fault?.kind === "delay") {
      happened("delay");
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
    }
    if (fault?.kind === "repeat") goBack(asked.headers, fault.records) && happened("repeat");
    pass(asked, answer, fault);
  });

  function pass(asked: IncomingMessage, answer: ServerResponse, fault: Fault | undefined): void {
    const { connection: _, ...headers } = asked.headers;
    const forwarded = request(target + asked.url, { method: asked.method, headers, agent: false });
    answer.once("close", () => forwarded.destroy());
    forwarded.on("error", () => answer.destroy());
    forwarded.on("response", async (told) => {
      if (fault?.kind === "lose") {
        // Only what has been done can be lost.
        told.resume();
        await once(told, "close");
        happened("lose");
        answer.destroy();
        return;
      }
      const { connection: _, "keep-alive": __, ...shown } = told.headers;
      answer.writeHead(told.statusCode ?? 502, shown);
      answer.flushHeaders();
      if (fault?.kind !== "cut" && fault?.kind !== "stall") {
        told.on("error", () => answer.destroy());
        told.pipe(answer);
        return;
      }
      let left = fault.after;
      told.on("data", (bytes: Buffer) => {
        const last = bytes.length >= left;
        answer.write(bytes.subarray(0, left), () => last && fault.kind === "cut" && answer.destroy());
        left -= bytes.length;
        if (!last) return;
        happened(fault.kind);
        told.removeAllListeners("data").removeAllListeners("end");
        forwarded.removeAllListeners("error").on("error", () => {});
        forwarded.destroy();
      });
      told.on("end", () => answer.end());
      told.on("error", () => fault.kind === "cut" && answer.destroy());
    });
    asked.pipe(forwarded);
  }

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    open: () => ({ answers: answers.size, sockets: sockets.size }),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** False when there is nothing to repeat. */
function goBack(headers: IncomingMessage["headers"], records: number): boolean {
  const after = Number(headers["last-event-id"] ?? Number.NaN) - records;
  if (!(after >= 0)) return false;
  headers["last-event-id"] = String(after);
  return true;
}
