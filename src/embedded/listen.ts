/** The HTTP server under the app. */
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { type Faults, faulty } from "./faults.ts";

export interface Listening {
  url: string;
  /** Resolves when the last connection is gone; none is waited for. */
  close(): Promise<void>;
}

export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  host: string,
  port: number,
  faults?: Faults,
): Promise<Listening> {
  // The globals stay what they are: other parts of the process rely on them.
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false });
  const server = createServer(faults ? faulty(answer, faults) : answer);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
