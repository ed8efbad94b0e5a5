/** No secret, no hidden character and no forged line leaves through any door, whatever the API says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tick } from "../../src/bridge/progress.ts";
import type { TriggerApi } from "../../src/client/api.ts";
import type { ErrorCode } from "../../src/domain/errors.ts";
import { prompts } from "../../src/prompts/index.ts";
import { resources } from "../../src/resources/index.ts";
import { type Caller, callTool } from "../../src/server/pipeline.ts";
import { type HttpServer, serveOverHttp } from "../../src/server/transports/http.ts";
import { tools } from "../../src/tools/index.ts";
import { type McpClient, overHttp } from "../support/clients.ts";
import { FORGED, faultsOf, hostileApi, LEAK, NAMES, refusingApi } from "../support/hostile.ts";
import { aService, LOCAL_HTTP, target } from "../support/service.ts";

type Args = Record<string, unknown>;

const run_id = NAMES.run;
const session = NAMES.session;

/** A call or several of every tool. */
const CALLS: Record<string, Args[]> = {
  get_connection: [{}],
  list_runs: [{}, { status: "FAILED", max_tokens: 200 }],
  get_run: [
    { run_id },
    { run_id, max_tokens: 200 },
    { run_id, path: ["payload.password", "payload.headers", "output[0]", "metadata.text"] },
  ],
  get_run_trace: [{ run_id }, { run_id, view: "errors" }, { run_id, focus: NAMES.span, max_tokens: 8_000 }],
  search_run_events: [{ run_id }, { run_id, level: "WARN", query: "log" }],
  get_span: [
    { run_id, span_id: NAMES.span },
    { run_id, span_id: NAMES.span, max_tokens: 8_000 },
  ],
  diagnose_run: [{ run_id }, { run_id, max_tokens: 8_000 }],
  compare_runs: [{ run_id }, { run_id, other_run_id: "run_other" }],
  triage_failures: [{}, { period: "7d" }],
  follow_run: [{ run_id, timeout_seconds: 1 }],
  trigger_task: [{ task: "process-order", key: "k" }],
  replay_run: [{ run_id }, { run_id, payload: { a: 1 }, compare: true, timeout_seconds: 1 }],
  reschedule_run: [{ run_id, delay: "1h" }],
  add_run_tags: [{ run_id, tags: ["new"] }],
  update_run_metadata: [{ run_id, metadata: { a: 1 } }],
  cancel_run: [{ run_id }],
  list_sessions: [{}],
  get_session: [{ session }],
  get_session_transcript: [{ session }],
  read_session_channel: [{ session }, { session, io: "in" }, { session, max_tokens: 200 }],
  follow_session: [
    { session, timeout_seconds: 1 },
    { session, until: "count", count: 3, timeout_seconds: 1 },
  ],
  diagnose_session: [{ session }],
  start_session: [{ task: "support-agent", message: "hi", timeout_seconds: 1 }],
  send_session_message: [
    { session, message: "hi", timeout_seconds: 1 },
    { session, kind: "stop", timeout_seconds: 1 },
  ],
  append_session_record: [{ session, record: { a: 1 } }],
  update_session: [{ session, tags: ["a"] }],
  close_session: [{ session, reason: "done" }],
};

/** Poisoned throughout, and with what decides how far a tool gets left alone. */
const APIS: [string, TriggerApi][] = [
  ["every word", hostileApi()],
  [
    "all but ids and statuses",
    hostileApi({
      spare: ["id", "runId", "currentRunId", "externalId", "status", "state", "level", "parentId", "task"],
    }),
  ],
];

const CODES: (ErrorCode | "surprise")[] = [
  "invalid_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "session_closed",
  "too_large",
  "unprocessable",
  "rate_limited",
  "server_error",
  "unsupported",
  "unreachable",
  "timeout",
  "contract",
  "outcome_unknown",
  "surprise",
];

const serviceWith = (api: TriggerApi) =>
  aService({
    tools: [...tools],
    resources: [...resources],
    prompts: [...prompts],
    targets: [target("dev", api)],
  });

async function ask(api: TriggerApi, name: string, args: Args, watched: boolean) {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`there is no ${name}`);
  const ticks: Tick[] = [];
  const caller: Caller = {
    signal: new AbortController().signal,
    apps: true,
    ...(watched && { progress: (tick: Tick) => void ticks.push(tick) }),
  };
  const service = serviceWith(api);
  const answer = await callTool(service, tool, args, caller);
  return { answer, ticks, lines: service.lines };
}

