/**
 * The AI SDK's own reducer is the reference for folding. Where ours differs, it is on purpose:
 * - a message nobody named has no id here, and the id "" there;
 * - tool input that is still arriving shows whole values only (`{"id":48` may become 4821); there half a number counts;
 * - what was left open is closed here by `finish-step`, `abort` and the end of the turn; there it stays "streaming";
 * - a data part is stored without the flag that it is not transient.
 */
import { readUIMessageStream, type UIMessageChunk } from "ai";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Chunk } from "../../src/bridge/chunk.ts";
import { MessageFold } from "../../src/bridge/fold.ts";
import { isObject, type UiMessage } from "../../src/domain/message.ts";

/** The last message there is when all chunks are read. */
async function theirs(chunks: readonly Chunk[], message?: UiMessage): Promise<UiMessage | undefined> {
  const errors: unknown[] = [];
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      // Not every chunk makes the AI SDK show the message; this one does, and is taken away again.
      for (const chunk of [...structuredClone(chunks), { type: "data-shown", data: 0 }])
        controller.enqueue(chunk as UIMessageChunk);
      controller.close();
    },
  });
  let last: UiMessage | undefined;
  const reading = readUIMessageStream({
    stream,
    onError: (error) => errors.push(error),
    ...(message && { message: structuredClone(message) as never }),
  });
  for await (const one of reading) last = one as UiMessage;
  const expected = chunks.filter(({ type }) => type === "error").length;
  expect(errors).toHaveLength(expected);
  last?.parts.pop();
  return last;
}

function ours(chunks: readonly Chunk[], message?: UiMessage): UiMessage | undefined {
  const fold = new MessageFold(message ? [message] : []);
  for (const chunk of structuredClone(chunks)) fold.apply(chunk);
  fold.endTurn();
  return fold.messages().at(-1);
}

/** Without what differs on purpose, and without members that are `undefined`. */
function comparable(message: UiMessage | undefined): unknown {
  if (!message) return undefined;
  const { id = "", ...rest } = message;
  const parts = message.parts.map(({ transient: _, ...part }) => ({
    ...part,
    ...(part.state === "streaming" && { state: "done" }),
    ...(part.state === "input-streaming" && part.inputEncoding !== "text" && { input: undefined }),
  }));
  return JSON.parse(JSON.stringify({ ...rest, id, parts }));
}

const word = fc.string({ maxLength: 4 });
const json = fc.constantFrom<unknown>(
  0,
  "",
  "a b",
  false,
  -1.5,
  [1, [null]],
  {},
  { id: 4821 },
  { a: { b: ["c"] } },
);
const bag = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(json, fc.constant(null)), { maxKeys: 2 });

/** Any of the members, or none. */
const some = (members: Record<string, fc.Arbitrary<unknown>>) => fc.record(members, { requiredKeys: [] });
const pm = some({ providerMetadata: bag });

const chunks = (...list: (Record<string, unknown> | undefined)[]): Chunk[] =>
  list.filter((chunk): chunk is Chunk => isObject(chunk));

/** Text or reasoning, whose end may be missing. */
const written = (id: string) =>
  fc
    .record({
      kind: fc.constantFrom("text", "reasoning"),
      words: fc.array(fc.tuple(word, pm), { maxLength: 4 }),
      first: pm,
      last: pm,
      ends: fc.boolean(),
    })
    .map(({ kind, words, first, last, ends }) =>
      chunks(
        { type: `${kind}-start`, id, ...first },
        ...words.map(([delta, meta]) => ({ type: `${kind}-delta`, id, delta, ...meta })),
        ends ? { type: `${kind}-end`, id, ...last } : undefined,
      ),
    );

