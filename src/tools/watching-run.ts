/** Looks at a run again and again until it has ended: what is new each time, each thing once. */
import { isTriggerError } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { isTerminal } from "../domain/status.ts";
import type { Span, Trace } from "../domain/trace.ts";
import { type Happening, type SpanHappening, spanHappenings } from "../insight/happenings.ts";
import { sleep } from "./read-back.ts";
import { type ReadContext, traceIfAny } from "./reading.ts";
import { type Told, wasTold } from "./run-cursor.ts";

/** What counts as new: everything, only what happens from now on, or what an earlier watch has not told. */
export type Since = "start" | "now" | Told;

export interface WatchOptions {
  /** Unix milliseconds by which the watching ends. */
  deadline: number;
  since: Since;
}

/** One look at the run. */
export interface Look {
  readonly run: Run;
  /** Everything there is of its trace; empty while there is none. */
  readonly spans: readonly Span[];
  /** The server stopped at its cap: later spans cannot be seen. */
  readonly truncated: boolean;
  /** In the order it happened. */
  readonly news: readonly Happening[];
  /** What had happened before and is not new; empty after the first look. */
  readonly earlier: readonly SpanHappening[];
}

/** Milliseconds between looks: growing while nothing happens, and never less than a few times what a look takes. */
const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 5_000;
const GROWTH = 1.5;
const PAUSE_PER_WORK = 3;
/** Milliseconds before the deadline after which a look might not come back in time. */
const LAST_LOOK = 1_500;
/** In a row, after which the failure is the answer. */
const MOST_FAILURES = 5;
/** Looks that spans still open are given to end after their run has: traces are written with some delay. */
const AFTERTHOUGHTS = 2;

/**
 * Ends after the look that saw the run's end, when the deadline is near, or when the caller goes away. The first look
 * throws what reading throws; later ones are repeated while a failure may pass.
 */
export async function* watchRun(
  runId: string,
  context: ReadContext,
  { deadline, since }: WatchOptions,
): AsyncGenerator<Look, void> {
  const reading: ReadContext = { ...context, deadline: () => deadline };
  const news = new News(since);
  let pause = SHORTEST_PAUSE;
  let failures = 0;
  let afterthoughts = 0;
  for (;;) {
    const began = context.now();
    try {
      const { run, trace } = await readRun(runId, reading);
      const spans = trace?.spans ?? [];
      const look = { run, spans, truncated: trace?.truncated === true, ...news.of(run, spans, began) };
      yield look;
      failures = 0;
      pause = look.news.length > 0 ? SHORTEST_PAUSE : Math.min(pause * GROWTH, LONGEST_PAUSE);
      if (isTerminal(run.status)) {
        if (afterthoughts >= AFTERTHOUGHTS || !spans.some((span) => span.isPartial)) return;
        afterthoughts += 1;
        pause = SHORTEST_PAUSE;
      }
    } catch (error) {
      if (context.signal.aborted) return;
      failures += 1;
      if (!news.begun || failures > MOST_FAILURES || !mayPass(error)) throw error;
      pause = Math.min(pause * GROWTH, LONGEST_PAUSE);
    }
    const left = deadline - LAST_LOOK - context.now();
    if (left <= 0) return;
    await sleep(Math.min(Math.max(pause, PAUSE_PER_WORK * (context.now() - began)), left), context.signal);
    if (context.signal.aborted) return;
  }
}

/** The run first: a trace read after its end holds everything up to it. */
async function readRun(runId: string, context: ReadContext): Promise<{ run: Run; trace: Trace | undefined }> {
  const run = await context.api.runs.retrieve(runId, {
    signal: context.signal,
    deadline: context.deadline(),
  });
  return { run, trace: await traceIfAny(runId, context) };
}

const mayPass = (error: unknown): boolean =>
  isTriggerError(error) && (error.retryable || error.code === "timeout");

/** Remembers what has been told. */
class News {
  readonly #since: Since;
  readonly #told = new Set<string>();
  #status: string | undefined;
  begun = false;

  constructor(since: Since) {
    this.#since = since;
    if (typeof since === "object") this.#status = since.status;
  }

  of(run: Run, spans: readonly Span[], now: number): Pick<Look, "news" | "earlier"> {
    const fresh = spanHappenings(spans).filter(({ span }) => !this.#told.has(span.id));
    for (const { span } of fresh) this.#told.add(span.id);
    const isOld = this.begun ? () => false : oldFor(this.#since);
    const changed: Happening[] =
      this.#status === undefined || this.#status === run.status
        ? []
        : [{ kind: "status", at: now, status: run.status, before: this.#status }];
    this.#status = run.status;
    this.begun = true;
    return {
      news: [...fresh.filter((happening) => !isOld(happening)), ...changed],
      earlier: fresh.filter(isOld),
    };
  }
}

function oldFor(since: Since): (happening: SpanHappening) => boolean {
  if (typeof since === "object") return (happening) => wasTold(happening, since);
  return () => since === "now";
}
