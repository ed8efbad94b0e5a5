/**
 * Gathers what a diagnosis is made from: the run and its trace, the child runs its failure came through, and what is
 * around it. Whatever cannot be read becomes a fact of its own; only the run itself must be there.
 */
import { isTriggerError } from "../domain/errors.ts";
import type { Run, RunSummary } from "../domain/run.ts";
import { isBadEnd, isTerminal } from "../domain/status.ts";
import type { SpanDetail, Trace } from "../domain/trace.ts";
import { findOrigin } from "../insight/case.ts";
import { nextInChain } from "../insight/chain.ts";
import type { Facts, Queue, RunFacts, Unread } from "../insight/diagnosis.ts";
import { failureOfRun, failureOfSpan } from "../insight/failure.ts";
import type { Neighbours } from "../insight/history.ts";
import { indexTrace } from "../insight/spans.ts";
import { lastGoodRun } from "./comparing.ts";
import type { ToolContext } from "./define.ts";
import { lookAt } from "./failed-runs.ts";
import { callOptions, traceIfAny } from "./reading.ts";

type Context = Pick<ToolContext, "api" | "signal" | "now" | "deadline" | "progress">;

/** Child runs a failure is followed through. */
const DEEPEST = 5;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The task's runs this long before and after are its neighbours. */
const AROUND = { before: 7 * DAY_MS, after: DAY_MS };
/** Failed neighbours that are read in full. */
const MOST_ALIKE = 6;
const PAGE = 100;

export async function gatherFacts(runId: string, context: Context): Promise<Facts> {
  const gathering = new Gathering(context);
  context.progress.report(`reading ${runId}`);
  const [run, trace] = await Promise.all([
    context.api.runs.retrieve(runId, callOptions(context)),
    gathering.trace(runId),
  ]);
  const asked = await gathering.runFacts(run, trace);
  const chain = await gathering.chainBelow(asked);
  const subject = chain.at(-1) ?? asked;
  context.progress.report(`looking around ${run.task}`);
  const [span, ancestors, neighbours, good, queue] = await Promise.all([
    gathering.span(subject),
    gathering.ancestors(subject.run),
    gathering.neighbours(run),
    gathering.good(run),
    gathering.queue(subject.run),
  ]);
  return {
    now: context.now(),
    chain,
    ancestors,
    ...(span && { span }),
    ...(neighbours && { neighbours }),
    ...(good && { good }),
    ...(queue && { queue }),
    unread: gathering.unread,
  };
}

class Gathering {
  readonly unread: Unread[] = [];
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async trace(runId: string): Promise<Trace | "none" | undefined> {
    const read = async () => (await traceIfAny(runId, this.#context)) ?? "none";
    return this.#tolerate("trace", runId, read);
  }

  /** A trace that was cut, or that tells of no exception, is completed from the run's own events. */
  async runFacts(run: Run, answered: Trace | "none" | undefined): Promise<RunFacts> {
    if (answered === "none" && run.startedAt !== undefined) {
      this.unread.push({ what: "trace", runId: run.id, why: "not_found" });
    }
    const trace = answered === "none" ? undefined : answered;
    const isSilent =
      isBadEnd(run.status) && !trace?.spans.some((span) => span.isError && failureOfSpan(span) !== undefined);
    const spans = trace?.spans ?? [];
    if (!trace?.truncated && !isSilent) {
      return { run, truncated: false, ...(trace && { index: indexTrace(spans) }) };
    }
    const events = run.startedAt === undefined ? [] : await this.#events(run.id);
    const known = new Map(events.map((event) => [event.id, event]));
    const told = spans.map((span) => (span.events.length === 0 ? (known.get(span.id) ?? span) : span));
    const seen = new Set(spans.map(({ id }) => id));
    const whole = [...told, ...events.filter(({ id }) => !seen.has(id))];
    return {
      run,
      truncated: trace?.truncated ?? false,
      ...(whole.length > 0 && { index: indexTrace(whole) }),
    };
  }

  async #events(runId: string) {
    const read = () => this.#context.api.runs.events(runId, callOptions(this.#context));
    return (await this.#tolerate("events", runId, read)) ?? [];
  }

  /** From the run down through the child runs that took it down, or that it waits for. */
  async chainBelow(asked: RunFacts): Promise<[RunFacts, ...RunFacts[]]> {
    const chain: [RunFacts, ...RunFacts[]] = [asked];
    let at = asked;
    while (chain.length <= DEEPEST) {
      const child = nextInChain(
        at,
        chain.map(({ run }) => run.id),
      );
      if (!child) return chain;
      this.#context.progress.report(`following it into ${child.task} ${child.id}`);
      const read = () => this.#context.api.runs.retrieve(child.id, callOptions(this.#context));
      const run = await this.#tolerate("child", child.id, read);
      if (!run) return chain;
      at = await this.#childFacts(run, at);
      chain.push(at);
    }
    this.unread.push({ what: "child", runId: at.run.id, why: "bound" });
    return chain;
  }

  /** A trace holds the spans of child runs too; a trace of the child's own is asked for where they are missing. */
  async #childFacts(run: Run, parent: RunFacts): Promise<RunFacts> {
    const { index } = parent;
    const isThere = index?.nodes.some(({ span }) => span.runId === run.id);
    const isWhole = isThere && (!parent.truncated || findOrigin({ ...parent, run })?.span.isError === true);
    if (index && isWhole) return { run, index, truncated: parent.truncated };
    return this.runFacts(run, await this.trace(run.id));
  }

  /** Attributes are not part of a trace; those of the span where it began may say what did not answer. */
  async span(subject: RunFacts): Promise<SpanDetail | undefined> {
    if (!isBadEnd(subject.run.status)) return undefined;
    const origin = findOrigin(subject)?.span;
    if (!origin || origin.properties !== undefined || !failureOfRun(subject.run)) return undefined;
    return this.#tolerate("span", origin.runId, () =>
      this.#context.api.runs.span(origin.runId, origin.id, callOptions(this.#context)),
    );
  }

