/** A proxy in front of an API that tells what is asked of it, and can be cut and mended like a cable. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { forwardTo } from "./forward.ts";

export interface Tap {
  url: string;
  /** Method and path of every request so far, in order, without queries. */
  asked: readonly string[];
  /** The same of what is being answered now, sorted. */
  open(): string[];
  /** Breaks whatever is being answered, and lets nothing through. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startTap(target: string): Promise<Tap> {
  const asked: string[] = [];
  const answers = new Map<ServerResponse, string>();
  let broken = false;

  const forward = forwardTo(target);
  const server = createServer((incoming, answer) => {
    const name = `${incoming.method} ${incoming.url?.split("?", 1)[0]}`;
    asked.push(name);
    if (broken) {
      answer.destroy();
      return;
    }
    answers.set(answer, name);
    answer.once("close", () => answers.delete(answer));
    forward(incoming, answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    open: () => [...answers.values()].sort(),
    cut() {
      broken = true;
      for (const answer of answers.keys()) answer.destroy();
    },
    mend() {
      broken = false;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
