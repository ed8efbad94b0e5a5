import { once } from "node:events";
import fc from "fast-check";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { TriggerError } from "../../src/domain/errors.ts";
import { RUN_STATUSES } from "../../src/domain/status.ts";
import { callTool } from "../../src/server/pipeline.ts";
import * as params from "../../src/tools/params.ts";
import { aService, aTool, target, type Work } from "../support/service.ts";

const idle = () => new AbortController().signal;

async function answerTo(args: unknown, work: Work = {}, targets?: Parameters<typeof aService>[0]) {
  const tool = aTool(work);
  const service = aService({ tools: [tool], ...targets });
  const answer = await callTool(service, tool, args, { signal: idle() });
  return { ...answer, service };
}

const listInput = z.object({
  status: params.runStatus.optional(),
  limit: params.limit.optional(),
  run_id: params.runId.optional(),
});

describe("arguments", () => {
  it("refuses an unknown name, says which was meant and what that takes", async () => {
    const { text, isError, structured } = await answerTo({ statuss: "FAILED" }, { input: listInput });
    expect(isError).toBe(true);
    expect(text).toMatch(
      /^"statuss" is not an argument of list_runs; did you mean "status"\? It takes one of /,
    );
    expect(text).toContain("FAILED");
    expect(text).toContain("list_runs takes status, limit, run_id, max_tokens.");
    expect(structured).toMatchObject({ code: "invalid_request", retryable: false });
  });

  it("names the near value of an enumeration", async () => {
    const { text } = await answerTo({ status: "FAILD" }, { input: listInput });
    expect(text).toMatch(
      /^"status" takes one of .*, or a list of them, not "FAILD"; did you mean "FAILED"\?$/,
    );
  });

  it.each<[string, z.ZodObject, unknown, string]>([
    [
      "a missing one",
      z.object({ run_id: params.runId }),
      {},
      '"run_id" is missing; it takes text of at most 200 characters.',
    ],
    [
      "a number out of range",
      listInput,
      { limit: 500 },
      '"limit" takes a whole number from 1 to 100, not 500.',
    ],
    ["the wrong type", listInput, { limit: "ten" }, '"limit" takes a whole number from 1 to 100, not "ten".'],
    [
      "a budget too small",
      listInput,
      { max_tokens: 3 },
      '"max_tokens" takes a whole number from 200 to 20000, not 3.',
    ],
    ["no object", listInput, [1], "list_runs takes its arguments as one JSON object."],
    [
      "something nested",
      z.object({ operations: z.array(z.object({ type: z.enum(["set", "delete"]) })) }),
      { operations: [{ type: "sett" }] },
      '"operations[0].type" takes one of set, delete, not "sett"; did you mean "set"?',
    ],
    [
      "an unknown nested name",
      z.object({ options: z.strictObject({ queue: z.string().optional() }) }),
      { options: { que: "a" } },
      '"options" has no "que"; did you mean "queue"?',
    ],
  ])("tells %s in a sentence", async (_, input, args, expected) => {
    const { text, isError } = await answerTo(args, { input });
    expect(isError).toBe(true);
    expect(text).toBe(expected);
  });

  it("never throws, whatever comes as arguments", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (args) => {
        const { text } = await answerTo(args, { input: listInput });
        expect(text).not.toBe("");
      }),
      { numRuns: 200 },
    );
  });

  it("passes falsy values through as they are", async () => {
    const input = z.object({ payload: z.unknown() });
    for (const payload of [null, 0, false, ""]) {
      const { text } = await answerTo({ payload }, { input });
      expect(JSON.parse(text)).toEqual({ payload });
    }
  });

  it("knows target only where there are several", async () => {
    const one = await answerTo({ target: "dev" });
    expect(one.text).toContain('"target" is not an argument of list_runs');
    const several = {
      targets: [target("dev"), target("prod")] as [ReturnType<typeof target>, ReturnType<typeof target>],
    };
    const wrong = await answerTo({ target: "prdo" }, {}, several);
    expect(wrong.text).toBe('"target" takes one of dev, prod, not "prdo"; did you mean "prod"?');
    const right = await answerTo({ target: "prod" }, { run: async (_, context) => context.target }, several);
    expect(right.text).toContain("prod");
    expect(right.structured).toMatchObject({ target: "prod" });
  });

  it("lists every status it takes", async () => {
    const { text } = await answerTo({ status: 1 }, { input: listInput });
    for (const status of RUN_STATUSES) expect(text).toContain(status);
  });
});

describe("budget", () => {
  it("is never exceeded, neither by an answer nor by an error", async () => {
    const long = "The quick brown fox, 12345, jumps over #c3d4 in run_cm9x2k4p30001ab12cd34ef56. ".repeat(
      2_000,
    );
    const view = () => ({ text: long, structured: {} });
    const answer = await answerTo({ max_tokens: 300 }, { view });
    expect(encode(answer.text).length).toBeLessThanOrEqual(300);
    const run = async () => {
      throw new TriggerError("invalid_request", "no", { status: 400, said: long });
    };
    const error = await answerTo({ max_tokens: 200 }, { run });
    expect(error.isError).toBe(true);
    expect(encode(error.text).length).toBeLessThanOrEqual(200);
  });

  it("is 2,000 tokens unless asked for", async () => {
    const tool = aTool();
    let budget = 0;
    tool.view = (_, context) => {
      budget = context.budget;
      return { text: "ok", structured: {} };
    };
    await callTool(aService({ tools: [tool] }), tool, {}, { signal: idle() });
    expect(budget).toBe(2_000);
  });
});