/** How a tool's use ends, as far as it gets. */
const results = (toolCallId: string) => {
  const output = fc
    .record({ output: json })
    .chain((given) =>
      some({ providerExecuted: fc.boolean(), toolMetadata: bag, dynamic: fc.boolean() }).chain((more) =>
        pm.map((meta) => ({ type: "tool-output-available", toolCallId, ...given, ...more, ...meta })),
      ),
    );
  const error = fc
    .tuple(word, some({ providerExecuted: fc.boolean(), toolMetadata: bag }), pm)
    .map(([errorText, more, meta]) => ({
      type: "tool-output-error",
      toolCallId,
      errorText,
      ...more,
      ...meta,
    }));
  const denied = fc.constant({ type: "tool-output-denied", toolCallId });
  const asks = some({ approvalDescriptor: bag, inputSchemaInput: json, signature: word }).map((more) => ({
    type: "tool-approval-request",
    toolCallId,
    approvalId: `ap-${toolCallId}`,
    ...more,
  }));
  const sofar = output.map((chunk) => ({ ...chunk, preliminary: true }));
  return fc
    .tuple(
      fc.option(asks, { nil: undefined }),
      fc.array(sofar, { maxLength: 2 }),
      fc.option(fc.oneof(output, error, denied), { nil: undefined }),
    )
    .map(([asked, before, end]) => chunks(asked, ...before, end));
};

/** A tool's input, streamed or at once or wrong, and what came of it. */
const toolUse = (toolCallId: string) =>
  fc
    .record({
      toolName: fc.constantFrom("lookupOrder", "web-search", "x"),
      dynamic: fc.boolean(),
      input: json,
      text: fc.boolean(),
      streamed: fc.constantFrom("whole", "part", "not"),
      cut: fc.nat(),
      arrives: fc.constantFrom("yes", "yes", "wrong", "not"),
      about: some({ title: word, providerExecuted: fc.boolean(), toolMetadata: bag }),
      metas: fc.tuple(pm, pm),
      after: results(toolCallId),
    })
    .map(({ toolName, dynamic, input, text, streamed, cut, arrives, about, metas, after }) => {
      const named = { toolCallId, toolName, ...(dynamic && { dynamic }), ...about };
      const whole = text ? String(input) : JSON.stringify(input);
      const at = cut % (whole.length + 1);
      const pieces = streamed === "whole" ? [whole.slice(0, at), whole.slice(at)] : [whole.slice(0, at)];
      const isStreamed = streamed !== "not" || arrives === "not";
      const encoding = text ? { inputEncoding: "text" } : {};
      const { title: _, ...untitled } = named as typeof named & { title?: unknown };
      return chunks(
        isStreamed ? { type: "tool-input-start", ...named, ...encoding, ...metas[0] } : undefined,
        ...(isStreamed
          ? pieces.map((inputTextDelta) => ({ type: "tool-input-delta", toolCallId, inputTextDelta }))
          : []),
        arrives === "yes" ? { type: "tool-input-available", ...named, input, ...metas[1] } : undefined,
        arrives === "wrong"
          ? { type: "tool-input-error", ...untitled, input, errorText: "bad input", ...metas[1] }
          : undefined,
        ...(arrives === "yes" ? after : []),
      );
    });

const single = fc
  .oneof(
    some({ title: word }).map((more) => ({
      type: "source-url",
      sourceId: "s",
      url: "https://a.example",
      ...more,
    })),
    some({ filename: word }).map((more) => ({
      type: "source-document",
      sourceId: "d",
      mediaType: "application/pdf",
      title: "t",
      ...more,
    })),
    fc.constant({ type: "file", url: "data:,x", mediaType: "text/plain" }),
  )
  .chain((chunk) => pm.map((meta) => ({ ...chunk, ...meta })));

const aside = fc.oneof(
  fc
    .record({ type: fc.constantFrom("data-status", "data-note"), data: json })
    .chain((chunk) =>
      some({ id: fc.constantFrom("1", "2"), transient: fc.boolean() }).map((more) => ({ ...chunk, ...more })),
    ),
  bag.map((messageMetadata) => ({ type: "message-metadata", messageMetadata })),
  word.map((errorText) => ({ type: "error", errorText })),
);

