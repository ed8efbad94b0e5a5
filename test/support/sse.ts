/** Reads server-sent events as they were framed, one text block each. */

export interface Events extends AsyncIterable<string> {
  response: Response;
  /** The next event without its blank line; undefined at the end of the stream. */
  next(): Promise<string | undefined>;
  /** Goes away as a client does that is closed. */
  leave(): void;
}

export async function openEvents(url: string, headers: Record<string, string>): Promise<Events> {
  const gone = new AbortController();
  const response = await fetch(url, { headers, signal: gone.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  async function next(): Promise<string | undefined> {
    for (;;) {
      const end = buffered.indexOf("\n\n");
      if (end >= 0) {
        const event = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        return event;
      }
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return buffered === "" ? undefined : Promise.reject(new Error(`cut off: ${buffered}`));
      buffered += value;
    }
  }
  return {
    response,
    next,
    leave: () => gone.abort(),
    async *[Symbol.asyncIterator]() {
      for (let event = await next(); event !== undefined; event = await next()) yield event;
    },
  };
}

export interface WireRecord {
  seq_num: number;
  timestamp: number;
  headers?: [string, string][];
  body?: string;
}

/** The JSON of an event's `data:` line. */
export const dataOf = (event: string): { records: WireRecord[]; tail?: { seq_num: number } } =>
  JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? "");

/** Sequence numbers of all records in the events. */
export const seqsOf = (events: string[]): number[] =>
  events
    .filter((event) => event.startsWith("event: batch"))
    .flatMap((event) => dataOf(event).records.map((r) => r.seq_num));

export async function allEvents(events: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const event of events) all.push(event);
  return all;
}
