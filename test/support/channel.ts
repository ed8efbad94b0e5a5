/** Hand-made channels: records as a client would deliver them. */
import { chatInput } from "../../src/bridge/input.ts";
import type { ChannelItem, ControlRecord, DataRecord } from "../../src/domain/record.ts";

export const START = Date.UTC(2026, 7, 20, 10);

export const data = (seq: number, chunk: unknown, partId = `p${seq}`): DataRecord => ({
  kind: "data",
  seq,
  timestamp: START + seq * 100,
  partId,
  data: chunk,
});

/** What a user says, as it stands on `.in`. */
export const says = (seq: number, text = `message ${seq}`): DataRecord =>
  data(seq, JSON.parse(chatInput("chat-81", { kind: "message", id: `u${seq}`, text })), `u${seq}`);

export const turnComplete = (
  seq: number,
  inputSeq?: number,
  rest: { token?: string; headers?: Record<string, string> } = {},
): ControlRecord => ({
  kind: "control",
  control: "turn-complete",
  seq,
  timestamp: START + seq * 100,
  headers: {
    "trigger-control": "turn-complete",
    ...(inputSeq !== undefined && { "session-in-event-id": String(inputSeq) }),
    ...(rest.token !== undefined && { "public-access-token": rest.token }),
    ...rest.headers,
  },
  ...(inputSeq !== undefined && { inputSeq }),
  ...(rest.token !== undefined && { token: rest.token }),
});

export const control = (seq: number, name: string, headers: Record<string, string> = {}): ControlRecord => ({
  kind: "control",
  control: name,
  seq,
  headers: { "trigger-control": name, ...headers },
});

/** The chunks of a plain answer. */
export const answer = (text: string, id = "a1"): Record<string, unknown>[] => [
  { type: "start", messageId: id },
  { type: "start-step" },
  { type: "text-start", id: "t1" },
  ...(text.match(/\S+\s*/g) ?? []).map((delta) => ({ type: "text-delta", id: "t1", delta })),
  { type: "text-end", id: "t1" },
  { type: "finish-step" },
  { type: "finish", finishReason: "stop" },
];

/** Chunks as records from `seq` on. */
export const records = (seq: number, chunks: readonly unknown[]): DataRecord[] =>
  chunks.map((chunk, index) => data(seq + index, chunk));

/** A session token whose scopes name `runId`. Signed by nobody. */
export const tokenFor = (runId: string): string =>
  ["{}", JSON.stringify({ scopes: [`read:runs:${runId}`, "read:sessions:chat-81"] }), "signature"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");

export async function* stream(items: readonly ChannelItem[]): AsyncGenerator<ChannelItem> {
  yield* items;
}