/** Everything a caller gets but the words: as it goes over the wire, where what is escaped cannot steer anything. */
const faultsOfValue = (value: unknown): string[] => {
  const faults: string[] = [];
  const walk = (current: unknown): void => {
    if (typeof current === "string")
      faults.push(...faultsOf(current).filter((fault) => !/^a (?:forged|fence)/.test(fault)));
    else if (typeof current === "object" && current !== null)
      for (const [key, item] of Object.entries(current)) {
        walk(key);
        walk(item);
      }
  };
  walk(value);
  return faults;
};

it("has a call of every tool", () => {
  expect(tools.map(({ name }) => name).filter((name) => !CALLS[name])).toEqual([]);
});

describe.each(tools.map(({ name }) => name))("%s", (name) => {
  const calls = CALLS[name] ?? [];

  it.each(APIS)("lets nothing out when the API poisons %s", async (_, api) => {
    for (const args of calls) {
      for (const watched of [false, true]) {
        const { answer, ticks } = await ask(api, name, args, watched);
        expect.soft(faultsOf(answer.text), JSON.stringify(args)).toEqual([]);
        expect.soft(faultsOfValue([answer.structured, answer.meta]), JSON.stringify(args)).toEqual([]);
        expect.soft(faultsOfValue(ticks), `progress of ${JSON.stringify(args)}`).toEqual([]);
        for (const { message } of ticks) expect.soft(message).not.toContain("\n");
        expect.soft(answer.structured.code, answer.text).not.toBe("internal");
      }
    }
  });

  it("lets nothing out when the API refuses", async () => {
    for (const code of CODES) {
      const { answer } = await ask(refusingApi(code), name, calls[0] ?? {}, false);
      expect.soft(faultsOf(answer.text), code).toEqual([]);
      expect.soft(faultsOfValue(answer.structured), code).toEqual([]);
    }
  });
});

it("marks fences with another nonce in every answer", async () => {
  const nonces = new Set<string>();
  for (let time = 0; time < 20; time += 1) {
    const { answer } = await ask(hostileApi(), "get_run", { run_id, max_tokens: 8_000 }, false);
    nonces.add(/^<<<\w+ (\d{9})$/m.exec(answer.text)?.[1] ?? "none");
  }
  expect(nonces.size).toBe(20);
  expect(nonces).not.toContain("none");
});

describe("over the protocol", () => {
  let server: HttpServer;
  let client: McpClient;

  beforeAll(async () => {
    server = await serveOverHttp(serviceWith(APIS[1]?.[1] ?? hostileApi()), LOCAL_HTTP);
    client = await overHttp("v2 of the 2026 era", server.url);
  });

  afterAll(async () => {
    await client.close();
    await server.close();
  });

  const uriOf = (template: string) =>
    template
      .replace("{runId}", run_id)
      .replace("{spanId}", NAMES.span)
      .replace("{session}", session)
      .replace("{io}", "out")
      .replace("{name}", "side");

  it.each(resources.map(({ uri }) => uri))("reads %s clean", async (uri) => {
    const text = await client.read(uriOf(uri));
    expect(text).not.toBe("");
    expect(faultsOf(text)).toEqual([]);
  });

  it.each(
    prompts.map(({ name, arguments: args }) => ({ name, args })),
  )("fills in prompt $name clean", async ({ name, args }) => {
    const values = Object.fromEntries(
      args.map((argument) => [
        argument.name,
        `x ${LEAK.slice(0, 4)}\u202e\u001b[31m tr_dev_${LEAK}0123456789\n${FORGED}`,
      ]),
    );
    expect(faultsOf(await client.prompt(name, values))).toEqual([]);
  });

  it("completes with nothing hostile", async () => {
    for (const { uri, complete = {} } of resources) {
      for (const variable of Object.keys(complete)) {
        expect
          .soft(
            faultsOfValue(await client.completeResource(uri, variable, "", { runId: run_id })),
            `${uri} ${variable}`,
          )
          .toEqual([]);
      }
    }
    for (const { name, arguments: args } of prompts) {
      for (const argument of args)
        expect.soft(faultsOfValue(await client.completePrompt(name, argument.name, "")), name).toEqual([]);
    }
  });

  it.each(CODES)("tells a resource that failed with %s clean", async (code) => {
    const refusing = await serveOverHttp(serviceWith(refusingApi(code)), LOCAL_HTTP);
    const other = await overHttp("v2 of the 2026 era", refusing.url);
    const told = await other.read(uriOf("trigger://runs/{runId}")).catch((error: Error) => error.message);
    await other.close();
    await refusing.close();
    expect(faultsOf(told)).toEqual([]);
  });
});
