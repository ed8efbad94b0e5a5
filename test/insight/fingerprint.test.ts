import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Failure, fingerprint, platformCode } from "../../src/insight/fingerprint.ts";

const stack = (...frames: string[]): string =>
  ["Error: x", ...frames.map((frame) => `    at ${frame}`)].join("\n");
const keyOf = (failure: Failure): string => fingerprint(failure).key;
const titleOf = (message: string): string => fingerprint({ message }).title;

const charge: Failure = {
  name: "TypeError",
  message: "Cannot read properties of undefined (reading 'id')",
  stackTrace: stack(
    "/app/node_modules/lodash/map.js:3:1",
    "capturePayment (file:///app/src/trigger/charge.ts:42:17)",
    "process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
  ),
};

describe("one failure stays one", () => {
  it.each([
    ["ids", "order 4711 of cus_8F3kQ2 not found", "order 9 of cus_7Hh1Zz not found"],
    [
      "uuids and hex",
      "row 7b1e9e70-0c1f-4b59-9a34-6e5bb6d7f1aa gone",
      "row 11111111-2222-4333-8444-555555555555 gone",
    ],
    ["run ids", "child run_cm9x2k4p30001ab12cd34ef56 failed", "child run_cm8q2k4p30001zz99xx11yy22 failed"],
    ["quoted values", 'unknown plan "gold"', 'unknown plan "silver plus"'],
    [
      "paths of URLs",
      "GET https://api.shop.test/orders/1?x=2 timed out",
      "GET https://api.shop.test/orders/zz timed out",
    ],
    ["file paths", "ENOENT: no such file, open '/tmp/a/b.csv'", "ENOENT: no such file, open '/srv/up/c.csv'"],
    ["bare paths", "cannot open /tmp/job/in.csv", "cannot open /srv/data/deep/other.csv"],
    [
      "times and numbers",
      "late by 31.5 ms at 2026-08-20T10:00:00Z",
      "late by 7 ms at 2026-08-21T11:30:00.123Z",
    ],
    ["addresses", "connect ECONNREFUSED 10.0.0.7:5432", "connect ECONNREFUSED 10.0.0.12:5432"],
    ["e-mail addresses", "no mailbox for ann@shop.test", "no mailbox for bob.b@mail.shop.test"],
    ["white space", "first\n   second", "first second"],
  ])("whatever %s it mentions", (_, first, second) => {
    expect(keyOf({ message: first })).toBe(keyOf({ message: second }));
  });

  it("at another line of the same function in another build", () => {
    const elsewhere = stack("async capturePayment (/home/ann/shop/.build/src/trigger/charge.mjs:57:3)");
    expect(keyOf({ ...charge, stackTrace: elsewhere })).toBe(keyOf(charge));
    const asMethod = stack("Object.capturePayment [as run] (C:\\shop\\src\\trigger\\charge.ts:1:3)");
    expect(keyOf({ ...charge, stackTrace: asMethod })).toBe(keyOf(charge));
  });

  it("whichever library it went through", () => {
    const direct = stack("capturePayment (/app/src/trigger/charge.ts:42:17)", "async Promise.all (index 0)");
    const wrapped = stack(
      "async Promise.all (index 3)",
      "Array.map (<anonymous>)",
      "capturePayment (/app/src/trigger/charge.ts:42:17)",
    );
    expect(keyOf({ ...charge, stackTrace: wrapped })).toBe(keyOf({ ...charge, stackTrace: direct }));
  });

  it("when the platform raised it, by its code, as runs and as spans tell it", () => {
    const ofRun = { message: "trigger.dev internal error (TASK_PROCESS_OOM_KILLED)" };
    const ofSpan = { name: "TASK_PROCESS_OOM_KILLED", message: "Process ran out of memory, 512 MB" };
    expect(platformCode(ofRun)).toBe("TASK_PROCESS_OOM_KILLED");
    expect(fingerprint(ofRun)).toEqual(fingerprint(ofSpan));
    expect(platformCode({ message: "it said: trigger.dev internal error (TASK_CRASHED)" })).toBeUndefined();
    expect(platformCode({ name: "MY_ERROR", message: "x" })).toBeUndefined();
  });
});

describe("two failures stay two", () => {
  it.each([
    ["names", charge, { ...charge, name: "RangeError" }],
    ["messages", charge, { ...charge, message: "card declined" }],
    ["properties", charge, { ...charge, message: "Cannot read properties of undefined (reading 'card')" }],
    ["functions", charge, { ...charge, stackTrace: stack("refund (/app/src/trigger/charge.ts:42:17)") }],
    ["files", charge, { ...charge, stackTrace: stack("capturePayment (/app/src/trigger/pay.ts:42:17)") }],
    ["hosts", { message: "GET https://a.test/x failed" }, { message: "GET https://b.test/x failed" }],
    [
      "HTTP statuses",
      { message: "Request failed with status code 404" },
      { message: "Request failed with status code 503" },
    ],
    ["leading statuses", { message: "503 Service Unavailable" }, { message: "429 Too Many Requests" }],
    [
      "platform codes",
      { message: "trigger.dev internal error (TASK_RUN_CRASHED)" },
      { message: "trigger.dev internal error (POD_EVICTED)" },
    ],
  ] as [string, Failure, Failure][])("with other %s", (_, first, second) => {
    expect(keyOf(first)).not.toBe(keyOf(second));
  });
});

describe("a fingerprint", () => {
  it("names the first own frame and a title without what varies", () => {
    expect(fingerprint(charge)).toEqual({
      key: expect.stringMatching(/^[\da-f]{16}$/),
      title: "TypeError: Cannot read properties of undefined (reading id)",
      frame: { name: "capturePayment", file: "/app/src/trigger/charge.ts", line: 42 },
    });
    expect(titleOf("carrier API 503 for parcel 17 of ann@shop.test")).toBe(
      "carrier API 503 for parcel {n} of {email}",
    );
    expect(titleOf("POST https://user:pw@pay.test/v1/charges?key=abc answered 402")).toBe(
      "POST https://pay.test answered 402",
    );
    expect(titleOf("")).toBe("an error without name and message");
  });

  it("does not take a frame that the message quotes for its own", () => {
    const message = "worker said:\n    at inner (/app/src/inner.ts:1:1)\n    at least one of two";
    const { frame } = fingerprint({
      message,
      stackTrace: `Error: ${message}\n    at outer (/app/src/outer.ts:2:2)`,
    });
    expect(frame).toMatchObject({ name: "outer" });
  });

  it("comes of any text, always the same one", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string(),
        fc.string({ unit: "binary" }),
        (message, name, stackTrace) => {
          const found = fingerprint({ message, name, stackTrace });
          expect(found).toEqual(fingerprint({ message, name, stackTrace }));
          expect(found.key).toMatch(/^[\da-f]{16}$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is bounded work on messages and stacks of any length", () => {
    for (const piece of ["a:/", "/a", "'", '"x', "at x (", "1.", "http://", "status ", "-1-"]) {
      const text = piece.repeat(400_000);
      expect(fingerprint({ message: text, stackTrace: text }).title.length).toBeLessThan(300);
    }
  });
});
