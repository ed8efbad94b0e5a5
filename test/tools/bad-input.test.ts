/** Every tool against arguments a model gets wrong, through the real pipeline, client and embedded API. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import { callTool, type ToolAnswer } from "../../src/server/pipeline.ts";
import { type JsonSchema, toolSchemas } from "../../src/server/schemas.ts";
import type { Service } from "../../src/server/service.ts";
import type { ToolDefinition } from "../../src/tools/define.ts";
import { tools } from "../../src/tools/index.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { aService, target } from "../support/service.ts";

type Args = Record<string, unknown>;

/** What there is to call about. */
interface Things {
  run: string;
  delayed: string;
  doomed: string;
  span: string;
  session: string;
}

interface ToolCase {
  good(things: Things): Args;
  /** Arguments refused before anything is sent, and what the refusal says. The good ones are added to each. */
  bad: [wrong: Args, says: RegExp][];
}

const CASES: Record<string, ToolCase> = {
  get_connection: { good: () => ({}), bad: [[{ verbose: true }, /"verbose" is not an argument/]] },
  list_runs: {
    good: () => ({ status: ["FAILED", "COMPLETED"], period: "1h" }),
    bad: [
      [{ statuss: "FAILED" }, /did you mean "status"\?/],
      [{ status: "failed" }, /"status" takes .*did you mean "FAILED"\?/],
      [{ status: [] }, /"status" takes/],
      [{ limit: 1000 }, /"limit" takes a whole number from 1 to 100, not 1000/],
      [{ limit: 1.5 }, /"limit" takes a whole number/],
      [{ cursor: "" }, /"cursor" takes/],
      [{ period: "a week" }, /"period" takes a number and a unit/],
      [{ period: "0d" }, /"period" takes/],
      [{ from: "yesterday" }, /"from" takes an ISO date/],
      [{ period: undefined, from: "2026-02-01", to: "2026-01-01" }, /"from" is later than "to"/],
      [{ tag: "a,b" }, /"tag" .*comma/],
      [{ version: ["1", "2,3"] }, /"version" .*comma/],
    ],
  },
  get_run: {
    good: ({ run }) => ({ run_id: run }),
    bad: [
      [{ run_id: "" }, /"run_id" takes/],
      [{ run_id: undefined, runId: "run_1" }, /did you mean "run_id"\?/],
      [{ run_id: ".." }, /"\.\." cannot be an id/],
      [{ run_id: "run_\u0000" }, /cannot be an id/],
    ],
  },
  get_run_trace: {
    good: ({ run }) => ({ run_id: run, view: "errors" }),
    bad: [
      [{ view: "flame" }, /"view" takes one of tree, errors/],
      [{ focus: "" }, /"focus" takes/],
      [{ focus: "the slow one" }, /"focus" takes a span id/],
      [{ max_tokens: 199 }, /"max_tokens" takes a whole number from 200 to 20000, not 199/],
    ],
  },
  search_run_events: {
    good: ({ run }) => ({ run_id: run, level: "INFO", limit: 5 }),
    bad: [
      [{ level: "warning" }, /"level" takes one of/],
      [{ attempt: 0 }, /"attempt" takes a whole number/],
      [{ cursor: "abc" }, /"cursor" takes what an earlier search_run_events answered/],
      [{ to: "soon" }, /"to" takes an ISO date/],
      [{ query: "" }, /"query" takes/],
      [{ span_id: "zz" }, /"span_id" takes a span id/],
    ],
  },
  get_span: {
    good: ({ run, span }) => ({ run_id: run, span_id: span }),
    bad: [
      [{ span_id: "" }, /"span_id" takes/],
      [{ span_id: "not hex" }, /"span_id" takes a span id/],
    ],
  },
  follow_run: {
    good: ({ run }) => ({ run_id: run, timeout_seconds: 5 }),
    bad: [
      [{ timeout_seconds: 0 }, /"timeout_seconds" takes a whole number from 1 to 600/],
      [{ until: { silence: 3 } }, /"until" has no "silence"/],
      [{ until: { silence_seconds: 0 } }, /"until.silence_seconds" takes/],
    ],
  },
  diagnose_run: {
    good: ({ run }) => ({ run_id: run }),
    bad: [[{ run_id: undefined, run: "run_1" }, /did you mean "run_id"\?/]],
  },
  compare_runs: {
    good: ({ run, delayed }) => ({ run_id: run, other_run_id: delayed }),
    bad: [
      [{ other_run_id: "" }, /"other_run_id" takes/],
      [{ otherRunId: "run_1" }, /did you mean "other_run_id"\?/],
    ],
  },
  triage_failures: {
    good: () => ({ period: "1h" }),
    bad: [
      [{ period: "a day" }, /"period" takes a number and a unit/],
      [{ from: "yesterday" }, /"from" takes an ISO date/],
      [{ status: "COMPLETED" }, /"status" takes/],
      [{ limit: 0 }, /"limit" takes/],
    ],
  },
  trigger_task: {
    good: () => ({ task: "send-welcome-email", payload: { userId: "user_1" } }),
    bad: [
      [{ tasks: "x" }, /did you mean "task"\?/],
      [{ task: "" }, /"task" takes/],
      [{ tags: "one" }, /"tags" takes a list/],
      [{ tags: Array.from({ length: 11 }, (_, at) => `t${at}`) }, /"tags" takes/],
      [{ max_attempts: 0 }, /"max_attempts" takes/],
      [{ metadata: [1] }, /"metadata" takes an object/],
    ],
  },
  replay_run: {
    good: ({ run }) => ({ run_id: run, tags: ["again"] }),
    bad: [
      [{ tags: [] }, /"tags" takes/],
      [{ key: "" }, /"key" takes/],
    ],
  },
  reschedule_run: {
    good: ({ delayed }) => ({ run_id: delayed, delay: "2h" }),
    bad: [
      [{ delay: "" }, /"delay" takes/],
      [{ delay: 5 }, /"delay" takes/],
    ],
  },
  add_run_tags: {
    good: ({ run }) => ({ run_id: run, tags: ["seen"] }),
    bad: [
      [{ tags: [] }, /"tags" takes/],
      [{ tags: [1] }, /"tags\[0\]" takes/],
      [{ tags: ["x".repeat(129)] }, /"tags\[0\]" takes/],
    ],
  },
  update_run_metadata: {
    good: ({ run }) => ({ run_id: run, operations: [{ type: "set", key: "seen", value: true }] }),
    bad: [
      [{ operations: undefined }, /Give "operations".* or "metadata"/],
      [{ metadata: {} }, /"operations" or "metadata", not both/],
      [
        { operations: [{ type: "sett", key: "a", value: 1 }] },
        /"operations\[0\].type" .*did you mean "set"\?/,
      ],
      [{ operations: [{ type: "set", key: "a" }] }, /operations\[0\]: set needs a "value"/],
      [{ operations: [{ type: "increment", key: "a", value: "1" }] }, /operations\[0\]: increment needs/],
      [{ operations: [{ type: "delete", key: "a", path: 1 }] }, /"operations\[0\]" has no "path"/],
    ],
  },
  cancel_run: { good: ({ doomed }) => ({ run_id: doomed }), bad: [[{ run_id: 7 }, /"run_id" takes/]] },
  list_sessions: {
    good: () => ({ status: "ACTIVE" }),
    bad: [
      [{ status: "active" }, /"status" takes .*did you mean "ACTIVE"\?/],
      [{ period: "1 week" }, /"period" takes/],
      [{ externalid: "x" }, /did you mean "external_id"\?/],
    ],
  },
  get_session: {
    good: ({ session }) => ({ session }),
    bad: [
      [{ session: undefined, session_id: "x" }, /did you mean "session"\?/],
      [{ session: "x".repeat(257) }, /"session" takes/],
    ],
  },
  get_session_transcript: {
    good: ({ session }) => ({ session }),
    bad: [
      [{ before: "" }, /"before" takes/],
      [{ reasoning: "yes" }, /"reasoning" takes/],
      [{ befor: "m1" }, /did you mean "before"\?/],
    ],
  },
  read_session_channel: {
    good: ({ session }) => ({ session, io: "in" }),
    bad: [
      [{ io: "both" }, /"io" takes one of in, out/],
      [{ after: "-1" }, /"after" takes/],
      [{ channel: "a/b" }, /"channel" takes/],
    ],
  },
  follow_session: {
    good: ({ session }) => ({ session, after: "0", timeout_seconds: 5 }),
    bad: [
      [{ after: "msg_1" }, /"after" takes/],
      [{ until: "done" }, /"until" takes one of/],
      [{ count: 0 }, /"count" takes/],
    ],
  },
  diagnose_session: {
    good: ({ session }) => ({ session }),
    bad: [[{ session: undefined, session_id: "x" }, /did you mean "session"\?/]],
  },
  start_session: {
    good: () => ({ task: "support-agent", external_id: "bad-input-2", timeout_seconds: 20 }),
    bad: [
      [{ external_id: "session_mine" }, /"external_id" must not begin with "session_"/],
      [{ external_id: " " }, /"external_id" takes/],
      [{ external_id: "a\u001b[31m" }, /"external_id" .*control characters/],
      [{ external_id: ".." }, /"external_id" /],
      [{ message: "" }, /"message" takes/],
    ],
  },
  send_session_message: {
    good: ({ session }) => ({ session, message: "hello", timeout_seconds: 20 }),
    bad: [
      [{ message: undefined }, /kind "message" needs "message"/],
      [{ kind: "action" }, /kind "action" needs "action"/],
      [{ kind: "approval" }, /kind "approval" needs "approval"/],
      [{ kind: "cancel" }, /"kind" takes one of/],
      [{ approval: { aproved: true } }, /"approval.approved" is missing/],
      [{ key: "x".repeat(65) }, /"key" takes/],
    ],
  },
  append_session_record: {
    good: ({ session }) => ({ session, record: { kind: "stop" } }),
    bad: [
      [{ record: undefined }, /"record" is missing/],
      [{ io: "sideways" }, /"io" takes one of in, out/],
    ],
  },
  update_session: {
    good: ({ session }) => ({ session, tags: ["seen"] }),
    bad: [
      [{ tags: undefined }, /give "tags", "metadata" or both/],
      [{ metadata: "x" }, /"metadata" takes/],
    ],
  },
  close_session: {
    good: ({ session }) => ({ session, reason: "tested" }),
    bad: [[{ reason: "" }, /"reason" takes/]],
  },
};