/** Several rows of chunks shuffled into one, each in its own order. */
function interleave(rows: readonly (readonly Chunk[])[], picks: readonly number[]): Chunk[] {
  const left = rows.map((row) => [...row]).filter((row) => row.length > 0);
  const result: Chunk[] = [];
  for (let turn = 0; left.length > 0; turn += 1) {
    const at = (picks[turn % picks.length] ?? 0) % left.length;
    const row = left[at] ?? [];
    result.push(...row.splice(0, 1));
    if (row.length === 0) left.splice(at, 1);
  }
  return result;
}

/** `prefix`: sets the ids of this step's tools apart. Text ids come again in every step. */
const step = (prefix: string) =>
  fc
    .record({
      texts: fc.tuple(written("t1"), written("t2")),
      tools: fc.tuple(toolUse(`${prefix}c1`), toolUse(`${prefix}c2`)),
      others: fc.array(fc.oneof(single, aside), { maxLength: 4 }),
      picks: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 12 }),
    })
    .map(({ texts, tools, others, picks }) => [
      { type: "start-step" },
      ...interleave([...texts, ...tools, chunks(...others)], picks),
      { type: "finish-step" },
    ]);

const turn = fc
  .record({
    start: some({ messageId: fc.constant("a1"), messageMetadata: bag }),
    steps: fc.tuple(step("1"), fc.option(step("2"), { nil: [] }), fc.option(step("1"), { nil: [] })),
    end: fc.constantFrom<Chunk[]>(
      [{ type: "finish", finishReason: "stop", messageMetadata: { done: true, a: { x: 1 } } }],
      [{ type: "finish" }],
      [{ type: "abort", reason: "stop" }],
      [],
    ),
  })
  .map(({ start, steps, end }): Chunk[] => [{ type: "start", ...start }, ...steps.flat(), ...end]);

const RUNS = { numRuns: 60, endOnFailure: true };

describe("folding chunks as the AI SDK does", () => {
  it("gives the same message for any turn", async () => {
    await fc.assert(
      fc.asyncProperty(turn, async (all) => {
        expect(comparable(ours(all))).toEqual(comparable(await theirs(all)));
      }),
      RUNS,
    );
  });

  it("gives the same message wherever the turn breaks off", async () => {
    await fc.assert(
      fc.asyncProperty(turn, fc.nat(), async (all, cut) => {
        const beginning = all.slice(0, 1 + (cut % all.length));
        expect(comparable(ours(beginning))).toEqual(comparable(await theirs(beginning)));
      }),
      RUNS,
    );
  });

  it("gives the same message when a turn goes on with the one before", async () => {
    await fc.assert(
      fc.asyncProperty(turn, step("3"), results("1c1"), async (first, more, after) => {
        const named = first.map((chunk) => (chunk.type === "start" ? { ...chunk, messageId: "a1" } : chunk));
        const message = ours(named);
        const tool = message?.parts.findLast(({ toolCallId }) => toolCallId === "1c1");
        const known = tool?.state === "input-available" || tool?.state === "approval-requested";
        const rest: Chunk[] = [{ type: "start", messageId: "a1" }, ...(known ? after : []), ...more];
        expect(comparable(ours(rest, message))).toEqual(comparable(await theirs(rest, message)));
      }),
      RUNS,
    );
  });

  it("begins a new message where the id changes", async () => {
    await fc.assert(
      fc.asyncProperty(turn, step("2"), async (first, more) => {
        const all = [...first, { type: "start", messageId: "a2" }, ...more];
        const mine = ours(all);
        expect(mine?.id).toBe("a2");
        const expected = await theirs(all);
        if (first[0]?.messageId !== undefined) expect(comparable(mine)).toEqual(comparable(expected));
      }),
      RUNS,
    );
  });
});
