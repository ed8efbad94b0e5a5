/** The events of one open connection, as they are read. Nothing is read ahead: backpressure reaches the socket. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { decodeEvent, type StreamEvent } from "./decode.ts";
import { Lines } from "./lines.ts";

/** Characters of one event. A batch holds at most 1 MiB of records, which escaping can make six times as long. */
const LONGEST_EVENT = 8 * 1024 * 1024;

export interface ReadOptions {
  /** Milliseconds of silence after which the connection counts as dead. */
  idleMs: number;
  legacyControl: boolean;
}

/** Yields what each piece of the body completes; throws when the connection breaks or falls silent. */
export async function* readEvents(body: Readable, options: ReadOptions): AsyncGenerator<StreamEvent[]> {
  let events: StreamEvent[] = [];
  let tooLong = false;
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: (event: EventSourceMessage) => events.push(decodeEvent(event, options.legacyControl)),
    onError: (error) => {
      tooLong ||= error.type === "max-buffer-size-exceeded";
    },
  });
  // On whole network reads several times as fast as a streaming TextDecoder.
  const decoder = new StringDecoder("utf8");
  const lines = new Lines();
  const pieces: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let waiting = false;
  const watchdog = setTimeout(() => {
    // A slow reader is not a silent server.
    if (waiting) body.destroy(new Error("the stream fell silent"));
  }, options.idleMs);
  try {
    for (;;) {
      waiting = true;
      watchdog.refresh();
      const piece = await pieces.next();
      waiting = false;
      if (piece.done) return;
      for (const text of lines.take(decoder.write(piece.value))) parser.feed(text);
      if (tooLong || lines.unfinished > LONGEST_EVENT) throw new Error("an event does not end");
      if (events.length === 0) continue;
      const complete = events;
      events = [];
      yield complete;
    }
  } finally {
    clearTimeout(watchdog);
    body.destroy();
  }
}
