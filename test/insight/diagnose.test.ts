import { describe, expect, it } from "vitest";
import type { Run } from "../../src/domain/run.ts";
import type { Span } from "../../src/domain/trace.ts";
import { diagnose } from "../../src/insight/diagnose.ts";
import type { Facts } from "../../src/insight/diagnosis.ts";
import { indexTrace } from "../../src/insight/spans.ts";
import { aRun, CREATED } from "../support/api.ts";
import { aSpan, RUN_ID, spanId } from "../support/spans.ts";

const MINUTE = 60_000;

/** A run that went wrong, with a trace of its own. */
const facts = (run: Partial<Run>, spans: Span[], rest: Partial<Facts> = {}): Facts => ({
  now: CREATED + 30 * MINUTE,
  chain: [
    {
      run: aRun({ status: "FAILED", startedAt: CREATED, finishedAt: CREATED + 1_000, ...run }),
      index: indexTrace(spans),
      truncated: false,
    },
  ],
  ancestors: [],
  unread: [],
  ...rest,
});

const thrown = (type: string, message: string, at = 900, stacktrace = ""): Partial<Span> => ({
  isError: true,
  events: [
    { name: "exception", time: CREATED + at, properties: { exception: { type, message, stacktrace } } },
  ],
});

const attempt = (n: number, number: number, at: number, took: number, rest: Partial<Span> = {}): Span =>
  aSpan(n, 1, `Attempt ${number}`, at, took, { attempt: number, ...rest });

const root = (rest: Partial<Span> = {}): Span => aSpan(1, undefined, "process-order", 0, 1_000, rest);

const verdictOf = (run: Partial<Run>, spans: Span[], rest: Partial<Facts> = {}) =>
  diagnose(facts(run, spans, rest));

/** One attempt that ended with what `work` threw. */
const failing = (type: string, message: string, run: Partial<Run> = {}) =>
  verdictOf({ error: { name: type, message }, ...run }, [
    root({ isError: true }),
    attempt(2, 1, 0, 1_000, thrown(type, message)),
    aSpan(3, 2, "work", 10, 900, thrown(type, message)),
  ]);

describe("the class of a failure", () => {
  it.each([
    ["Error", "connect ECONNREFUSED 10.0.0.1:5432", "dependency"],
    ["Error", "getaddrinfo ENOTFOUND api.example.com", "dependency"],
    ["AxiosError", "Request failed with status code 429", "dependency"],
    ["Error", "timeout of 5000ms exceeded", "dependency"],
    ["TypeError", "fetch failed", "dependency"],
    ["Error", "order 503 has no lines", "user_code"],
    ["Error", "Request failed with status code 422", "user_code"],
    ["TypeError", "Cannot read properties of undefined (reading 'timeout')", "user_code"],
    ["Error", "JavaScript heap out of memory", "out_of_memory"],
    ["Error", "ffmpeg was killed with signal SIGKILL", "out_of_memory"],
    ["UnexpectedExitError", "Unexpected exit with code 3 after signal null", "crash"],
    ["TaskPayloadParsedError", "Parsing payload with schema failed: Required", "payload"],
    ["Error", "payload.customer is required", "payload"],
    ["Error", "Invalid time value", "user_code"],
  ])("%s: %s is %s", (type, message, expected) => {
    expect(failing(type, message).verdict.class).toBe(expected);
  });

  it.each([
    ["TASK_PROCESS_OOM_KILLED", "CRASHED", "out_of_memory"],
    ["TASK_PROCESS_SIGSEGV", "CRASHED", "crash"],
    ["MAX_DURATION_EXCEEDED", "TIMED_OUT", "timeout"],
    ["POD_EVICTED", "SYSTEM_FAILURE", "platform"],
    ["TASK_RUN_HEARTBEAT_TIMEOUT", "SYSTEM_FAILURE", "platform"],
    ["SOMETHING_OF_TOMORROW", "SYSTEM_FAILURE", "platform"],
    ["COULD_NOT_FIND_TASK", "SYSTEM_FAILURE", "version"],
    ["TASK_INPUT_ERROR", "FAILED", "payload"],
    ["TASK_OUTPUT_ERROR", "CRASHED", "user_code"],
  ])("of the platform's code %s is told by the code", (code, status, expected) => {
    const message = `trigger.dev internal error (${code})`;
    const diagnosis = failing("Error", message, { status, error: { message } });
    expect(diagnosis.verdict).toEqual({ class: expected, confidence: "high" });
    expect(diagnosis.evidence).toContainEqual({ kind: "platform_code", code });
  });

  it("is told by the status when nothing was thrown and there is no trace", () => {
    const bare = (status: string) => {
      const run = aRun({ status, finishedAt: CREATED + 1_000 });
      return diagnose({ ...facts({}, []), chain: [{ run, truncated: false }] }).verdict.class;
    };
    expect(["TIMED_OUT", "CRASHED", "SYSTEM_FAILURE", "FAILED"].map(bare)).toEqual([
      "timeout",
      "crash",
      "platform",
      "user_code",
    ]);
  });

  it("is the innermost cause's, whichever way causes are printed", () => {
    for (const label of ["Caused by:", "  [cause]:"]) {
      const stackTrace = `OrderError: could not ship\n    at run (/app/src/ship.ts:9:1)\n${label} Error: connect ETIMEDOUT 10.0.0.1:80\n    at open (/app/src/http.ts:3:1)`;
      const { verdict, failure, wrappers, frame } = verdictOf(
        { error: { name: "OrderError", message: "could not ship", stackTrace } },
        [root({ isError: true })],
      );
      expect(verdict.class).toBe("dependency");
      expect(failure?.message).toBe("connect ETIMEDOUT 10.0.0.1:80");
      expect(wrappers.map(({ name }) => name)).toEqual(["OrderError"]);
      expect(frame).toMatchObject({ name: "open", line: 3 });
    }
  });
});

