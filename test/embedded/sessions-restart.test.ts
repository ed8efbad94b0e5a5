import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type SessionsApp, startSessionsApp } from "../support/sessions-app.ts";
import { dataOf, openEvents } from "../support/sse.ts";

let directory = "";
let app: SessionsApp | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "trigger-mcp-"));
});
afterEach(async () => {
  await app?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<SessionsApp> {
  await app?.close();
  app = await startSessionsApp({ file: join(directory, "trigger.sqlite") });
  return app;
}

const message = (text: string) =>
  JSON.stringify({
    kind: "message",
    payload: {
      chatId: "chat",
      trigger: "submit-message",
      message: { id: `u-${text}`, role: "user", parts: [{ type: "text", text }] },
    },
  });

async function startChat(on: SessionsApp): Promise<string> {
  const { body } = await on.create({ externalId: "chat", taskIdentifier: "support-agent" });
  return String(body.runId);
}

const currentRun = async (on: SessionsApp): Promise<string> => {
  const response = await on.request("GET", "/api/v1/sessions/chat");
  return ((await response.json()) as { currentRunId: string }).currentRunId;
};

/** Follows `.out` until the turn that answers input `seq` is complete. */
async function answered(on: SessionsApp, seq: number): Promise<void> {
  const events = await openEvents(`${on.url}/realtime/v1/sessions/chat/out`, {
    authorization: `Bearer ${on.secretKey}`,
  });
  try {
    for await (const event of events) {
      if (!event.startsWith("event: batch")) continue;
      const headers = dataOf(event).records.map((record) => Object.fromEntries(record.headers ?? []));
      if (headers.some((one) => Number(one["session-in-event-id"] ?? -1) >= seq)) return;
    }
    throw new Error("the stream has ended");
  } finally {
    events.leave();
  }
}

it("answers after a restart what was acknowledged and left unanswered, without waiting for more", async () => {
  const first = await start();
  const firstRun = await startChat(first);
  expect((await first.append("chat", "in", message("where is order 4821?"))).status).toBe(200);
  const second = await start();
  expect(second.engine.runs.find(second.environment.id, firstRun)?.status).toBe("SYSTEM_FAILURE");
  await answered(second, 0);
  expect(await currentRun(second)).not.toBe(firstRun);
});

it("starts no run for a conversation that had been answered", async () => {
  const first = await start();
  const firstRun = await startChat(first);
  await first.append("chat", "in", message("thanks"));
  await answered(first, 0);
  const second = await start();
  expect(await currentRun(second)).toBe(firstRun);
});

it("starts no run for a session that was closed, or whose run somebody had cancelled", async () => {
  const first = await start();
  const firstRun = await startChat(first);
  await first.append("chat", "in", message("thanks"));
  await first.request("POST", "/api/v1/sessions/chat/close", { body: "{}" });
  const second = await start();
  expect(await currentRun(second)).toBe(firstRun);

  const { body } = await second.create({ externalId: "other", taskIdentifier: "support-agent" });
  const run = second.engine.runs.find(second.environment.id, String(body.runId));
  if (run === undefined) throw new Error("no run");
  await second.append("other", "in", message("thanks"));
  second.engine.cancel(run);
  await second.engine.settled(run.friendlyId);
  const third = await start();
  const other = await third.request("GET", "/api/v1/sessions/other");
  expect(await other.json()).toMatchObject({ currentRunId: run.friendlyId });
});
