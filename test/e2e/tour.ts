/** Every tool, every resource and every prompt once, on real runs and a real conversation, through one client. */
import { expect } from "vitest";
import type { ToolName } from "../../src/domain/calls.ts";
import type { CallOptions, McpClient, Result, Tick } from "../support/clients.ts";

/** Between two looks at something that happens elsewhere. */
const LOOK_AGAIN_MS = 100;
const LOOKS = 200;

/** Asks again until the answer satisfies; the last one when it never does. */
async function eventually<T>(ask: () => Promise<T>, satisfied: (answer: T) => boolean): Promise<T> {
  let answer = await ask();
  for (let look = 0; look < LOOKS && !satisfied(answer); look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    answer = await ask();
  }
  return answer;
}

export interface Tour {
  /** Tools that were called and answered well. */
  called: Set<string>;
  /** Progress seen while the first turn streamed. */
  ticks: Tick[];
}

export async function tour(client: McpClient, name: string): Promise<Tour> {
  const called = new Set<string>();
  const call = async (
    tool: ToolName,
    args: Record<string, unknown> = {},
    options: CallOptions = {},
  ): Promise<Result> => {
    const result = await client.call(tool, args, options);
    expect(result.isError, `${tool} ${JSON.stringify(args)}: ${result.text}`).toBe(false);
    called.add(tool);
    return result;
  };

  expect((await call("get_connection")).text).toContain("dev");
  const failed = await runs(call);
  const { session, ticks } = await conversation(call, name);
  await resources(client, failed, session);

  expect(await client.prompts()).toEqual(expect.arrayContaining(["debug_run", "debug_session"]));
  expect(await client.prompt("debug_run", { run_id: failed })).toContain(failed);
  expect(await client.completePrompt("debug_run", "run_id", failed.slice(0, -1))).toContain(failed);
  await call("close_session", { session, reason: "the tour is over" });
  return { called, ticks };
}

type Call = (tool: ToolName, args?: Record<string, unknown>, options?: CallOptions) => Promise<Result>;

const idOf = ({ structured }: Result): string => {
  const id = structured.run_id ?? structured.id;
  expect(id).toMatch(/^run_/);
  return String(id);
};

/** Answers the id of a run that failed. */
async function runs(call: Call): Promise<string> {
  expect((await call("list_runs", { limit: 5 })).text).toContain("run_");
  const failed = idOf(
    await call("trigger_task", {
      task: "process-order",
      payload: { orderId: 7, amount: 10, customer: { id: "cus_1", cards: [] } },
    }),
  );
  const run = await eventually(
    () => call("get_run", { run_id: failed }),
    ({ structured }) => structured.status === "FAILED",
  );
  expect(run.text).toContain("Cannot read properties of undefined (reading 'id')");
  expect(run.text).toContain("tasks/process-order.ts");
  expect(run.text).toContain("capturePayment");

  await call("get_run_trace", { run_id: failed });
  const errors = await call("get_run_trace", { run_id: failed, view: "errors" });
  const span = /#([0-9a-f]{4,16})/.exec(errors.text)?.[1];
  expect(span).toBeDefined();
  await call("get_span", { run_id: failed, span_id: span });
  expect((await call("search_run_events", { run_id: failed, level: "WARN" })).text).toContain(
    "no default card",
  );

  const diagnosis = await call("diagnose_run", { run_id: failed });
  expect(diagnosis.structured.verdict).toMatchObject({ class: "user_code" });
  expect(diagnosis.text).toContain("capturePayment");
  expect((await call("compare_runs", { run_id: failed })).text).toContain("process-order");
  expect((await call("triage_failures", { task: "process-order" })).text).toContain(failed);
  expect((await call("follow_run", { run_id: failed })).text).toContain("FAILED");
  for (const view of ["critical_path", "timeline"]) await call("get_run_trace", { run_id: failed, view });

  await call("add_run_tags", { run_id: failed, tags: ["toured"] });
  await call("update_run_metadata", {
    run_id: failed,
    operations: [{ type: "set", key: "toured", value: true }],
  });
  const copy = idOf(await call("replay_run", { run_id: failed }));
  expect(copy).not.toBe(failed);
  const delayed = idOf(await call("trigger_task", { task: "send-welcome-email", delay: "1h" }));
  await call("reschedule_run", { run_id: delayed, delay: "2h" });
  const cancelled = await call("cancel_run", { run_id: delayed });
  expect(cancelled.text).toContain("CANCELED");
  return failed;
}

async function conversation(call: Call, name: string): Promise<{ session: string; ticks: Tick[] }> {
  const session = `tour-${name.replace(/[^a-z0-9]+/gi, "-")}`;
  await call("start_session", { task: "support-agent", external_id: session });
  const ticks: Tick[] = [];
  const sent = await call(
    "send_session_message",
    { session, message: "where is order 4821?" },
    { onprogress: (tick) => ticks.push(tick) },
  );
  expect(sent.text).toContain("It shipped on 15 March");
  expect(sent.structured.state).toBe("done");
  expect((await call("list_sessions", { limit: 50 })).text).toContain(session);
  await call("get_session", { session });
  expect((await call("diagnose_session", { session })).structured.verdict).toMatchObject({
    class: expect.any(String),
  });
  expect((await call("get_session_transcript", { session })).text).toContain("It shipped on 15 March");
  expect((await call("read_session_channel", { session, io: "in" })).text).toContain("4821");
  const again = await call("follow_session", { session, after: 0 });
  expect(again.text).toContain("It shipped on 15 March");
  await call("append_session_record", { session, channel: "notes", io: "out", record: { note: name } });
  await call("update_session", { session, metadata: { toured: true } });
  return { session, ticks };
}

async function resources(client: McpClient, run: string, session: string): Promise<void> {
  const listed = (await client.resources()).filter((uri) => uri.startsWith("trigger://"));
  expect(listed).toEqual(["trigger://runs", "trigger://sessions"]);
  expect((await client.templates()).sort()).toEqual([
    "trigger://runs/{runId}",
    "trigger://runs/{runId}/events",
    "trigger://runs/{runId}/spans/{spanId}",
    "trigger://runs/{runId}/trace",
    "trigger://sessions/{session}",
    "trigger://sessions/{session}/channels/{io}",
    "trigger://sessions/{session}/channels/{name}/{io}",
    "trigger://sessions/{session}/transcript",
  ]);
  const [span] = await client.completeResource("trigger://runs/{runId}/spans/{spanId}", "spanId", "", {
    runId: run,
  });
  expect(span).toMatch(/^[0-9a-f]{16}$/);
  const expected: [string, string][] = [
    ["trigger://runs", run],
    ["trigger://sessions", session],
    [`trigger://runs/${run}`, "FAILED"],
    [`trigger://runs/${run}/trace`, "Attempt 1"],
    [`trigger://runs/${run}/events`, "no default card"],
    [`trigger://runs/${run}/spans/${span}`, `${span}`.slice(0, 4)],
    [`trigger://sessions/${session}`, session],
    [`trigger://sessions/${session}/transcript`, "It shipped on 15 March"],
    [`trigger://sessions/${session}/channels/out`, "text-delta"],
    [`trigger://sessions/${session}/channels/notes/out`, "note"],
  ];
  for (const [uri, text] of expected) expect(await client.read(uri), uri).toContain(text);
  expect(await client.completeResource("trigger://runs/{runId}", "runId", run.slice(0, -2))).toContain(run);
  expect(await client.completeResource("trigger://sessions/{session}", "session", session)).toContain(
    session,
  );
}