describe("the payload", () => {
  const reading = "Cannot read properties of undefined (reading 'email')";
  const good = aRun({ status: "COMPLETED", payload: { customer: { email: "a@example.com" }, cards: [1] } });
  const withPayload = (payload: unknown) =>
    verdictOf(
      { payload, error: { name: "TypeError", message: reading } },
      [root({ isError: true }), attempt(2, 1, 0, 1_000, thrown("TypeError", reading))],
      { good },
    );

  it("is to blame when it lacks just what the code reached for", () => {
    const { verdict, evidence } = withPayload({ cards: [1] });
    expect(verdict).toEqual({ class: "payload", confidence: "medium" });
    expect(evidence).toMatchObject([{ kind: "lacks", places: [{ path: ["customer"] }] }]);
  });

  it("is not to blame for lacking something else, but that is told", () => {
    const { verdict, gap } = withPayload({ customer: { email: "b@example.com" }, cards: [] });
    expect(verdict.class).toBe("user_code");
    expect(gap?.shape).toMatchObject([{ path: ["cards"], left: [], right: [1] }]);
  });
});

describe("the culprit", () => {
  it("is the deepest span of the last attempt that handed the failure on", () => {
    const { culprit } = verdictOf({ attemptCount: 2 }, [
      root({ isError: true }),
      attempt(2, 1, 0, 300, thrown("Error", "first")),
      aSpan(3, 2, "other", 10, 100, thrown("Error", "first")),
      attempt(4, 2, 400, 600, thrown("ShippingError", "shipping failed")),
      aSpan(5, 4, "ship", 410, 500, thrown("ShippingError", "shipping failed")),
      aSpan(6, 5, "print label", 420, 300, thrown("Error", "no address", 720)),
    ]);
    expect(culprit.node?.span.id).toBe(spanId(6));
  });

  it("is not an error that was caught before other work went on", () => {
    const { culprit } = verdictOf({}, [
      root({ isError: true }),
      attempt(2, 1, 0, 1_000, thrown("RangeError", "Invalid array length", 990)),
      aSpan(3, 2, "warm cache", 10, 20, thrown("Error", "cache is cold", 30)),
      aSpan(4, 2, "compute", 100, 800),
    ]);
    expect(culprit.node?.span.id).toBe(spanId(2));
  });

  it("is never an error line, though it may come last", () => {
    const { culprit } = failingWithLog();
    expect(culprit.node?.span.id).toBe(spanId(3));
  });

  it("is in the child run of a batch when the parent says no more than that some failed", () => {
    const child = aRun({ id: "run_child", task: "render", status: "FAILED" });
    const spans = [
      root({ isError: true }),
      attempt(2, 1, 0, 1_000, thrown("Error", "1 of 2 sections failed", 999)),
      aSpan(3, 2, "batchTriggerAndWait()", 10, 900),
      aSpan(4, 3, "render", 20, 800, { ...thrown("ForecastError", "no history"), runId: "run_child" }),
      aSpan(5, 3, "render", 20, 700, { runId: "run_fine" }),
    ];
    const all = facts(
      { children: [child], error: { name: "Error", message: "1 of 2 sections failed" } },
      spans,
    );
    const [asked] = all.chain;
    const { culprit, verdict } = diagnose({
      ...all,
      chain: [asked, { run: child, truncated: false, ...(asked.index && { index: asked.index }) }],
    });
    expect(culprit).toMatchObject({ runId: "run_child", node: { span: { id: spanId(4) } } });
    expect(verdict.confidence).toBe("medium");
  });

  it("of a run that was cut off is what was still going on", () => {
    const message = "trigger.dev internal error (MAX_DURATION_EXCEEDED)";
    const { culprit } = verdictOf({ status: "TIMED_OUT", error: { message } }, [
      root({ isError: true }),
      attempt(2, 1, 0, 1_000, { isError: true }),
      aSpan(3, 2, "page 1", 0, 400),
      aSpan(4, 2, "page 2", 400, 600, { isError: true }),
      aSpan(5, 4, "insert", 700, 0, { isPartial: true }),
    ]);
    expect(culprit.node?.span.id).toBe(spanId(5));
  });
});

