import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCleaner } from "../../src/views/clean.ts";

const cleaner = () => createCleaner({ redact: true });
const stripper = createCleaner({ redact: false });

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

describe("what cannot be seen", () => {
  it.each([
    ["colours", "\u001b[31mred\u001b[0m", "red"],
    ["window titles", "a\u001b]0;title\u0007b", "ab"],
    ["hyperlinks", "\u001b]8;;http://evil\u001b\\text\u001b]8;;\u001b\\", "text"],
    ["unfinished sequences", "a\u001b[", "a"],
    ["C1 sequences", "a\u009b31mb", "ab"],
    ["bidi controls", "abc\u202edef\u2066ghi\u2069", "abcdefghi"],
    ["zero-width spaces", "pay\u200bload\ufeff", "payload"],
    ["tag characters", "hi\u{e0041}\u{e0042}", "hi"],
    ["lone surrogates", "a\ud800b\udc00c", "abc"],
    ["backspaces and bells", "a\u0008\u0007b", "ab"],
  ])("%s are removed", (_, text, clean) => {
    expect(stripper(text)).toBe(clean);
  });

  it("line ends become line feeds, tabs stay, and so do emoji of several parts", () => {
    expect(stripper("a\r\nb\rc\u2028d\te 👩‍👩‍👧 é漢")).toBe("a\nb\nc\nd\te 👩‍👩‍👧 é漢");
  });

  it("is gone from any text, and cleaning twice changes nothing", () => {
    const clean = cleaner();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const once = clean(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be gone
        expect(once).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        expect(isWellFormed(once)).toBe(true);
        expect(clean(once)).toBe(once);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

const body = "abcdefghijklmnopqrstuvwx0123456789ABCD";
const JWT = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${body}`;

describe("secrets", () => {
  it.each([
    ["a dev key", `tr_dev_${body}`],
    ["an additional key", `tr_prod_sk_${body}`],
    ["a personal token", `tr_pat_${body}`],
    ["a JWT", JWT],
    ["a GitHub token", `ghp_${body}`],
    ["a fine-grained GitHub token", `github_pat_${body}`],
    ["a Stripe key", `sk_live_${body}`],
    ["a webhook secret", `whsec_${body}`],
    ["an AWS key id", "AKIAIOSFODNN7EXAMPLE"],
    ["a model provider's key", `sk-proj-${body}`],
    ["a Slack token", "xoxb-123456789012-abcdef"],
    ["a presigned URL", "https://bucket.s3.amazonaws.com/a/b.json?X-Amz-Expires=300&X-Amz-Signature=abc123"],
    ["an Azure signed URL", "https://x.blob.core.windows.net/c/f?sv=2020&sig=abc%3D"],
    ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"],
    ["a private key that was cut", "-----BEGIN PRIVATE KEY-----\nMIIE"],
  ])("%s becomes a placeholder", (_, secret) => {
    expect(cleaner()(`before ${secret}`)).toBe("before [secret 1]");
  });

  it.each([
    [
      "connection strings",
      "postgres://app:hunter2@db.internal:5432/app",
      "postgres://app:[secret 1]@db.internal:5432/app",
    ],
    ["passwords with an at sign", "redis://:p@ss@cache:6379", "redis://:[secret 1]@cache:6379"],
    ["bearer headers", "Authorization: Bearer abcdef.ghijkl-mnop", "Authorization: Bearer [secret 1]"],
    [
      "basic headers in JSON",
      '{"authorization":"Basic dXNlcjpwYXNzd29yZA=="}',
      '{"authorization":"Basic [secret 1]"}',
    ],
    [
      "fields that say so",
      '{"password":"hunter2hunter2","user":"ann"}',
      '{"password":"[secret 1]","user":"ann"}',
    ],
    ["query parameters that say so", "GET /a?api_key=abcdef123&b=1", "GET /a?api_key=[secret 1]&b=1"],
  ])("of %s only the secret goes", (_, text, clean) => {
    expect(cleaner()(text)).toBe(clean);
  });

  it("the same secret gets the same number within an answer, another one another", () => {
    const clean = cleaner();
    expect(clean(`tr_dev_${body} sk_live_${body}`)).toBe("[secret 1] [secret 2]");
    expect(clean(`again sk_live_${body}`)).toBe("again [secret 2]");
  });

  it("is not fooled by characters nobody sees", () => {
    expect(cleaner()(`tr_\u200bdev_${body}`)).toBe("[secret 1]");
  });

  it("leaves ids, cursors, paths and plain words alone", () => {
    const text =
      "run_cm9x2k4p30001ab12cd34ef56 eyJjIjoxNzg3MjE session_cm4 https://api.trigger.dev/api/v1/runs?page=2 password: string, a bearer of news, tr_dev, task-list, http://localhost:3030/a@b";
    expect(cleaner()(text)).toBe(text);
  });

  it("shows secrets when redaction is off", () => {
    expect(stripper(JWT)).toBe(JWT);
  });

  it("takes time in proportion to the text, however nasty", () => {
    const nasty = [
      "eyJ",
      "://a:",
      "-----BEGIN PRIVATE KEY-----",
      "bearer  ",
      "password='",
      "\u001b]",
      "sk-",
      "SG.",
      "token=",
      "authorization: ",
    ];
    for (const piece of nasty) {
      const clean = cleaner();
      clean(`${piece.repeat(200_000)}`);
      clean(`${piece}${"a".repeat(500_000)}`);
    }
  }, 20_000);
});
