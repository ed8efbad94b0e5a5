import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiPath } from "../../src/client/path.ts";
import { isTriggerError } from "../../src/domain/errors.ts";
import { json } from "../support/fake-api.ts";
import { type Bench, bench, sessionBody, thrown } from "./support.ts";

let at: Bench;
beforeAll(async () => {
  at = await bench();
});
afterAll(async () => {
  await at.close();
});

test("whatever an id is, it is one segment of the path or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })), (id) => {
      let path: string;
      try {
        path = apiPath`/api/v1/sessions/${id}/close`;
      } catch (error) {
        return isTriggerError(error) && error.code === "invalid_request";
      }
      const { pathname, search, hash, host } = new URL(path, "http://api.test");
      const [, api, v1, sessions, segment = "", close, ...more] = pathname.split("/");
      expect([api, v1, sessions, close, more]).toEqual(["api", "v1", "sessions", "close", []]);
      expect([search, hash, host]).toEqual(["", "", "api.test"]);
      return decodeURIComponent(segment) === id;
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  "",
  ".",
  "..",
  "a\u0000b",
  "a\nb",
  "\u007f",
  "\u0085",
  "\ud800",
  "x".repeat(1_025),
])("%j cannot be an id", async (id) => {
  expect((await thrown(async () => at.api.sessions.retrieve(id))).code).toBe("invalid_request");
  expect(at.server.requests).toHaveLength(0);
});

test.each([
  ["../runs", "..%2Fruns"],
  ["a/b?c#d", "a%2Fb%3Fc%23d"],
  ["%2e%2e", "%252e%252e"],
  ["chat 1;é", "chat%201%3B%C3%A9"],
])("%j leaves as %s", async (id, segment) => {
  at.server.plan(`GET /api/v1/sessions/${segment}`, json(200, sessionBody()));
  await at.api.sessions.retrieve(id);
  at.server.verify();
  at.server.requests.length = 0;
});

test("a base URL with a path of its own keeps it", async () => {
  const api = at.client({ apiUrl: `${at.server.url}/trigger/` });
  at.server.plan("GET /trigger/api/v1/sessions/c", json(200, sessionBody()));
  await api.sessions.retrieve("c");
  at.server.verify();
});

test.each([
  "ftp://x",
  "nonsense",
  "http://user:pass@x",
  "file:///etc/passwd",
])("%s is no API URL", (apiUrl) => {
  expect(() => at.client({ apiUrl })).toThrow(/API URL/);
});

test.each([
  "",
  "no-such-kind",
  "tr_dev_with space",
  "tr_dev_line\nbreak",
])("%j is no credential, and is not repeated", (token) => {
  expect(() => at.client({ token })).toThrow(/neither a secret key/);
  if (token) expect(() => at.client({ token })).not.toThrow(token);
});