describe("deadlines", () => {
  const seconds = async (watched: boolean, asked?: number) => {
    const tool = aTool({
      run: async (_, context) => Math.round((context.deadline(asked) - context.now()) / 1000),
    });
    const caller = watched ? { signal: idle(), progress: () => {} } : { signal: idle() };
    const { text } = await callTool(aService({ tools: [tool] }), tool, {}, caller);
    return Number(text);
  };

  it("are 45 s for silent calls, 120 s for watched ones, 600 s at most", async () => {
    expect(await seconds(false)).toBe(45);
    expect(await seconds(false, 300)).toBe(45);
    expect(await seconds(false, 5)).toBe(5);
    expect(await seconds(true)).toBe(120);
    expect(await seconds(true, 300)).toBe(300);
    expect(await seconds(true, 6_000)).toBe(600);
  });

  it("let a caller that goes away reach the tool at once", async () => {
    const caller = new AbortController();
    const tool = aTool({
      run: async (_, context) => {
        setImmediate(() => caller.abort());
        await once(context.signal, "abort");
        throw new TriggerError("cancelled", "closed");
      },
    });
    const service = aService({ tools: [tool] });
    const answer = await callTool(service, tool, {}, { signal: caller.signal });
    expect(answer.structured).toMatchObject({ code: "cancelled" });
    expect(service.metrics.text()).toContain('outcome="cancelled"} 1');
  });

  it("do not wait for a tool that ignores its caller", async () => {
    const caller = new AbortController();
    const tool = aTool({
      run: () => {
        setImmediate(() => caller.abort());
        return new Promise(() => {});
      },
    });
    const answer = await callTool(aService({ tools: [tool] }), tool, {}, { signal: caller.signal });
    expect(answer.isError).toBe(true);
  });
});

describe("progress", () => {
  it("reaches the caller and ends before the answer", async () => {
    const messages: string[] = [];
    const tool = aTool({
      run: async (_, context) => {
        expect(context.progress.wanted).toBe(true);
        context.progress.report("one");
        return "done";
      },
    });
    await callTool(
      aService({ tools: [tool] }),
      tool,
      {},
      { signal: idle(), progress: ({ message }) => void messages.push(message) },
    );
    expect(messages).toEqual(["one"]);
  });
});

describe("errors", () => {
  const failing = (error: unknown, args: unknown = {}, work: Work = {}) =>
    answerTo(args, {
      ...work,
      run: async () => {
        throw error;
      },
    });

  it("an id of the other kind: what it looks like, and the tool that takes it", async () => {
    const missing = new TriggerError("not_found", "not found", { status: 404 });
    const input = z.object({ run_id: params.runId.optional(), session: params.session.optional() });
    const asked = async (args: unknown) => (await failing(missing, args, { input })).text;
    expect(await asked({ run_id: "session_1" })).toMatch(
      /^session_1 was not found in dev \(404\)\. It is the id of a session\.\nnext: get_session \{"session":"session_1"\}/,
    );
    expect(await asked({ run_id: "chat-81" })).toContain('Run ids begin with "run_"');
    expect(await asked({ session: "run_1" })).toContain('next: get_run {"run_id":"run_1"}');
  });

  it("a run that is not there: which environment was looked at, and where else to look", async () => {
    const { text, structured } = await failing(
      new TriggerError("not_found", "GET /api/v3/runs/run_x answered 404", { status: 404 }),
      { run_id: "run_x" },
      { input: listInput },
    );
    expect(text).toContain("run_x was not found in dev (404)");
    expect(text).toContain("this server sees dev only");
    expect(text).toContain("next: list_runs {}");
    expect(structured).toEqual({
      code: "not_found",
      status: 404,
      retryable: false,
      next: [{ tool: "list_runs", args: {} }],
    });
  });

  it("an unknown outcome is never a success and says how to check", async () => {
    const { text, isError, structured } = await failing(
      new TriggerError("outcome_unknown", "the connection broke after the replay was sent"),
      { task: "process-order" },
      { name: "replay_run", effect: "write", input: z.object({ task: z.string() }) },
    );
    expect(isError).toBe(true);
    expect(text).toContain(
      "Unknown outcome: the connection broke after the replay was sent. It may have been done.",
    );
    expect(text).toContain("Calling again could start a second copy.");
    expect(text).toContain('list_runs {"task":"process-order","period":"5m"}');
    expect(structured.code).toBe("outcome_unknown");
  });

  it("a write that ran out of time has an unknown outcome, a read has not", async () => {
    const late = new TriggerError("timeout", "no answer within 45 s", { retryable: true });
    expect((await failing(late)).text).toMatch(/^No answer in time in dev/);
    expect((await failing(late, {}, { effect: "write" })).text).toMatch(/^Unknown outcome/);
  });

  it("what the API said is quoted, cleaned of control characters and secrets", async () => {
    const { text } = await failing(
      new TriggerError("unprocessable", "the API answered 422", {
        status: 422,
        said: "bad \u001b[31mkey tr_prod_abcdefghijklmnopqrstuvwx",
      }),
    );
    expect(text).not.toContain("\u001b");
    expect(text).not.toContain("tr_prod_abcdefghijklmnopqrstuvwx");
  });

  it("a surprise gets a reference and a log line, never its text", async () => {
    const { text, structured, service } = await failing(new Error("secret detail /home/me"));
    expect(text).not.toContain("secret detail");
    const reference = /reference ([0-9a-f]{8})/.exec(text)?.[1];
    expect(service.lines.find((line) => line.level === "error")?.facts.reference).toBe(reference);
    expect(structured).toEqual({ code: "internal", retryable: false });
  });

  it("a rate limit says when", async () => {
    const { text, structured } = await failing(
      new TriggerError("rate_limited", "429", { status: 429, retryable: true, retryAt: Date.now() + 7_500 }),
    );
    expect(text).toMatch(/Call again in 8 s, unchanged/);
    expect(structured.retryable).toBe(true);
  });
});
