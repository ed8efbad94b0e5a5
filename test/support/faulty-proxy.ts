/** An HTTP proxy in front of an API that does to connections what networks, gateways and expiring tokens do. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Faults, faulty } from "../../src/embedded/faults.ts";
import { forwardTo } from "./forward.ts";

export interface FaultyProxy {
  url: string;
  /** How many faults of each kind really happened. */
  faults: Readonly<Record<string, number>>;
  /** Answers under way, and connections from clients. */
  open(): { answers: number; sockets: number };
  close(): Promise<void>;
}

export async function startFaultyProxy(target: string, choose: Faults["choose"]): Promise<FaultyProxy> {
  const faults: Record<string, number> = {};
  const sockets = new Set<Socket>();
  const answers = new Set<ServerResponse>();

  const happened = (name: string) => {
    faults[name] = (faults[name] ?? 0) + 1;
  };

  const server = createServer(faulty(forwardTo(target), { choose, happened }));
  server.on("request", (_, answer) => {
    answers.add(answer);
    answer.once("close", () => answers.delete(answer));
  });
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
