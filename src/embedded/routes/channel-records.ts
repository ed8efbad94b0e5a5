/** Records as `/records` lists them and as `/append` takes them, contract api.md 5.5 and channels.md 7. */
import type { Channels } from "../engine/channels.ts";
import { type ChannelAddress, isCommand, type StoredRecord } from "../store/channels.ts";

/** The answer of `/records` from a sequence number on, in pieces: an `.in` channel is never trimmed. */
export async function* recordList(channels: Channels, address: ChannelAddress, from: number) {
  yield '{"records":[';
  let separator = "";
  for (let next = from; ; ) {
    const page = channels.read(address, next).records;
    const last = page.at(-1);
    if (last === undefined) break;
    const shown = page.filter((record) => !isCommand(record)).map((record) => JSON.stringify(listed(record)));
    if (shown.length > 0) yield separator + shown.join(",");
    if (shown.length > 0) separator = ",";
    next = last.seq + 1;
  }
  yield "]}";
}

/** The envelope opened; control records have neither data nor id. */
function listed({ seq, headers, body }: StoredRecord) {
  const { data, id } =
    body === "" ? { data: "", id: "" } : (JSON.parse(body) as { data: unknown; id: string });
  return { data, id, seqNum: seq, ...(headers.length > 0 && { headers }) };
}

/** Only the server may say that an input came from a webhook: the claim is taken out of what a client sends. */
export function withoutForgedSource(text: string): string {
  if (!text.includes('"webhook"')) return text;
  try {
    const input = JSON.parse(text);
    if (input?.payload?.actionSource !== "webhook") return text;
    delete input.payload.actionSource;
    return JSON.stringify(input);
  } catch {
    return text;
  }
}
