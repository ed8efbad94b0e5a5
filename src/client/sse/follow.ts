/** Follows a channel across broken connections, contract channels.md 5 and api.md 5.2. */
import { TriggerError } from "../../domain/errors.ts";
import type { ChannelItem, FollowedChannel } from "../../domain/record.ts";
import type { FollowOptions } from "../api.ts";
import type { Clock } from "../clock.ts";
import type { Failure } from "../failure.ts";
import { type Bearer, isRefused, type OpenStream } from "../pipeline.ts";
import type { Attempt } from "../retry.ts";
import { callScope } from "../scope.ts";
import { readEvents } from "./events.ts";
import { flatten, interruptible } from "./flatten.ts";
import { Ledger } from "./ledger.ts";

export interface FollowPlan {
  /** Method and path, for errors. */
  request: string;
  /** One attempt at connecting; `after` goes out as `Last-Event-ID`. */
  connect(after: number | undefined, token: string, signal: AbortSignal): Promise<Attempt<OpenStream>>;
  bearer: Bearer;
  /** A token the stream hands out may replace one that is refused: only where ours is of the same kind. */
  takesStreamTokens: boolean;
  legacyControl: boolean;
  idleMs: number;
  clock: Clock;
}

/** Connections in a row that fail or bring nothing new before it is an error. */
const PATIENCE = 8;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** A server that asks for more patience than this is obeyed by giving up. */
const LONGEST_ASKED_WAIT_MS = 30_000;
/** A connection that lives this long has earned the next one a fresh start. */
const STEADY_MS = 5_000;
/** The server's wait is a minute; one that says `[DONE]` sooner than this is not to be asked again at once. */
const HASTY_MS = 1_000;

/** How a connection ended. */
interface Ending {
  how: "done" | "settled" | "broken";
  progressed: boolean;
  cause?: unknown;
}

/** Every record once and in order; ends when the signal aborts, the deadline passes, or a settled channel is drained. */
export function follow(plan: FollowPlan, options: FollowOptions): FollowedChannel {
  const batches = () => {
    const stop = new AbortController();
    return interruptible(connections(plan, options, stop), stop);
  };
  return { batches, [Symbol.asyncIterator]: () => flatten(batches()) };
}

async function* connections(
  plan: FollowPlan,
  options: FollowOptions,
  stop: AbortController,
): AsyncGenerator<ChannelItem[]> {
  const { clock } = plan;
  const left = (options.deadline ?? Number.POSITIVE_INFINITY) - clock.now();
  const scope = callScope(left, options.signal);
  scope.signal.addEventListener("abort", () => stop.abort(), { once: true });
  if (scope.signal.aborted) stop.abort();
  const session = new Following(plan, options.after, stop.signal);
  try {
    while (!stop.signal.aborted) {
      const stream = await session.connect();
      const ending = yield* session.read(stream);
      if (ending.how === "settled") return;
      await session.afterwards(ending);
    }
  } catch (error) {
    // Whatever broke because it was told to end has only ended.
    if (!stop.signal.aborted) throw error;
  } finally {
    scope.release();
  }
}

class Following {
  readonly #plan: FollowPlan;
  readonly #signal: AbortSignal;
  readonly #ledger: Ledger;
  #failures = 0;
  #openedAt = 0;
  #lastError: TriggerError | undefined;
  #streamToken: string | undefined;

  constructor(plan: FollowPlan, after: number | undefined, signal: AbortSignal) {
    this.#plan = plan;
    this.#signal = signal;
    this.#ledger = new Ledger(after);
  }

  /** Resolves with an open stream; throws when that is hopeless or the patience is used up. */
  async connect(): Promise<OpenStream> {
    const { bearer, clock } = this.#plan;
    let token = await bearer.token({ signal: this.#signal });
    let renewed = false;
    for (;;) {
      const attempt = await this.#plan.connect(this.#ledger.cursor, token, this.#signal);
      if ("value" in attempt) {
        this.#openedAt = clock.now();
        this.#ledger.connected();
        return attempt.value;
      }
      const { failure } = attempt;
      if (isRefused(failure) && !renewed) {
        renewed = true;
        const fresh = await this.#renew(token);
        if (fresh === undefined) throw failure.error;
        token = fresh;
        continue;
      }
      if (!failure.again) throw failure.error;
      this.#lastError = failure.error;
      await this.#wait(failure);
    }
  }

  async #renew(refused: string): Promise<string | undefined> {
    const offered = this.#streamToken;
    if (this.#plan.takesStreamTokens && offered !== undefined && offered !== refused) return offered;
    return this.#plan.bearer.renew(refused, { signal: this.#signal });
  }

  async *read(stream: OpenStream): AsyncGenerator<ChannelItem[], Ending> {
    const { response, close } = stream;
    const { idleMs, legacyControl } = this.#plan;
    let how: Ending["how"] = "broken";
    let progressed = false;
    let cause: unknown;
    try {
      for await (const events of readEvents(response.body, { idleMs, legacyControl })) {
        const items: ChannelItem[] = [];
        for (const event of events) this.#ledger.accept(event, items);
        progressed ||= items.length > 0;
        this.#keepToken(items);
        if (items.length > 0) yield items;
        const end = events.find((event) => event.kind === "done" || event.kind === "error");
        if (!end) continue;
        if (end.kind === "done") how = response.header("x-session-settled") === "true" ? "settled" : "done";
        break;
      }
    } catch (error) {
      // It is resumed; only when that keeps failing does the reason matter.
      cause = error;
    } finally {
      close();
    }
    return { how, progressed, cause };
  }

  #keepToken(items: ChannelItem[]): void {
    for (const item of items) {
      if (item.kind === "control" && item.token !== undefined) this.#streamToken = item.token;
    }
  }

  /** After a clean end the next connection is opened at once, after a broken one with a growing wait. */
  async afterwards({ how, progressed, cause }: Ending): Promise<void> {
    const lived = this.#plan.clock.now() - this.#openedAt;
    if (progressed || lived >= STEADY_MS) this.#failures = 0;
    if (how === "done" && (progressed || lived >= HASTY_MS)) return;
    this.#lastError = new TriggerError("unreachable", `${this.#plan.request} keeps breaking off.`, {
      request: this.#plan.request,
      retryable: true,
      cause,
    });
    await this.#wait();
  }

  /** Counts a failure and sleeps: 100 ms doubling to 5 s, half of it left to chance, or what the server asked for. */
  async #wait(failure?: Failure): Promise<void> {
    const { clock } = this.#plan;
    const asked = failure?.waitMs ?? 0;
    this.#failures += 1;
    const hopeless = this.#failures >= PATIENCE || asked > LONGEST_ASKED_WAIT_MS;
    if (hopeless && this.#lastError) throw this.#lastError;
    const ceiling = Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 1), LONGEST_WAIT_MS);
    const jittered = ceiling * (0.5 + clock.random() / 2);
    await clock.sleep(Math.max(asked, jittered), this.#signal);
  }
}
