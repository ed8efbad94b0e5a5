/** Watches a channel by its stream, contract channels.md 2 and 5: from its end on, over any number of broken connections. */
import { TriggerError } from "../../domain/errors.ts";
import type { ChannelItem, ChannelRef } from "../../domain/record.ts";
import type { Service } from "../service.ts";
import { persistent, type Waits, type Watch } from "./watch.ts";

/** A cursor past the end is clamped to it (channels.md 5): nothing that was there before is sent. */
const PAST_THE_END = Number.MAX_SAFE_INTEGER;

/** The cursor behind an item: the last record it accounts for, `undefined` before the first one. */
function cursorBehind(item: ChannelItem, before: number | undefined): number | undefined {
  if (item.kind === "gap") return item.to;
  if (item.seq === undefined) return before;
  if (item.kind !== "caught-up") return item.seq;
  return item.seq === 0 ? undefined : item.seq - 1;
}

/** Calls `changed` for every record appended, and for records that were trimmed before they came. */
export function followed(service: Service, channel: ChannelRef, waits: Waits, changed: () => void): Watch {
  let after: number | undefined = PAST_THE_END;
  return persistent({
    waits,
    async round(signal, found) {
      const api = await service.targets[0].api();
      const items = api.channels.follow(channel, { signal, ...(after !== undefined && { after }) });
      for await (const item of items) {
        after = cursorBehind(item, after);
        // Without a tail (channels.md 2.2) no record would ever count as new: better refused than silent.
        if (after === PAST_THE_END) throw noTail();
        found();
        if (item.kind !== "caught-up") changed();
      }
    },
    failed: (err) => service.log.debug({ err, channel: channel.io }, "followed channel not readable"),
  });
}

const noTail = () =>
  new TriggerError("unsupported", "the server does not tell where a channel ends, so it cannot be followed");
