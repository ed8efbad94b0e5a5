import { describe, expect, it } from "vitest";
import { TriggerError } from "../../src/domain/errors.ts";
import type { Session, SessionListQuery } from "../../src/domain/session.ts";
import getSession from "../../src/tools/get-session.ts";
import listSessions from "../../src/tools/list-sessions.ts";
import readSessionChannel from "../../src/tools/read-session-channel.ts";
import { tokens } from "../../src/views/tokens.ts";
import { apiWith, aRun, aSession } from "../support/api.ts";
import { answer, data, records, START, says, tokenFor, turnComplete } from "../support/channel.ts";
import { callTool } from "../support/tools.ts";

const NOW = START + 3_600_000;
const setting = { context: { now: () => NOW } };

const session = (rest: Partial<Session> = {}): Session =>
  aSession({ id: "session_cm4z2plfh000abcd1efghij2", updatedAt: START + 1000, ...rest });

describe("list_sessions", () => {
  const listing = (items: Session[], next?: string) => {
    const asked: SessionListQuery[] = [];
    const api = apiWith({
      sessions: {
        list: async (query) => {
          asked.push(query);
          return { items, ...(next !== undefined && { next }) };
        },
      },
    });
    return { api, asked };
  };

  it("tells rows with what is the same said once, and how to go on", async () => {
    const items = [session(), session({ id: "session_2", externalId: "chat-80", closedAt: START + 5 })];
    const { api, asked } = listing(items, "c2");
    const { text, structured } = await callTool(listSessions, { task: "support-agent" }, api, setting);
    expect(text).toContain("sessions in dev · task support-agent · 2 shown, more exist · newest first");
    expect(text).toMatch(/chat-81 +ACTIVE +1h/);
    expect(text).toContain('next list_sessions {"task":"support-agent","cursor":"c2"}');
    expect(structured).toMatchObject({
      sessions: [
        { id: session().id, external_id: "chat-81", status: "ACTIVE" },
        { id: "session_2", status: "CLOSED" },
      ],
      cursor: "c2",
    });
    expect(asked).toEqual([{ task: "support-agent", limit: 25 }]);
  });

  it("sends dates as epoch milliseconds, and refuses what is no date or period", async () => {
    const { api, asked } = listing([]);
    await callTool(listSessions, { from: "2026-08-20T10:00:00Z", status: "CLOSED" }, api, setting);
    expect(asked[0]).toMatchObject({ from: START, status: "CLOSED" });
    await expect(callTool(listSessions, { from: "yesterday" }, api)).rejects.toThrow('"from" takes');
    await expect(callTool(listSessions, { period: "a week" }, api)).rejects.toThrow('"period" takes');
  });

  it("explains an empty answer", async () => {
    const { text } = await callTool(listSessions, { status: "EXPIRED" }, listing([]).api, setting);
    expect(text).toContain("status EXPIRED · 0 sessions");
    expect(text).toContain("next list_sessions {}");
  });
});

