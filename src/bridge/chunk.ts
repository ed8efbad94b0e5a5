/** UI message chunks, contract channels.md 10: open objects with a `type`, and what each does to a tool's part. */
import { isObject } from "../domain/message.ts";

export type Chunk = Record<string, unknown> & { type: string };

/** Whether the data of a record is a chunk at all: an object with a string `type`. */
export const isChunk = (data: unknown): data is Chunk => isObject(data) && typeof data.type === "string";

const OTHER_TYPES: ReadonlySet<string> = new Set([
  "start",
  "start-step",
  "finish-step",
  "text-start",
  "text-end",
  "reasoning-start",
  "reasoning-delta",
  "reasoning-end",
  "tool-input-delta",
  "source-url",
  "source-document",
  "file",
  "message-metadata",
  "finish",
  "abort",
  "error",
]);

/** Whether it is part of a chat answer; other tasks write whatever they like. */
export const isKnown = (chunk: Chunk): boolean =>
  chunk.type === "text-delta" ||
  OTHER_TYPES.has(chunk.type) ||
  TOOL_CHANGES.has(chunk.type) ||
  chunk.type.startsWith("data-");

/** The fields the chunk really has. */
export function picked(chunk: Chunk, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.filter((field) => chunk[field] !== undefined).map((field) => [field, chunk[field]]),
  );
}

/** Provider metadata under the name it has in a part. */
export const metadata = (chunk: Chunk, field: string): Record<string, unknown> =>
  chunk.providerMetadata === undefined ? {} : { [field]: chunk.providerMetadata };

/** What belongs to one state of a tool's part, and goes when the next begins. */
const INPUT_RESET = { input: undefined, rawInput: undefined, inputEncoding: undefined };
const RESULT_RESET = { output: undefined, preliminary: undefined, errorText: undefined };

/** What a chunk changes in its tool's part; `dynamic`: the part is spelled `dynamic-tool`. */
export type ToolChange = (chunk: Chunk, dynamic: boolean) => Record<string, unknown>;

/** By chunk type, as the AI SDK's reducer has it. */
export const TOOL_CHANGES = new Map<string, ToolChange>([
  [
    "tool-input-start",
    (chunk) => ({
      ...INPUT_RESET,
      ...RESULT_RESET,
      state: "input-streaming",
      ...picked(chunk, ["title", "providerExecuted", "toolMetadata", "inputEncoding"]),
      ...metadata(chunk, "callProviderMetadata"),
    }),
  ],
  [
    "tool-input-available",
    (chunk) => ({
      ...INPUT_RESET,
      ...RESULT_RESET,
      state: "input-available",
      input: chunk.input,
      ...picked(chunk, ["title", "providerExecuted", "toolMetadata"]),
      ...metadata(chunk, "callProviderMetadata"),
    }),
  ],
  [
    "tool-input-error",
    (chunk, dynamic) => ({
      ...INPUT_RESET,
      ...RESULT_RESET,
      state: "output-error",
      errorText: chunk.errorText,
      // Static tools keep the bad input aside, dynamic ones in place.
      ...(dynamic ? { input: chunk.input } : { rawInput: chunk.input }),
      ...picked(chunk, ["providerExecuted", "toolMetadata"]),
      ...metadata(chunk, "resultProviderMetadata"),
    }),
  ],
  [
    "tool-approval-request",
    (chunk) => ({
      state: "approval-requested",
      approval: {
        id: chunk.approvalId,
        ...(chunk.approvalDescriptor !== undefined && { descriptor: chunk.approvalDescriptor }),
        ...picked(chunk, ["inputSchemaInput", "signature"]),
      },
    }),
  ],
  [
    "tool-output-available",
    (chunk) => ({
      ...RESULT_RESET,
      state: "output-available",
      output: chunk.output,
      preliminary: chunk.preliminary,
      ...picked(chunk, ["providerExecuted", "toolMetadata"]),
      ...metadata(chunk, "resultProviderMetadata"),
    }),
  ],
  [
    "tool-output-error",
    (chunk) => ({
      ...RESULT_RESET,
      state: "output-error",
      errorText: chunk.errorText,
      ...picked(chunk, ["providerExecuted", "toolMetadata"]),
      ...metadata(chunk, "resultProviderMetadata"),
    }),
  ],
  ["tool-output-denied", () => ({ state: "output-denied" })],
]);