let embedded: TestApi;
let api: TriggerApi;
let service: Service;
let things: Things;
let requests = 0;
const countRequest = () => {
  requests += 1;
};

beforeAll(async () => {
  embedded = await startTestApi({ seed: false });
  api = createTriggerApi({ apiUrl: embedded.url, token: embedded.secretKey });
  service = aService({ tools: [...tools], targets: [target("dev", api)] });
  const run = await embedded.trigger("send-welcome-email", { userId: "user_1" });
  const delayed = await embedded.trigger("send-welcome-email", {}, { delay: "1h" });
  const doomed = await embedded.trigger("send-welcome-email", {}, { delay: "1h" });
  await answerOf("follow_run", { run_id: run });
  await answerOf("start_session", { task: "support-agent", external_id: "bad-input", message: "hello" });
  const span = (await api.runs.trace(run)).spans[0]?.id ?? "";
  things = { run, delayed, doomed, span, session: "bad-input" };
  subscribe("undici:request:create", countRequest);
}, 30_000);

afterAll(async () => {
  unsubscribe("undici:request:create", countRequest);
  await api.close();
  await embedded.close();
});

function toolNamed(name: string): ToolDefinition {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool;
}

const answerOf = (name: string, args: unknown): Promise<ToolAnswer> =>
  callTool(service, toolNamed(name), args, { signal: AbortSignal.timeout(30_000) });

