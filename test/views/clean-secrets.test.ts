/** What is taken for a secret, in whatever form it comes, and what must not be. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CARD } from "../../src/views/cards.ts";
import { cleanValue, createCleaner, EMAIL } from "../../src/views/clean.ts";
import { NAMED } from "../../src/views/named-secrets.ts";
import { SECRETS } from "../../src/views/secrets.ts";

const clean = (text: string, name?: string) => createCleaner({ redact: true })(text, name);
const cleanedValue = (value: unknown) => cleanValue(value, createCleaner({ redact: true }));

const BODY = "abcdefghijklmnopqrstuvwx0123456789ABCD";
const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWhlcmU";

describe("secrets in text", () => {
  it.each([
    ["a key in a URL's path", `GET /bot/sk_live_${BODY}/send`, "GET /bot/[secret 1]/send"],
    ["a key in a stack frame", `at run (/app/tr_prod_${BODY}.ts:1:1)`, "at run (/app/[secret 1].ts:1:1)"],
    [
      "JSON in JSON",
      '{"body":"{\\"password\\":\\"hunter2 x\\",\\"a\\":1}"}',
      '{"body":"{\\"password\\":\\"[secret 1]\\",\\"a\\":1}"}',
    ],
    [
      "JSON in JSON in JSON",
      String.raw`"{\\\"apiKey\\\":\\\"hunter2\\\"}"`,
      String.raw`"{\\\"apiKey\\\":\\\"[secret 1]\\\"}"`,
    ],
    ["a value with an escaped quote", String.raw`{"secret":"a\"b c","n":1}`, '{"secret":"[secret 1]","n":1}'],
    ["a short value", '{"password":"abc"}', '{"password":"[secret 1]"}'],
    [
      "a list",
      '{"set-cookie":["a=1; Path=/","b=2"],"n":1}',
      '{"set-cookie":["[secret 1]","[secret 2]"],"n":1}',
    ],
    ["a cookie header", "Set-Cookie: sid=abc; HttpOnly\nHost: x", "Set-Cookie: [secret 1]\nHost: x"],
    ["a variable", "DB_PASSWORD=hunter2 PORT=1", "DB_PASSWORD=[secret 1] PORT=1"],
    ["a variable of a deployment file", "  API_KEY: 'hunter2'", "  API_KEY: '[secret 1]'"],
    ["prose that looks like a secret", "the password: hunter2!", "the password: [secret 1]"],
    ["code", 'const token = "hunter2";', 'const token = "[secret 1]";'],
    ["a header with its own name", "x-api-key: 12345abc", "x-api-key: [secret 1]"],
    [
      "basic auth",
      "curl -H 'Authorization: Basic dXNlcjpwYXNzd29yZA=='",
      "curl -H 'Authorization: Basic [secret 1]'",
    ],
    ["basic auth by itself", "sent Basic dXNlcjpwYXNzd29yZA== to it", "sent Basic [secret 1] to it"],
    ["a folded header", `Authorization: Bearer\n ${BODY}`, "Authorization: Bearer\n [secret 1]"],
    ["a web token over lines", `token ${TOKEN.slice(0, 30)}\n${TOKEN.slice(30)} end`, "token [secret 1] end"],
    [
      "a fragment",
      "https://app.test/#access_token=hunter2&state=1",
      "https://app.test/#access_token=[secret 1]&state=1",
    ],
    [
      "an encoded parameter",
      "https://a.test/?next=%2Fx%3Fapi_key%3Dhunter2",
      "https://a.test/?next=%2Fx%3Fapi_key%3D[secret 1]",
    ],
    [
      "an encoded connection string",
      "u=postgres%3A%2F%2Fapp%3Ahunter2%40db",
      "u=postgres%3A%2F%2Fapp%3A[secret 1]%40db",
    ],
    [
      "a presigned link with escaped slashes",
      String.raw`"https:\/\/b.test\/a?X-Amz-Signature=abc"`,
      '"[secret 1]"',
    ],
    [
      "a presigned link with escaped ampersands",
      String.raw`"https://b.test/a?x=1\u0026X-Amz-Signature=abc"`,
      '"[secret 1]"',
    ],
    [
      "a chat hook",
      "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX",
      "https://hooks.slack.com/services/[secret 1]",
    ],
    [
      "a connection string of a store",
      "AccountName=a;AccountKey=abcd1234==;Suffix=x",
      "AccountName=a;AccountKey=[secret 1];Suffix=x",
    ],
    ["a letter spelled by its number", String.raw`"tr_dev_\u0061bcdefghijk"`, '"[secret 1]"'],
    ["a key with a joiner in it", "tr_\u200ddev_abcdefghijk", "[secret 1]"],
    [
      "a private key in JSON",
      String.raw`{"k":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n","n":1}`,
      String.raw`{"k":"[secret 1]\n","n":1}`,
    ],
    [
      "a private key cut short in JSON",
      String.raw`{"k":"-----BEGIN PRIVATE KEY-----\nMIIEabc","n":1}`,
      '{"k":"[secret 1]","n":1}',
    ],
    [
      "two private keys, the first cut",
      "-----BEGIN PRIVATE KEY-----\nMIIE\n(cut)\n-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----",
      "[secret 1]\n(cut)\n[secret 2]",
    ],
    ["a card", "paid with 4111 1111 1111 1111 today", "paid with [card 1] today"],
    ["a card in JSON", '{"number":"378282246310005"}', '{"number":"[card 1]"}'],
    ["cards of other makes", "5555-5555-5555-4444, 3782 822463 10005", "[card 1], [card 2]"],
  ])("%s", (_, text, expected) => {
    expect(clean(text)).toBe(expected);
    const cleaner = createCleaner({ redact: true });
    expect(cleaner(cleaner(text))).toBe(expected);
  });
});

describe("secrets by their names", () => {
  it("are hidden with all that stands under them", () => {
    expect(
      cleanedValue({
        password: "correct horse",
        pin: 1234,
        user: { clientSecret: "x y", name: "ann" },
        headers: { Authorization: "Bearer abc", "set-cookie": ["a=1"], accept: "json" },
        token: { value: "abc", expires: 12 },
        apiKeys: ["one", "two"],
        [`tr_dev_${BODY}`]: true,
      }),
    ).toEqual({
      password: "[secret 1]",
      pin: "[secret 2]",
      user: { clientSecret: "[secret 3]", name: "ann" },
      headers: { Authorization: "Bearer [secret 4]", "set-cookie": ["[secret 5]"], accept: "json" },
      token: { value: "[secret 4]", expires: 12 },
      apiKeys: ["[secret 6]", "[secret 7]"],
      "[secret 8]": true,
    });
  });

  it("leave alone what only sounds like it, and values that say there is none", () => {
    const value = {
      inputTokens: 12,
      maxTokens: "512",
      nextPageToken: "abcdef123",
      idempotencyKey: "order-1",
      key: "value",
      secretName: "stripe",
      password: null,
      hasPassword: true,
      apiKey: "",
      token: "undefined",
      schema: { password: { type: "string", minLength: 8 } },
      waitpointToken: "waitpoint_abc123",
      author: "ann",
    };
    expect(cleanedValue(value)).toEqual(value);
  });

  it("cuts what no stack can walk", () => {
    let deep: unknown = "bottom";
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(JSON.stringify(cleanedValue(deep))).toContain("…");
  });
});

describe("what stays readable", () => {
  it.each([
    "run_cm9x2k4p30001ab12cd34ef56 session_cm4 batch_1 waitpoint_abc",
    "#c3d4 4111111111111111abcdef 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    '#4111111111111111 {"span_id":"4111111111111111"} get_span {"focus":"4111111111111111"}',
    "20261120.3 v4.5.0-beta.1 sha 3f2504e04f8911d39a0c0305e82cda17aabbccdd 1763769600000 1763769600000000 1763769600000000000",
    "2026-11-20T10:00:00.000Z 10:00:04.020 1,204 spans $0.000042",
    "SyntaxError: Unexpected token: } in JSON at position 4",
    "password is required; token: string, secret: none, api_key: missing",
    "Set TRIGGER_SECRET_KEY to a secret key of the environment (tr_dev_…, tr_prod_…)",
    "if (password === undefined) throw new Error(token => token)",
    "basic understanding of bearer bonds; a key-value store; sk-learn; cookies and tokens",
    "https://docs.example.com/a/b?page=2&sort=name#part",
    "postgres://db.internal:5432/app user@host git@github.com:a/b.git pkg@1.2.3",
    "order 4111111111111112 and 1234567890123456 are no cards; phone 4111 1111",
    'list_runs {"cursor":"eyJjIjoxNzg3MjE5MjAwMDAwfQ","limit":25}',
    "ann@example.com",
  ])("%s", (text) => {
    expect(clean(text)).toBe(text);
  });

  it("ids are never cards, whatever their digits", () => {
    const digits = fc.stringMatching(/^4\d{15}$/);
    fc.assert(
      fc.property(digits, (id) => {
        expect(clean(`#${id}`)).toBe(`#${id}`);
        expect(clean(id, "span_id")).toBe(id);
        expect(clean(JSON.stringify({ span_id: id, focus: id }))).toBe(
          JSON.stringify({ span_id: id, focus: id }),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe("e-mail addresses", () => {
  const withEmails = createCleaner({ redact: true, emails: true });

  it("are hidden when asked for, each under its own placeholder", () => {
    expect(withEmails('to ann.b+c@example.co.uk, "bob@example.com" and ann.b+c@example.co.uk.')).toBe(
      'to [email 1], "[email 2]" and [email 1].',
    );
  });

  it("are not packages, versions or addresses of repositories", () => {
    const text = "@trigger.dev/core@4.5.0 /node_modules/pkg@1.2.3/index.js user@host";
    expect(withEmails(text)).toBe(text);
  });

  it("stay with redaction off", () => {
    expect(createCleaner({ redact: false, emails: true })("ann@example.com")).toBe("ann@example.com");
  });
});

describe("what nobody sees", () => {
  it.each([
    ["variation selectors that spell something", "a\u{e0101}\u{e0145}b", "ab"],
    ["selectors and joiners behind ASCII", "ig\u200dno\ufe0fre", "ignore"],
    ["crowds of joiners", "я\u200c\u200d\u200d\u200cя", "я\u200cя"],
    ["fillers", "a\u3164\u115fb", "ab"],
  ])("%s", (_, text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it("keeps scripts and emoji whole", () => {
    const text = "❤️‍🔥 👩‍👩‍👧 1️⃣ می‌خواهم ক্‍ষ ☂︎";
    expect(clean(text)).toBe(text);
  });
});

describe("time", () => {
  /** The parts of a pattern that repeat without a bound. */
  const unbounded = (source: string) =>
    source
      .replace(/\\./g, "x")
      .replace(/\[[^\]]*\]/g, "x")
      .match(/[+*](?!\))|\{\d+,\}/g) ?? [];

  it.each(
    [...SECRETS, NAMED, CARD, EMAIL].map((pattern) => [pattern.source.slice(0, 40), pattern.source]),
  )("%s repeats nothing without a bound", (_, source) => {
    expect(unbounded(source)).toEqual([]);
  });

  const PIECES = [
    "eyJ",
    "eyJaaaaaaaaaaaaaaaaaaaa\n",
    "eyJaaaaaaa.",
    "://a:",
    "://",
    "https://",
    "https:\\/\\/a\\/",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "bearer ",
    "basic ",
    "basic aaaaaaaaaaaaaaaa ",
    "password='",
    'password=\\"',
    '"password":["',
    "cookie: a=",
    "\u001b]",
    "\u001b[",
    "sk-",
    "SG.",
    "SG.aaaaaaaaaaaaaaaaaaaa.",
    "token=",
    "token",
    "authorization: ",
    "4111 ",
    "4111111111111111",
    "1",
    "a@",
    "a@a.",
    "a.",
    "%3A%2F%2Fa%3A",
    "\\u0061",
    "\\\\\\\\",
    "\u200d",
    "\r",
    "hooks.slack.com/services/",
    "key ",
    "secret-access-",
  ];

  it.each(PIECES)("a megabyte of %j is clean soon", (piece) => {
    const cleaner = createCleaner({ redact: true, emails: true });
    cleaner(piece.repeat(Math.ceil(1_000_000 / piece.length)));
    cleaner(`${piece}${"a".repeat(1_000_000)}`);
    cleaner(`${piece}${" ".repeat(1_000_000)}`);
    cleaner(`${piece}${"\\".repeat(1_000_000)}`);
  }, 30_000);

  it("as is a megabyte of anything made of them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...PIECES, "a", " ", '"', "\n", "."), { minLength: 1, maxLength: 12 }),
        (pieces) => {
          const unit = pieces.join("");
          createCleaner({ redact: true, emails: true })(unit.repeat(Math.ceil(200_000 / unit.length)));
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
