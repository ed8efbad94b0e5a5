/** What a subscription asks for and how it is answered, contract api.md 5.2 and channels.md 5. */
import type { Channels } from "../engine/channels.ts";
import type { ChannelAddress } from "../store/channels.ts";
import { channelEvents, streamed } from "./channel-stream.ts";
import { error } from "./replies.ts";

/** 5 to 15 s, channels.md 2.2. */
const PING_MS = 10_000;

export interface StreamDeps {
  channels: Channels;
  /** Milliseconds between the pings of a silent stream. */
  pingMs?: number;
  now?: () => number;
}

/** Server-sent events as the request's headers ask for them; `settled` drains what is there and says so. */
export function streamAnswer(
  { channels, pingMs = PING_MS, now = Date.now }: StreamDeps,
  { headers }: Request,
  address: ChannelAddress,
  settled = false,
): Response {
  const seconds = timeoutSeconds(headers.get("timeout-seconds"));
  if (typeof seconds === "string") return new Response(seconds, { status: 400 });
  const from = startAfter(headers.get("last-event-id"));
  if (!Number.isInteger(from)) return error(500, "Internal Server Error");
  const following = { from, waitMs: settled ? 0 : seconds * 1000, pingMs, now };
  const body = streamed((gone) => channelEvents(channels, address, following, gone));
  return new Response(body, { headers: streamHeaders(settled) });
}

/** 1 to 600, default 60; a string is what is wrong with it. */
function timeoutSeconds(value: string | null): number | string {
  if (!value) return 60;
  const seconds = Number.parseInt(value, 10);
  if (Number.isNaN(seconds)) return "Invalid timeout seconds";
  if (seconds < 1) return "Timeout seconds must be greater than 0";
  if (seconds > 600) return "Timeout seconds must be less than 600";
  return seconds;
}

/** The table of channels.md 5: the text before the first `-`, as `Number` reads it; anything else starts at 0. */
function startAfter(lastEventId: string | null): number {
  if (!lastEventId) return 0;
  const after = Number(lastEventId.split("-", 1)[0]);
  return Number.isFinite(after) && after >= 0 ? after + 1 : 0;
}

const streamHeaders = (settled: boolean): Record<string, string> => ({
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
  "X-Stream-Version": "v2",
  "Access-Control-Expose-Headers": "*",
  ...(settled && { "X-Session-Settled": "true" }),
});
