/**
 * Progress as hosts can show it (design section 5, point 4): increasing numbers, one line of at most 200
 * characters, at most ten a second, a heartbeat while silent, nothing after the end.
 */
import type { Cleaning } from "./streamed-text.ts";
import { type Carried, WaitingRecords } from "./waiting-records.ts";

/** A record a tick stands for, so that a program can rebuild the stream from progress alone. */
export interface ProgressRecord {
  seq?: number;
  kind: string;
  chunk?: unknown;
}

export interface ProgressSink {
  /** False when the caller gave no progress token: nothing will be shown, and calls should answer sooner. */
  readonly wanted: boolean;
  /**
   * Shows the newest state of things. Coalesced: only the latest line of a tenth of a second leaves, and only that one is
   * made of a `message` that is a function.
   */
  report(message: string | (() => string), records?: readonly ProgressRecord[]): void;
}

/** A sink whose end somebody holds. */
export interface Progress extends ProgressSink {
  /**
   * No report counts from here on. Records that have not left yet leave in one last tick; resolves when at least
   * 100 ms have passed since the last tick, so that the result cannot overtake it. Can be called twice.
   */
  close(): Promise<void>;
}

/** One `notifications/progress`, without its token. */
export interface Tick {
  progress: number;
  message: string;
  /** `trigger-mcp/records`: a list of {@link ProgressRecord}; `trigger-mcp/dropped`: how many did not fit. */
  _meta?: Record<string, unknown>;
}

export interface ProgressOptions {
  /** Absent when the caller gave no token. Its failures are nobody's business: the caller has gone. */
  send?: (tick: Tick) => void | Promise<void>;
  /** Unix milliseconds. */
  now?: () => number;
  /** Runs `action` once after `ms`; answers how to call it off. */
  setTimer?: (action: () => void, ms: number) => () => void;
  /** Milliseconds of silence after which the last line is repeated. */
  heartbeatMs?: number;
  /** Takes secrets and control characters out of upstream text; `name`: what the text is the value of. */
  clean?: Cleaning["clean"];
  /** The same for lines, where the secrets of unfinished text would use up placeholders. Default `clean`. */
  cleanLine?: (text: string) => string;
  /** Whether what follows may make a secret of a text's end. */
  unfinished?: Cleaning["unfinished"];
}

/** A little over 100: eleven ticks never fall into one second, whatever the timers' grain. */
const TICK_INTERVAL_MS = 105;
/** A client that reads the result together with a tick complains about the tick (sdk.md 5). */
const QUIET_BEFORE_RESULT_MS = 100;
const MESSAGE_CHARACTERS = 200;
const HEARTBEAT_MS = 5_000;

export function createProgress(options: ProgressOptions): Progress {
  return options.send ? new PacedProgress(options.send, options) : SILENT;
}

const SILENT: Progress = { wanted: false, report() {}, async close() {} };

