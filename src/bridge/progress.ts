/**
 * Progress as hosts can show it (design section 5, point 4): increasing numbers, one line of at most 200
 * characters, at most ten a second, a heartbeat while silent, nothing after the end.
 */
import { isObject } from "../domain/message.ts";
import { type Cleaning, HeldRecords } from "./held-records.ts";

/** A record a tick stands for, so that a program can rebuild the stream from progress alone. */
export interface ProgressRecord {
  seq?: number;
  kind: string;
  chunk?: unknown;
}

export interface ProgressSink {
  /** False when the caller gave no progress token: nothing will be shown, and calls should answer sooner. */
  readonly wanted: boolean;
  /** Shows the newest state of things. Coalesced: only the latest line of a tenth of a second leaves. */
  report(message: string, records?: ProgressRecord[]): void;
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
const RECORD_BYTES = 32 * 1024;
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
  readonly #clean: Cleaning["clean"];
  readonly #cleanLine: (text: string) => string;
  readonly #unfinished: Cleaning["unfinished"];
  readonly #held: HeldRecords;
  readonly #records = new RecordBag();
  #message = "working…";
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
    this.#clean = options.clean ?? ((text) => text);
    this.#cleanLine = options.cleanLine ?? this.#clean;
    this.#unfinished = options.unfinished ?? (() => false);
    this.#held = new HeldRecords({ clean: this.#clean, unfinished: this.#unfinished });
    this.#lastNews = this.#now();
    this.#arm(this.#heartbeatMs);
  }

  report(message: string, records: ProgressRecord[] = []): void {
    if (this.#closing) return;
    this.#message = message;
    for (const record of records) this.#show(this.#held.take(record));
    this.#lastNews = this.#now();
    if (this.#pending) return;
    this.#pending = true;
    this.#leaveWhenAllowed();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #show(records: readonly ProgressRecord[]): void {
    for (const record of records) this.#records.add(record, this.#clean);
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
    this.#show(this.#held.rest());
    if (this.#records.size > 0) {
      await this.#sleepUntil(this.#lastTick + TICK_INTERVAL_MS);
      this.#tick(this.#message);
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
      this.#tick(this.#message);
      this.#arm(this.#heartbeatMs);
    }
  }

  #heartbeat(): void {
    if (!this.#sending) {
      const quiet = ` · quiet for ${Math.round((this.#now() - this.#lastNews) / 1000)}s`;
      this.#tick(`${oneLine(this.#shown(this.#message), MESSAGE_CHARACTERS - quiet.length)}${quiet}`);
    }
    this.#arm(this.#heartbeatMs);
  }

  #tick(message: string): void {
    this.#pending = false;
    this.#lastTick = this.#now();
    this.#progress += 1;
    const tick: Tick = {
      progress: this.#progress,
      message: oneLine(this.#shown(message), MESSAGE_CHARACTERS),
      ...this.#records.take(),
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

/** The records of the next tick, as far as they fit. */
class RecordBag {
  #records: ProgressRecord[] = [];
  #bytes = 2;
  #dropped = 0;

  get size(): number {
    return this.#records.length + this.#dropped;
  }

  /** After the first that does not fit none is taken, so that what is shown has no holes. */
  add(record: ProgressRecord, clean: Cleaning["clean"]): void {
    const fitting = this.#dropped > 0 ? undefined : this.#fitting(record, clean);
    if (fitting) this.#records.push(fitting);
    else this.#dropped += 1;
  }

  #fitting(record: ProgressRecord, clean: Cleaning["clean"]): ProgressRecord | undefined {
    try {
      const shown = "chunk" in record ? { ...record, chunk: cleaned(record.chunk, clean) } : record;
      const bytes = this.#bytes + Buffer.byteLength(JSON.stringify(shown)) + 1;
      if (bytes > RECORD_BYTES) return undefined;
      this.#bytes = bytes;
      return shown;
    } catch (error) {
      // Nested deeper than the stack reaches: no client could read it back either.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  take(): { _meta?: Record<string, unknown> } {
    if (this.size === 0) return {};
    const meta = {
      "trigger-mcp/records": this.#records,
      ...(this.#dropped > 0 && { "trigger-mcp/dropped": this.#dropped }),
    };
    this.#records = [];
    this.#bytes = 2;
    this.#dropped = 0;
    return { _meta: meta };
  }
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

/** Every string in the value, each as the value of its name, and every name. */
function cleaned(value: unknown, clean: Cleaning["clean"], name?: string): unknown {
  if (typeof value === "string") return clean(value, name);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, clean, name));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [clean(key), cleaned(item, clean, key)]),
  );
}

function startTimer(action: () => void, ms: number): () => void {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}
