/** What the tests' proxies have in common. */
import { type RequestListener, request } from "node:http";

/** Passes a request on and its answer back, and breaks off with either side. */
export const forwardTo =
  (target: string): RequestListener =>
  (asked, answer) => {
    const { connection: _, ...headers } = asked.headers;
    const forwarded = request(target + asked.url, { method: asked.method, headers, agent: false });
    answer.once("close", () => forwarded.destroy());
    forwarded.on("error", () => answer.destroy());
    forwarded.on("response", (told) => {
      const { connection: _, "keep-alive": __, ...shown } = told.headers;
      answer.writeHead(told.statusCode ?? 502, shown);
      answer.flushHeaders();
      told.on("error", () => answer.destroy());
      told.pipe(answer);
    });
    asked.pipe(forwarded);
  };