  /** Of a cancelled run, as far up as runs have ended. */
  async ancestors(run: Run): Promise<Run[]> {
    const above: Run[] = [];
    let parent = run.status === "CANCELED" ? run.parent : undefined;
    while (parent && isTerminal(parent.status) && above.length < DEEPEST) {
      const { id } = parent;
      const read = () => this.#context.api.runs.retrieve(id, callOptions(this.#context));
      const found = await this.#tolerate("parent", id, read);
      if (!found) return above;
      above.push(found);
      parent = found.parent;
    }
    return above;
  }

  async neighbours(run: Run): Promise<Neighbours | undefined> {
    const page = await this.#tolerate("history", run.id, () =>
      this.#context.api.runs.list(
        {
          task: [run.task],
          from: run.createdAt - AROUND.before,
          to: Math.min(this.#context.now(), run.createdAt + AROUND.after),
          limit: PAGE,
        },
        callOptions(this.#context),
      ),
    );
    if (!page) return undefined;
    const whole = page.next === undefined;
    if (!isBadEnd(run.status)) return { runs: page.items, whole, alike: [] };
    const failed = page.items.filter(({ id, status }) => id !== run.id && isBadEnd(status));
    const chosen = nearestAndFirst(failed, run);
    const looked = await this.#tolerate("alike", run.id, () => lookAt(chosen, this.#context));
    const missed = failed.length - (looked?.runs.length ?? 0);
    if (missed > 0) this.unread.push({ what: "alike", runId: run.id, why: "bound", many: missed });
    return { runs: page.items, whole, alike: looked?.runs ?? [] };
  }

  async good(run: Run): Promise<Run | undefined> {
    if (!isBadEnd(run.status)) return undefined;
    return (await this.#tolerate("good_run", run.id, () => lastGoodRun(run, this.#context)))?.run;
  }

  /** What executes while a run waits to begin: whoever holds its queue is among them. */
  async queue(run: Run): Promise<Queue | undefined> {
    if (run.status !== "QUEUED" && run.status !== "DEQUEUED") return undefined;
    const list = (task: { task?: string[] }) =>
      this.#tolerate("queue", run.id, () =>
        this.#context.api.runs.list(
          { status: ["EXECUTING", "REATTEMPTING", "DEQUEUED"], period: "30d", limit: PAGE, ...task },
          callOptions(this.#context),
        ),
      );
    const [own, all] = await Promise.all([list({ task: [run.task] }), list({})]);
    if (!own && !all) return undefined;
    const executing = new Map<string, RunSummary>();
    for (const each of [...(own?.items ?? []), ...(all?.items ?? [])]) executing.set(each.id, each);
    return { executing: [...executing.values()], whole: all !== undefined && all.next === undefined };
  }

  /** Whoever asked must hear of being gone and of a server that lets nobody in; the rest is told as not checked. */
  async #tolerate<T>(what: Unread["what"], runId: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isTriggerError(error) || error.code === "cancelled") throw error;
      this.unread.push({ what, runId, why: error.code });
      return undefined;
    }
  }
}

/** The nearest in time, and the first of all: whether it is new is told by where it began. */
function nearestAndFirst(failed: readonly RunSummary[], run: Run): RunSummary[] {
  const byDistance = [...failed].sort(
    (a, b) => Math.abs(a.createdAt - run.createdAt) - Math.abs(b.createdAt - run.createdAt),
  );
  const first = failed.at(-1);
  const nearest = byDistance.filter((each) => each !== first).slice(0, MOST_ALIKE - 1);
  return first ? [...nearest, first] : nearest;
}
