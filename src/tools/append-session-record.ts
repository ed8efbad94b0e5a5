/** Appends one raw record: contract api.md 5.4, channels.md 8. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { call, formatCall } from "../domain/calls.ts";
import { render } from "../views/document.ts";
import { oneLine } from "../views/format.ts";
import { defineTool } from "./define.ts";
import { nextCalls } from "./outputs.ts";
import * as params from "./params.ts";
import { channelOf } from "./read-session-channel.ts";
import { callOptions } from "./reading.ts";

export default defineTool({
  name: "append_session_record",
  title: "Append session record",
  summary:
    "Append one raw record to .in, .out (secret key only) or a named channel; chat agents: send_session_message.",
  effect: "write",
  toolset: "sessions",
  permission: { action: "write", type: "sessions" },
  input: z.object({
    session: params.session,
    record: params.json.describe("a string as it is, else JSON"),
    io: params.io.default("in"),
    channel: params.channel.optional(),
    key: z.string().min(1).max(64).optional().describe("part id; repeating it within 5 minutes appends once"),
  }),
  output: z.looseObject({
    session: z.string(),
    seq: z.int().optional(),
    key: z.string(),
    appended: z.boolean(),
    next: nextCalls.optional(),
  }),

  async run({ session, record, io, channel, key = randomUUID() }, context) {
    const body = typeof record === "string" ? record : JSON.stringify(record ?? null);
    const ref = channelOf(session, io, channel);
    const { seq } = await context.api.channels.append(ref, body, key, callOptions(context));
    return { ref, key, ...(seq !== undefined && { seq }) };
  },

  view({ ref, key, seq }, context) {
    const name = `${ref.channel === undefined ? "" : `${ref.channel} `}.${ref.io} of ${oneLine(context.clean(ref.session), 100)}`;
    const next =
      ref.io === "in" && ref.channel === undefined
        ? [
            seq === undefined
              ? call("get_session", { session: ref.session })
              : call("follow_session", { session: ref.session, until_seq: seq }),
          ]
        : [
            call("read_session_channel", {
              ...ref,
              ...(seq !== undefined && seq > 0 && { after: String(seq - 1) }),
            }),
          ];
    const happened =
      seq === undefined
        ? `already there: a record with part id ${key} was appended to ${name} within the last 5 minutes; nothing was added`
        : `appended to ${name} as record ${seq} · part id ${key}`;
    return {
      text: render(
        [`${happened} · ${context.target}`, `next ${next.map(formatCall).join("\n     ")}`],
        context.budget,
      ).text,
      structured: {
        session: ref.session,
        ...(seq !== undefined && { seq }),
        key,
        appended: seq !== undefined,
        next,
      },
    };
  },
});