describe("get_session", () => {
  const api = (rest: Partial<Session> = {}, inputs = [says(0, "where is it?")]) =>
    apiWith({
      sessions: { retrieve: async () => session(rest) },
      runs: { retrieve: async (id) => aRun({ id, status: "WAITING" }) },
      channels: {
        records: async ({ io }) =>
          io === "in"
            ? inputs
            : [...records(0, answer("There.")), turnComplete(9, 0, { token: tokenFor("run_1") })],
      },
    });

  it("tells status, run, both channels, and that everything is answered", async () => {
    const { text, structured } = await callTool(getSession, { session: "chat-81" }, api(), setting);
    expect(text).toContain(`chat-81 (${session().id}) · support-agent · chat.agent · ACTIVE · dev`);
    expect(text).toContain("run    run_1 WAITING");
    expect(text).toContain(".out   records 0 to 9 · turn 1 completed 59m ago (record 9)");
    expect(text).toContain("everything answered");
    expect(structured).toMatchObject({
      session: "chat-81",
      status: "ACTIVE",
      run_id: "run_1",
      run_status: "WAITING",
      out_cursor: "9",
      in_cursor: "0",
      turn_open: false,
      turns: 1,
      unanswered: [],
    });
  });

  it("names the input nobody answered", async () => {
    const asked = [says(0, "where is it?"), says(1, "cancel it")];
    const { text, structured } = await callTool(getSession, { session: "chat-81" }, api({}, asked), setting);
    expect(text).toContain("1 input NOT answered:");
    expect(text).toContain('1  10:00:00  message "cancel it"');
    expect(text).toContain('follow_session {"session":"chat-81","after":"9"}');
    expect(structured).toMatchObject({ unanswered: [{ seq: 1, kind: "message" }] });
  });

  it("derives CLOSED and EXPIRED, and says why and when", async () => {
    const closed = await callTool(
      getSession,
      { session: "x" },
      api({ closedAt: NOW - 60_000, closedReason: "finished\u001b[31m" }),
      setting,
    );
    expect(closed.text).toContain("closed 1m ago: finished");
    expect(closed.text).not.toContain("\u001b");
    const expired = await callTool(getSession, { session: "x" }, api({ expiresAt: NOW - 1000 }), setting);
    expect(expired.structured.status).toBe("EXPIRED");
  });

  it("answers without the run's state when it may not be read", async () => {
    const plan = api();
    const refusing = {
      ...plan,
      runs: apiWith({
        runs: {
          retrieve: async () => {
            throw new TriggerError("forbidden", "no");
          },
        },
      }).runs,
    };
    const { text } = await callTool(getSession, { session: "chat-81" }, refusing, setting);
    expect(text).toContain("run_1 · state not read (forbidden)");
  });

  it("keeps to its budget however much is unanswered", async () => {
    const asked = Array.from({ length: 300 }, (_, n) => says(n + 1, "please ".repeat(50)));
    const { text } = await callTool(getSession, { session: "chat-81" }, api({}, asked), {
      ...setting,
      budget: 400,
    });
    expect(tokens(text)).toBeLessThanOrEqual(400);
    expect(text).toMatch(/shown \d+ of 300 unanswered inputs: read_session_channel/);
  });
});

describe("read_session_channel", () => {
  const reading = (
    all = [...records(0, answer("Hello world")), turnComplete(20, 0, { token: tokenFor("run_1") })],
  ) =>
    apiWith({
      channels: { records: async (_, after) => all.filter(({ seq = 0 }) => seq > (after ?? -1)) },
    });

  it("tells records as rows, and never a token", async () => {
    const { text, structured } = await callTool(
      readSessionChannel,
      { session: "chat-81" },
      reading(),
      setting,
    );
    expect(text).toContain("chat-81 .out · from the earliest that survives · 9 records · dev");
    expect(text).toContain('3  10:00:00  text-delta  {"type":"text-delta","id":"t1","delta":"Hello "}');
    expect(text).toContain('20  10:00:02  turn-complete  {"session-in-event-id":"0"}');
    expect(text).not.toContain(tokenFor("run_1"));
    expect(text).toContain("end of what is there now");
    expect(structured).toMatchObject({ cursor: "20", shown: 9, more: 0 });
  });

  it("reads everything once, whatever the budget and the limit", async () => {
    const all = Array.from({ length: 120 }, (_, n) => data(n, { n, text: "word ".repeat((n * 7) % 90) }));
    const api = reading(all);
    const seen: number[] = [];
    let after: string | undefined;
    for (let page = 0; page < 200; page += 1) {
      const args = { session: "a long name ".repeat(20), limit: 30, ...(after !== undefined && { after }) };
      const { text, structured } = await callTool(readSessionChannel, args, api, { ...setting, budget: 300 });
      expect(tokens(text)).toBeLessThanOrEqual(300);
      seen.push(...[...text.matchAll(/^(\d+) {2}\d\d:/gm)].map((match) => Number(match[1])));
      after = structured.cursor as string;
      if (structured.more === 0) break;
    }
    expect(seen).toEqual(all.map(({ seq }) => seq));
  });

  it("shows one record whole where there is room", async () => {
    const api = reading([data(0, { text: "x".repeat(1500) })]);
    const { text } = await callTool(readSessionChannel, { session: "s", limit: 1 }, api, setting);
    expect(text).toContain("x".repeat(1500));
  });
});