function failingWithLog() {
  return verdictOf({}, [
    root({ isError: true }),
    attempt(2, 1, 0, 1_000, thrown("Error", "boom")),
    aSpan(3, 2, "work", 10, 900, thrown("Error", "boom")),
    aSpan(4, 2, "it failed", 950, 0, { level: "ERROR", isError: true }),
  ]);
}

describe("attempts", () => {
  const twice = (first: string, second: string) =>
    verdictOf({ attemptCount: 2 }, [
      root({ isError: true }),
      attempt(2, 1, 0, 300, thrown("Error", first)),
      attempt(3, 2, 400, 300, thrown("Error", second)),
    ]);

  it("fail alike when only numbers and ids differ", () => {
    expect(twice("order 17 is gone", "order 18 is gone").alike).toBe(true);
    expect(twice("order 17 is gone", "no such table").alike).toBe(false);
  });

  it("that failed before a good one make a recovered run", () => {
    const { verdict, culprit } = verdictOf({ status: "COMPLETED", attemptCount: 2 }, [
      root(),
      attempt(2, 1, 0, 300, thrown("Error", "boom")),
      aSpan(3, 2, "work", 10, 280, thrown("Error", "boom", 290)),
      attempt(4, 2, 400, 300),
      aSpan(5, 4, "work", 410, 280),
    ]);
    expect(verdict.class).toBe("recovered");
    expect(culprit.node?.span.id).toBe(spanId(3));
  });
});

describe("a completed run", () => {
  const completed = (spans: Span[], run: Partial<Run> = {}, rest: Partial<Facts> = {}) =>
    verdictOf({ status: "COMPLETED", ...run }, [root(), attempt(2, 1, 0, 1_000), ...spans], rest);

  it("with an error nobody told of has swallowed it", () => {
    const { verdict, culprit } = completed([aSpan(3, 2, "book", 10, 20, thrown("Error", "closed"))]);
    expect([verdict.class, culprit.node?.span.id]).toEqual(["swallowed_error", spanId(3)]);
  });

  it("that tried the same again within the attempt has recovered", () => {
    const { verdict } = completed([
      aSpan(3, 2, "POST /orders", 10, 20, thrown("Error", "503", 30)),
      aSpan(4, 2, "POST /orders", 100, 20),
    ]);
    expect(verdict.class).toBe("recovered");
  });

  it("has not recovered by doing another thing of the kind", () => {
    const { verdict } = completed([
      aSpan(3, 2, "GET /stock/1", 10, 20, thrown("Error", "gone", 30)),
      aSpan(4, 2, "GET /stock/2", 100, 20),
    ]);
    expect(verdict.class).toBe("swallowed_error");
  });

  it("that waited much longer than it worked is one of its queue", () => {
    const { verdict } = completed([], {
      startedAt: CREATED + 10 * MINUTE,
      finishedAt: CREATED + 10 * MINUTE + 1_000,
    });
    expect(verdict.class).toBe("queue_wait");
  });

  it("is slow when it took far longer than good runs do", () => {
    const other = (n: number, took: number) =>
      aRun({ id: `run_${n}`, status: "COMPLETED", startedAt: CREATED, finishedAt: CREATED + took });
    const runs = [other(1, 900), other(2, 1_000), other(3, 1_100)];
    const slow = { startedAt: CREATED, finishedAt: CREATED + 9_000 };
    const neighbours = { runs, whole: true, alike: [] };
    expect(completed([aSpan(3, 2, "sum", 0, 900)], slow, { neighbours }).verdict.class).toBe("slow");
    expect(completed([aSpan(3, 2, "sum", 0, 900)], slow).verdict.class).toBe("ok");
  });
});

