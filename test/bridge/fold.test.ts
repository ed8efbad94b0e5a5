import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Chunk } from "../../src/bridge/chunk.ts";
import { MessageFold } from "../../src/bridge/fold.ts";
import { parsePartialJson } from "../../src/bridge/partial-json.ts";
import { answer } from "../support/channel.ts";

function folded(chunks: readonly Record<string, unknown>[], prior: Parameters<typeof startFold>[0] = []) {
  const fold = startFold(prior);
  for (const chunk of chunks) fold.apply(chunk as Chunk);
  return fold;
}

const startFold = (prior: ConstructorParameters<typeof MessageFold>[0]) => new MessageFold(prior);

const partsOf = (chunks: readonly Record<string, unknown>[]) => folded(chunks).content().parts;

describe("folding chunks into a message", () => {
  it("assembles text from its deltas", () => {
    const fold = folded(answer("It shipped on 15 March."));
    expect(fold.messages()).toEqual([
      {
        id: "a1",
        role: "assistant",
        parts: [{ type: "step-start" }, { type: "text", text: "It shipped on 15 March.", state: "done" }],
      },
    ]);
    expect(fold.content()).toMatchObject({
      messageId: "a1",
      finishReason: "stop",
      aborted: false,
      errors: [],
    });
  });

  it("keeps reasoning apart from text and marks it done", () => {
    expect(
      partsOf([
        { type: "reasoning-start", id: "r1", providerMetadata: { x: 1 } },
        { type: "reasoning-delta", id: "r1", delta: "hm" },
        { type: "reasoning-end", id: "r1" },
      ]),
    ).toEqual([{ type: "reasoning", id: "r1", text: "hm", state: "done", providerMetadata: { x: 1 } }]);
  });

  it("takes a tool through input, output and preliminary output", () => {
    const fold = folded([
      { type: "tool-input-start", toolCallId: "c1", toolName: "lookupOrder" },
      { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '{"id":4' },
    ]);
    expect(fold.content().parts).toMatchObject([
      { type: "tool-lookupOrder", state: "input-streaming", input: {} },
    ]);
    fold.apply({ type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '821,"x":"ab' });
    expect(fold.content().parts).toMatchObject([{ input: { id: 4821, x: "ab" } }]);
    fold.apply({
      type: "tool-input-available",
      toolCallId: "c1",
      toolName: "lookupOrder",
      input: { id: 4821 },
    });
    fold.apply({ type: "tool-output-available", toolCallId: "c1", output: { at: 1 }, preliminary: true });
    fold.apply({ type: "tool-output-available", toolCallId: "c1", output: { at: 2 } });
    const [part] = fold.content().parts;
    expect(part).toMatchObject({ state: "output-available", input: { id: 4821 }, output: { at: 2 } });
    expect(part?.preliminary).toBeUndefined();
  });

  it("keeps text input as text", () => {
    expect(
      partsOf([
        { type: "tool-input-start", toolCallId: "c1", toolName: "patch", inputEncoding: "text" },
        { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: "*** begin" },
      ]),
    ).toMatchObject([{ input: "*** begin" }]);
  });

  it("spells dynamic tools as such, and keeps bad input where the contract says", () => {
    expect(
      partsOf([
        { type: "tool-input-error", toolCallId: "c1", toolName: "a", input: "bad", errorText: "no" },
        {
          type: "tool-input-error",
          toolCallId: "c2",
          toolName: "b",
          input: "bad",
          errorText: "no",
          dynamic: true,
        },
      ]),
    ).toMatchObject([
      { type: "tool-a", state: "output-error", rawInput: "bad", input: undefined, errorText: "no" },
      { type: "dynamic-tool", toolName: "b", state: "output-error", input: "bad" },
    ]);
  });

  it("asks for approval, and is denied", () => {
    const fold = folded([
      { type: "tool-input-available", toolCallId: "c1", toolName: "refund", input: {} },
      { type: "tool-approval-request", toolCallId: "c1", approvalId: "ap1" },
    ]);
    expect(fold.content().parts).toMatchObject([{ state: "approval-requested", approval: { id: "ap1" } }]);
    fold.apply({ type: "tool-output-denied", toolCallId: "c1" });
    expect(fold.content().parts).toMatchObject([{ state: "output-denied", approval: { id: "ap1" } }]);
  });

  it("goes on with the last message after an approval, and tells what this turn changed", () => {
    const prior = [
      {
        id: "a1",
        role: "assistant",
        parts: [
          { type: "text", text: "May I?" },
          { type: "tool-refund", toolCallId: "c1", state: "approval-requested", input: { id: 1 } },
        ],
      },
    ];
    const fold = folded(
      [
        { type: "start", messageId: "a1" },
        { type: "tool-output-available", toolCallId: "c1", output: "ok" },
        { type: "text-delta", id: "t2", delta: "Done." },
      ],
      prior,
    );
    expect(fold.messages()).toHaveLength(1);
    expect(fold.messages()[0]?.parts).toHaveLength(3);
    expect(fold.content().parts).toMatchObject([
      { type: "tool-refund", output: "ok", input: { id: 1 } },
      { type: "text", text: "Done." },
    ]);
    expect(prior[0]?.parts).toHaveLength(2);
  });

  it("begins a new message for another id and for another turn", () => {
    const fold = folded([
      ...answer("one", "a1"),
      { type: "start", messageId: "a2" },
      { type: "text-delta", id: "t", delta: "two" },
    ]);
    expect(fold.messages().map(({ id }) => id)).toEqual(["a1", "a2"]);
    fold.endTurn();
    fold.apply({ type: "text-delta", id: "t", delta: "three" });
    expect(fold.messages()).toHaveLength(3);
    expect(fold.content().parts).toMatchObject([{ text: "three" }]);
  });

  it("stores data parts by id, and transient ones not at all", () => {
    expect(
      partsOf([
        { type: "data-status", id: "s", data: 1 },
        { type: "data-status", id: "s", data: 2 },
        { type: "data-status", data: 3 },
        { type: "data-note", data: 4, transient: true },
      ]),
    ).toEqual([
      { type: "data-status", id: "s", data: 2 },
      { type: "data-status", data: 3 },
    ]);
  });

  it("keeps sources and files as they are", () => {
    const chunks = [
      { type: "source-url", sourceId: "s1", url: "https://example.com" },
      { type: "file", url: "data:,x", mediaType: "text/plain" },
    ];
    expect(partsOf(chunks)).toEqual(chunks);
  });

  it("merges metadata deeply and not into prototypes", () => {
    const fold = folded([
      { type: "start", messageMetadata: { usage: { in: 1 } } },
      { type: "message-metadata", messageMetadata: { usage: { out: 2 } } },
      { type: "finish", messageMetadata: JSON.parse('{"__proto__":{"polluted":true}}') },
    ]);
    expect(fold.messages()[0]?.metadata).toEqual({ usage: { in: 1, out: 2 } });
    expect("polluted" in {}).toBe(false);
  });

  it("closes what is open on abort, and surfaces errors without losing the message", () => {
    const fold = folded([
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "half" },
      { type: "abort", reason: "stop" },
      { type: "error", errorText: "boom" },
    ]);
    expect(fold.content()).toMatchObject({
      aborted: true,
      errors: ["boom"],
      parts: [{ text: "half", state: "done" }],
    });
  });

  it("tolerates deltas, ends and outputs of things it has not seen begin", () => {
    expect(
      partsOf([
        { type: "text-delta", id: "t9", delta: "…rest" },
        { type: "text-end", id: "t9" },
        { type: "reasoning-end", id: "r9" },
        { type: "tool-output-available", toolCallId: "c9", output: 1 },
      ]),
    ).toMatchObject([
      { type: "text", text: "…rest", state: "done" },
      { type: "reasoning", state: "done" },
      { type: "dynamic-tool", toolName: "unknown", state: "output-available" },
    ]);
  });

  it("learns a tool's name late", () => {
    expect(
      partsOf([
        { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: "{}" },
        { type: "tool-input-available", toolCallId: "c1", toolName: "late", input: {} },
      ]),
    ).toMatchObject([{ toolName: "late", state: "input-available" }]);
  });

  it("gives snapshots that later chunks do not change", () => {
    const fold = folded([{ type: "text-delta", id: "t", delta: "one" }]);
    const before = fold.content();
    fold.apply({ type: "text-delta", id: "t", delta: "two" });
    expect(before.parts).toMatchObject([{ text: "one" }]);
  });

  it("survives any chunk whatever", () => {
    const type = fc.constantFrom(
      ...["start", "start-step", "finish-step", "text-start", "text-delta", "text-end", "tool-input-start"],
      ...["tool-input-delta", "tool-output-error", "data-x", "finish", "abort", "error", "constructor", "?"],
    );
    const chunk = fc.record({
      type,
      id: fc.anything(),
      toolCallId: fc.constantFrom("a", "b"),
      delta: fc.anything(),
    });
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const fold = folded(chunks);
        fold.endTurn();
        fold.messages();
      }),
    );
  });
});

describe("reading JSON that breaks off", () => {
  it.each([
    ['{"id":48', {}],
    ['{"id":48,', { id: 48 }],
    ['{"id":48,"na', { id: 48 }],
    ['{"id":48,"name":"An', { id: 48, name: "An" }],
    ['{"a":[1,{"b":"c\\', { a: [1, { b: "c" }] }],
    ['{"a":"x\\u00', { a: "x" }],
    ["[tru", []],
    ["", undefined],
    ["nonsense", undefined],
  ])("%s", (text, value) => {
    expect(parsePartialJson(text)).toEqual(value);
  });

  it("reads every beginning of any JSON object without throwing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        for (let at = 1; at <= text.length; at += 1) {
          expect(parsePartialJson(text.slice(0, at))).toBeTypeOf("object");
        }
        expect(parsePartialJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 50 },
    );
  });
});
