/** The channels area, contract api.md 5 and channels.md. */
import { z } from "zod";
import { TriggerError } from "../domain/errors.ts";
import type { ChannelRef } from "../domain/record.ts";
import type { ChannelsApi } from "./api.ts";
import type { Caller, CallRequest } from "./caller.ts";
import { type ApiPath, apiPath, below } from "./path.ts";
import { decodeListed } from "./sse/decode.ts";
import { follow } from "./sse/follow.ts";
import { maybe } from "./wire/fields.ts";

/** Seconds without a record after which the server ends a stream; we reopen it as long as somebody listens. */
const WAIT_SECONDS = "60";
const RECORDS_LIMIT = 128 * 1024 * 1024;

const READ = ["read:sessions"];
const WRITE = ["write:sessions"];

export function channelsApi(caller: Caller): ChannelsApi {
  const { context, credentials, pipeline } = caller;

  return {
    async append(channel, body, partId, options) {
      const request: CallRequest = {
        method: "POST",
        path: below(channelPath(channel), "append"),
        headers: { "x-part-id": headerValue(partId) },
        body,
        // `.out` takes no public token (5.4).
        need: channel.io === "out" ? "secret" : WRITE,
        repeat: "always",
      };
      const { seq } = await caller.ask(request, appended, options);
      return seq === undefined ? {} : { seq };
    },

    async records(channel, after, options) {
      const request: CallRequest = {
        method: "GET",
        path: below(channelPath(channel), "records"),
        ...(after !== undefined && { query: { afterEventId: String(after) } }),
        need: READ,
        repeat: "always",
        limit: RECORDS_LIMIT,
      };
      const { records } = await caller.ask(request, listed, options);
      return records.map((record) => decodeListed(record, hasLegacyControl(channel)));
    },

    follow(channel, options = {}) {
      const path = channelPath(channel);
      const request: CallRequest = { method: "GET", path, need: READ, repeat: "always" };
      const headers = {
        accept: "text/event-stream",
        "timeout-seconds": WAIT_SECONDS,
        ...(options.peekSettled && { "x-peek-settled": "1" }),
      };
      return follow(
        {
          request: `GET ${path}`,
          connect(after, token, signal) {
            const resume = after !== undefined && { "last-event-id": String(after) };
            return pipeline.open({ ...request, headers: { ...headers, ...resume } }, token, signal);
          },
          bearer: credentials.bearer(request.need),
          takesStreamTokens: credentials.access.kind === "public",
          legacyControl: hasLegacyControl(channel),
          idleMs: context.timeouts.idle,
          clock: context.clock,
        },
        options,
      );
    },
  };
}

const appended = z.looseObject({ ok: z.literal(true), seq: maybe(z.int().min(0)) });
const listed = z.looseObject({ records: z.array(z.unknown()) });

/** Only agents write control chunks, and only on `.out`. */
const hasLegacyControl = ({ io, channel }: ChannelRef): boolean => io === "out" && channel === undefined;

const channelPath = ({ session, io, channel }: ChannelRef): ApiPath =>
  channel === undefined
    ? apiPath`/realtime/v1/sessions/${session}/${io}`
    : apiPath`/realtime/v1/sessions/${session}/channels/${channel}/${io}`;

function headerValue(key: string): string {
  if (/^[\x20-\x7e]{1,256}$/.test(key)) return key;
  throw new TriggerError("invalid_request", "A key is 1 to 256 printable ASCII characters.");
}