describe("a run that goes on", () => {
  const live = (spans: Span[], run: Partial<Run> = {}, rest: Partial<Facts> = {}) =>
    verdictOf({ status: "EXECUTING", updatedAt: CREATED, ...run }, spans, rest);
  const open = { isPartial: true, duration: 0 };

  it("is stalled when nothing has happened for long, at the span that is open", () => {
    const { verdict, culprit } = live([
      root(open),
      attempt(2, 1, 0, 0, open),
      aSpan(3, 2, "GET /page", 100, 0, open),
    ]);
    expect([verdict.class, culprit.node?.span.id]).toEqual(["stalled", spanId(3)]);
  });

  it("is running when its task is known to work for so long", () => {
    const known = aRun({
      id: "run_old",
      status: "COMPLETED",
      startedAt: CREATED,
      finishedAt: CREATED + 60 * MINUTE,
    });
    const neighbours = { runs: [known], whole: true, alike: [] };
    expect(live([root(open), attempt(2, 1, 0, 0, open)], {}, { neighbours }).verdict.class).toBe("running");
  });

  it("is running while something happens, and while it waits as it was told", () => {
    const busy = [root(open), attempt(2, 1, 0, 0, open), aSpan(3, 2, "page", 30 * MINUTE - 2_000, 1_000)];
    expect(live(busy).verdict.class).toBe("running");
    const waiting = [root(open), attempt(2, 1, 0, 0, open), aSpan(3, 2, "wait.for()", 100, 0, open)];
    expect(live(waiting, { status: "WAITING" }).verdict.class).toBe("running");
  });

  it("is stalled when the child runs it waits for have all ended long ago", () => {
    const child = aRun({ id: "run_child", status: "COMPLETED", finishedAt: CREATED + 1_000 });
    const spans = [root(open), attempt(2, 1, 0, 0, open), aSpan(3, 2, "triggerAndWait()", 100, 0, open)];
    const waiting = (children: Run[]) => live(spans, { status: "WAITING", children }).verdict.class;
    expect(waiting([child])).toBe("stalled");
    expect(waiting([child, { ...child, id: "run_other", status: "EXECUTING" }])).toBe("running");
  });

  it("is running while it waits under whatever name, as long as the platform calls it waiting", () => {
    const spans = [root(open), attempt(2, 1, 0, 0, open), aSpan(3, 2, "next message", 100, 0, open)];
    expect(live(spans, { status: "WAITING" }).verdict.class).toBe("running");
    expect(live(spans, { status: "EXECUTING" }).verdict.class).toBe("stalled");
  });

  it("has not begun, for the reason its status gives", () => {
    const classOf = (status: string) => live([], { status }).verdict.class;
    expect(["QUEUED", "DELAYED", "PENDING_VERSION", "DEQUEUED"].map(classOf)).toEqual([
      "queue_wait",
      "delayed",
      "version",
      "stalled",
    ]);
  });
});

describe("a diagnosis", () => {
  it("suggests at most three calls, and none twice", () => {
    const { next } = failing("Error", "connect ECONNREFUSED 10.0.0.1:5432");
    expect(next.length).toBeLessThanOrEqual(3);
    expect(next[0]).toMatchObject({ tool: "get_span", args: { run_id: RUN_ID } });
  });

  it("says which span's clock is off", () => {
    const { doubts } = verdictOf({}, [
      root(),
      attempt(2, 1, 50_000, 1_000),
      aSpan(3, 2, "work", 0, 900, thrown("Error", "boom")),
    ]);
    expect(doubts).toMatchObject({ skewMs: 50_000, skewed: { span: { id: spanId(3) } } });
  });
});