/** The answer, once it is sure that it is a refusal of ours that went out to nobody. */
async function refusal(name: string, args: unknown): Promise<string> {
  const before = requests;
  const { text, isError, structured } = await answerOf(name, args);
  expect(isError, text).toBe(true);
  expect(structured, text).toMatchObject({ code: "invalid_request", retryable: false });
  expect(structured.status, text).toBeUndefined();
  expect(requests, `${text}\nwas sent upstream`).toBe(before);
  return text;
}

const known = (tool: ToolDefinition) => Object.entries(toolSchemas(tool, ["dev"]).input.properties ?? {});

/** Alone, or as one of several forms. */
const takesObject = ({ type, anyOf }: JsonSchema): boolean =>
  type === "object" || (Array.isArray(anyOf) && anyOf.some(takesObject));

it("has a row for every tool", () => {
  expect(Object.keys(CASES).sort()).toEqual(tools.map(({ name }) => name as string).sort());
});

describe.each(Object.entries(CASES))("%s", (name, { good, bad }) => {
  it.each(bad)("refuses %j", async (wrong, says) => {
    const args = Object.fromEntries(
      Object.entries({ ...good(things), ...wrong }).filter(([, value]) => value !== undefined),
    );
    expect(await refusal(name, args)).toMatch(says);
  });

  it("takes one object of arguments and nothing else", async () => {
    for (const args of [[], "text", 7]) {
      expect(await refusal(name, args)).toContain(`${name} takes its arguments as one JSON object`);
    }
  });

  it("refuses a name it does not know, and says which it knows", async () => {
    const text = await refusal(name, { ...good(things), qqqqqqqq: 1 });
    expect(text).toContain(`"qqqqqqqq" is not an argument of ${name}`);
    for (const [argument] of known(toolNamed(name))) expect(text).toContain(argument);
  });

  it("names each argument that has the wrong type", async () => {
    for (const [argument, schema] of known(toolNamed(name))) {
      if (schema.type === undefined && schema.anyOf === undefined && schema.enum === undefined) continue;
      const wrong = takesObject(schema) ? 7 : { no: "such" };
      expect(await refusal(name, { ...good(things), [argument]: wrong })).toContain(`"${argument}`);
    }
  });

  it("names each argument that is missing", async () => {
    for (const argument of toolSchemas(toolNamed(name), ["dev"]).input.required ?? []) {
      const { [argument]: _, ...rest } = good(things);
      expect(await refusal(name, rest)).toContain(`"${argument}" is missing`);
    }
  });

  it("answers a good call afterwards", async () => {
    const { text, isError } = await answerOf(name, good(things));
    expect(isError, text).toBe(false);
  });
});
