/**
 * What networks, gateways and expiring tokens do to requests, done on purpose: for tests of whoever speaks to an API. Stands
 * between a server and what answers its requests.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export type Fault =
  /** Answered at once, as by a gateway: 429, 500, 502, or 401 for a token that has expired. Nobody else hears of it. */
  | { kind: "refuse"; status: number; headers?: Record<string, string> }
  /** The request is carried out, and its answer is lost with the connection. */
  | { kind: "lose" }
  | { kind: "delay"; ms: number }
  /** The connection breaks after so many bytes of the answer's body. */
  | { kind: "cut"; after: number }
  /** After so many bytes nothing more comes, and the connection stays open. */
  | { kind: "stall"; after: number }
  /** A stream goes on so many records before the one it was asked to, so that they come twice. */
  | { kind: "repeat"; records: number };

export interface Faults {
  /** Asked of every request: what happens to it, if anything. */
  choose(asked: Pick<IncomingMessage, "method" | "url" | "headers">): Fault | undefined;
  /** Told what really happened: the fault's kind, or the status of a refusal. */
  happened?(name: string): void;
}

export function faulty(answer: RequestListener, { choose, happened = () => {} }: Faults): RequestListener {
  return async (asked, response) => {
    const fault = choose(asked);
    switch (fault?.kind) {
      case "refuse":
        happened(String(fault.status));
        asked.resume();
        response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
        response.end('{"error":"refused on purpose"}');
        return;
      case "delay":
        happened("delay");
        await sleep(fault.ms);
        break;
      case "repeat":
        if (goBack(asked, fault.records)) happened("repeat");
        break;
      case "lose":
        lose(response, happened);
        break;
      case "cut":
      case "stall":
        breakOff(response, fault, happened);
        break;
    }
    answer(asked, response);
  };
}

/** The arguments of `write` and `end`, which share their forms. */
type Written = [chunk?: unknown, encodingOrDone?: unknown, done?: unknown];

const doneOf = (args: Written): (() => void) | undefined =>
  args.find((one): one is () => void => typeof one === "function");

function bytesOf([chunk, encoding]: Written): Buffer {
  if (typeof chunk === "string")
    return Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0);
}

/** Only what has been done can be lost: nothing is sent, and the connection breaks when all would have been. */
function lose(response: ServerResponse, happened: (name: string) => void): void {
  response.flushHeaders = () => {};
  response.write = ((...args: Written) => {
    doneOf(args)?.();
    return true;
  }) as ServerResponse["write"];
  response.end = (() => {
    happened("lose");
    return response.destroy();
  }) as ServerResponse["end"];
}

function breakOff(
  response: ServerResponse,
  { kind, after }: { kind: "cut" | "stall"; after: number },
  happened: (name: string) => void,
): void {
  const write = response.write.bind(response) as (bytes: Buffer, done: () => void) => boolean;
  const end = response.end.bind(response) as () => ServerResponse;
  let left = after;
  let broken = false;
  const pass = (args: Written): boolean => {
    const bytes = bytesOf(args);
    if (broken || bytes.length === 0) return true;
    const last = bytes.length >= left;
    broken = last;
    if (last) happened(kind);
    const goesOn = write(bytes.subarray(0, left), () => {
      if (last && kind === "cut") response.destroy();
    });
    left -= bytes.length;
    return last || goesOn;
  };
  response.write = ((...args: Written) => {
    const goesOn = pass(args);
    doneOf(args)?.();
    return goesOn;
  }) as ServerResponse["write"];
  response.end = ((...args: Written) => {
    pass(args);
    return broken ? response : end();
  }) as ServerResponse["end"];
}

const RESUMED = "last-event-id";

/** False when there is nothing to repeat. */
function goBack({ headers, rawHeaders }: IncomingMessage, records: number): boolean {
  const after = Number(headers[RESUMED] ?? Number.NaN) - records;
  if (!(after >= 0)) return false;
  headers[RESUMED] = String(after);
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === RESUMED);
  rawHeaders[at + 1] = String(after);
  return true;
}
