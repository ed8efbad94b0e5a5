/** Presigned URLs: a link to one stored thing, for one method, valid 300 s, contract api.md 0.7. */
import { createHmac, timingSafeEqual } from "node:crypto";

const VALID_MS = 300_000;

export interface SignedUrls {
  /** An absolute URL on `origin`; `path` begins with a slash and is already encoded. */
  sign(origin: string, method: "GET" | "PUT", path: string): string;
  verify(method: string, url: URL): boolean;
}

export function createSignedUrls(secret: string, now: () => number = Date.now): SignedUrls {
  const signature = (method: string, path: string, expires: string) =>
    createHmac("sha256", secret).update(`${method}\n${path}\n${expires}`).digest("hex");

  return {
    sign: (origin, method, path) => {
      const url = new URL(path, origin);
      const expires = String(now() + VALID_MS);
      url.searchParams.set("expires", expires);
      url.searchParams.set("signature", signature(method, url.pathname, expires));
      return url.href;
    },
    verify: (method, url) => {
      const expires = url.searchParams.get("expires") ?? "";
      const given = Buffer.from(url.searchParams.get("signature") ?? "");
      const expected = Buffer.from(signature(method, url.pathname, expires));
      return given.length === expected.length && timingSafeEqual(given, expected) && Number(expires) > now();
    },
  };
}