class PacedProgress implements Progress {
  readonly wanted = true;
  readonly #send: (tick: Tick) => void | Promise<void>;
  readonly #now: () => number;
  readonly #setTimer: (action: () => void, ms: number) => () => void;
  readonly #heartbeatMs: number;
  readonly #cleanLine: (text: string) => string;
  readonly #unfinished: Cleaning["unfinished"];
  readonly #records: WaitingRecords;
  #message: string | (() => string) = "working…";
  #pending = false;
  #progress = 0;
  #lastTick = Number.NEGATIVE_INFINITY;
  #lastNews: number;
  #sending = false;
  #cancelTimer: () => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(send: (tick: Tick) => void | Promise<void>, options: ProgressOptions) {
    this.#send = send;
    this.#now = options.now ?? Date.now;
    this.#setTimer = options.setTimer ?? startTimer;
    this.#heartbeatMs = Math.max(options.heartbeatMs ?? HEARTBEAT_MS, TICK_INTERVAL_MS);
    const clean = options.clean ?? ((text) => text);
    this.#cleanLine = options.cleanLine ?? clean;
    this.#unfinished = options.unfinished ?? (() => false);
    this.#records = new WaitingRecords({ clean, unfinished: this.#unfinished });
    this.#lastNews = this.#now();
    this.#arm(this.#heartbeatMs);
  }

  report(message: string | (() => string), records: readonly ProgressRecord[] = []): void {
    if (this.#closing) return;
    this.#message = message;
    for (const record of records) this.#records.add(record);
    if (this.#pending) return;
    this.#pending = true;
    this.#leaveWhenAllowed();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  get #line(): string {
    return typeof this.#message === "string" ? this.#message : this.#message();
  }

  /** Of speech that ends in what may become a secret the last word waits. */
  #shown(message: string): string {
    const speech = speechOf(message);
    return this.#cleanLine(
      speech !== undefined && this.#unfinished(speech)
        ? `${message.slice(0, -1).replace(/\S*$/, "")}…"`
        : message,
    );
  }

  async #end(): Promise<void> {
    this.#cancelTimer();
    if (this.#records.size > 0) {
      await this.#sleepUntil(this.#lastTick + TICK_INTERVAL_MS);
      this.#tick(this.#line, true);
    }
    await this.#sleepUntil(this.#lastTick + QUIET_BEFORE_RESULT_MS);
  }

  async #sleepUntil(time: number): Promise<void> {
    for (let wait = time - this.#now(); wait > 0; wait = time - this.#now()) {
      await new Promise<void>((resolve) => this.#setTimer(resolve, wait));
    }
  }

  /** One timer at a time: the next tick when news wait, else the next heartbeat. */
  #arm(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#setTimer(() => {
      if (this.#pending) this.#leaveWhenAllowed();
      else this.#heartbeat();
    }, ms);
  }

  #leaveWhenAllowed(): void {
    const wait = this.#lastTick + TICK_INTERVAL_MS - this.#now();
    if (wait > 0) {
      this.#arm(wait);
    } else if (this.#sending) {
      // A caller that reads slowly gets fewer ticks instead of a queue of them.
      this.#arm(TICK_INTERVAL_MS);
    } else {
      this.#tick(this.#line);
      this.#arm(this.#heartbeatMs);
    }
  }

  #heartbeat(): void {
    if (!this.#sending) {
      const quiet = ` · quiet for ${Math.round((this.#now() - this.#lastNews) / 1000)}s`;
      this.#tick(`${oneLine(this.#shown(this.#line), MESSAGE_CHARACTERS - quiet.length)}${quiet}`);
    }
    this.#arm(this.#heartbeatMs);
  }

  #tick(message: string, isLast = false): void {
    this.#lastTick = this.#now();
    if (this.#pending) this.#lastNews = this.#lastTick;
    this.#pending = false;
    this.#progress += 1;
    const tick: Tick = {
      progress: this.#progress,
      message: oneLine(this.#shown(message), MESSAGE_CHARACTERS),
      ...metaOf(this.#records.take(isLast)),
    };
    this.#sending = true;
    Promise.resolve()
      .then(() => this.#send(tick))
      .catch(() => {})
      .finally(() => {
        this.#sending = false;
      });
  }
}

function metaOf({ records, dropped }: Carried): Pick<Tick, "_meta"> {
  if (records.length === 0 && dropped === 0) return {};
  return {
    _meta: { "trigger-mcp/records": records, ...(dropped > 0 && { "trigger-mcp/dropped": dropped }) },
  };
}

/** Control, line-breaking and bidi characters become spaces; never longer than `limit`, never half a code point. */
function oneLine(text: string, limit: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim();
  if (line.length <= limit) return line;
  const speech = speechOf(line);
  const head = line.slice(0, -1 - (speech?.length ?? 0));
  if (speech === undefined || head.length > limit / 2)
    return `${line.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
  const end = line.slice(head.length + 1 - limit).replace(/^\S*\s|^[\udc00-\udfff]/, "");
  return `${head}…${end}`;
}

/** What is being said in a line (lines.ts): too long it loses its beginning, since its newest words matter. */
function speechOf(line: string): string | undefined {
  const begin = line.endsWith('"') ? line.indexOf(' · "') : -1;
  return begin < 0 ? undefined : line.slice(begin + 4, -1);
}

function startTimer(action: () => void, ms: number): () => void {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}
