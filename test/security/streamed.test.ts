/** Secrets that come in pieces: none of them may leave in pieces either, and nothing else may change. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProgress, type ProgressRecord, type Tick } from "../../src/bridge/progress.ts";
import { deltaOf } from "../../src/domain/deltas.ts";
import { createCleaner } from "../../src/views/clean.ts";
import { viewRecords } from "../../src/views/records.ts";
import { unfinished } from "../../src/views/unfinished.ts";
import { FakeClock } from "../support/clock.ts";
import { aView } from "../support/view.ts";

/** Streams a text in pieces of these lengths as `records`, and answers what a program rebuilds from the ticks. */
async function streamed(
  text: string,
  lengths: readonly number[],
  wait: number | ((said: string) => number) = 110,
) {
  const clock = new FakeClock();
  const ticks: Tick[] = [];
  const progress = createProgress({
    send: (tick) => void ticks.push(tick),
    now: clock.now,
    setTimer: clock.setTimer,
    clean: createCleaner({ redact: true }),
    cleanLine: (line) => createCleaner({ redact: true })(line),
    unfinished,
  });
  const sent: ProgressRecord[] = [];
  let said = "";
  const report = async (chunk: Record<string, unknown>) => {
    const record = { seq: sent.length, kind: "data", chunk };
    sent.push(record);
    progress.report(`turn 1 · "${said}"`, [record]);
    await clock.advance(typeof wait === "number" ? wait : wait(said));
  };
  await report({ type: "text-start", id: "t" });
  for (let at = 0, piece = 0; at < text.length; piece += 1) {
    const delta = text.slice(at, at + (lengths[piece % lengths.length] ?? 4));
    at += delta.length;
    said += delta;
    await report({ type: "text-delta", id: "t", delta });
  }
  await report({ type: "text-end", id: "t" });
  const closing = progress.close();
  await clock.advance(500);
  await closing;
  const records = ticks.flatMap((tick) => (tick._meta?.["trigger-mcp/records"] ?? []) as ProgressRecord[]);
  const dropped = ticks.reduce((sum, tick) => sum + Number(tick._meta?.["trigger-mcp/dropped"] ?? 0), 0);
  const rebuilt = records.map(({ chunk }) => deltaOf(chunk)?.text ?? "").join("");
  return { sent, records, dropped, rebuilt, messages: ticks.map(({ message }) => message) };
}

const BODY = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4";
const WEB_TOKEN = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${BODY}`;
const PEM = `-----BEGIN PRIVATE KEY-----\n${`${BODY}${BODY}\n`.repeat(12)}-----END PRIVATE KEY-----`;

describe.each([
  ["a key", `tr_dev_${BODY}`],
  ["a model provider's key", `sk-proj-${BODY}`],
  ["a web token", WEB_TOKEN],
  ["a private key", PEM],
  ["a password", 'password="correct horse Ab3dEf6hIj9lMn2pQr5tUv"'],
  ["a connection string", `postgres://app:${BODY}@db:5432/app`],
  ["a presigned link", `https://bucket.test/a?X-Amz-Signature=${BODY}`],
  ["a header", `Authorization: Bearer ${BODY}`],
])("%s that streams", (_, secret) => {
  it.each([1, 3, 4, 7, 20, 1_000])("in pieces of %i is never shown, in records or lines", async (length) => {
    const { rebuilt, messages, records, dropped, sent } = await streamed(`Here: ${secret} , done.`, [length]);
    for (const text of [rebuilt, ...messages]) expect(text).not.toMatch(/Ab3dEf6h|lMn2pQr5|8xYz1BcD4/);
    expect(rebuilt).toMatch(/^Here: .*\[secret 1\].* , done\.$/s);
    expect(records.map(({ seq }) => seq)).toEqual([...new Set(records.map(({ seq }) => seq))]);
    expect(records.length + dropped).toBe(sent.length);
  });
});

describe("a flood", () => {
  const FLOOD = "so it goes on and on, ".repeat(9_000);

  it.each([
    ["a key", `tr_dev_${BODY}`],
    ["a private key", PEM],
  ])("that leaves no room for the beginning of %s does not show its rest", async (_, secret) => {
    const half = Math.floor(secret.length / 2);
    const begun = FLOOD.length + half;
    const text = `${FLOOD}${secret} and ${"more of it ".repeat(20)}`;
    // All up to the half of it falls between two ticks.
    const wait = (said: string) => (said.length >= begun ? 110 : 0);
    for (const length of [7, 20, 200]) {
      const { rebuilt, messages, dropped, records, sent } = await streamed(text, [length], wait);
      for (const shown of [rebuilt, ...messages]) expect(shown).not.toMatch(/Ab3dEf6h|lMn2pQr5|8xYz1BcD4/);
      expect(rebuilt).toContain("more of it more of it");
      expect(dropped).toBeGreaterThan(100);
      expect(records.length + dropped).toBe(sent.length);
    }
  });
});

describe("text without secrets", () => {
  it("passes record by record as it came", async () => {
    const text =
      "It shipped on 15 March 2026 and arrives on the 19th: see https://example.com/a?b=c, order 4821 was it.";
    for (const lengths of [[2], [4], [9]]) {
      const { sent, records } = await streamed(text, lengths);
      expect(records).toEqual(sent);
    }
  });

  it("keeps characters that come in halves", async () => {
    const { rebuilt } = await streamed("a 🎉 b 👩‍👩‍👧 c", [1]);
    expect(rebuilt).toBe("a 🎉 b 👩‍👩‍👧 c");
  });

  it("is clean however it is cut", async () => {
    const word = fc.constantFrom(
      "token",
      "password:",
      "is",
      "4242",
      "https://a.test/b",
      `tr_dev_${BODY}`,
      "key-",
      "eyJ",
      "\n",
      '"',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        async (text, lengths) => {
          const { rebuilt } = await streamed(text, lengths, 20);
          expect(rebuilt).not.toContain("Ab3dEf6h");
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("records that are read", () => {
  it("show no secret that lies in pieces, and every other piece as it is", () => {
    const piece = (seq: number, delta: string, id = "t") => ({
      seq,
      kind: "text-delta",
      data: { type: "text-delta", id, delta },
    });
    const pieces = `tr_dev_${BODY} `.match(/.{1,4}/g) ?? [];
    const records = [
      piece(0, "key "),
      ...pieces.map((delta, at) => piece(1 + at, delta)),
      piece(99, "other", "u"),
    ];
    const { text } = viewRecords({ session: "chat-81", io: "out", records, more: 0 }, aView());
    expect(text).toContain('"delta":"key [secret 1] "');
    expect(text).toContain('"delta":"other"');
    expect(text).not.toMatch(/Ab3d|lMn2|YwXz|8xYz/);
  });
});
