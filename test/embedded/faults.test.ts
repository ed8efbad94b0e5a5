/** The embedded API with its faults switched on, one request at a time: what a client sees, and what has been done. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { Fault } from "../../src/embedded/faults.ts";
import { startTestApi, type TestApi } from "../support/embedded.ts";

const SESSION = "chat-1";
const OUT = `/realtime/v1/sessions/${SESSION}/out`;

let api: TestApi;
let fault: Fault | undefined;
const happened: string[] = [];

beforeAll(async () => {
  api = await startTestApi({
    idle: true,
    faults: { choose: () => fault, happened: (name) => happened.push(name) },
  });
  await api.ask("/api/v1/sessions", {
    method: "POST",
    body: {
      type: "chat.agent",
      taskIdentifier: "support-agent",
      externalId: SESSION,
      triggerConfig: { basePayload: {} },
    },
  });
  for (const word of ["one", "two", "three"]) await append(word);
});
afterAll(() => api.close());
beforeEach(() => {
  fault = undefined;
  happened.length = 0;
});

const append = (word: string) => api.ask(`${OUT}/append`, { method: "POST", body: word });

const written = async (): Promise<unknown[]> => {
  fault = undefined;
  const { body } = await api.ask(`${OUT}/records`);
  return body.records.map(({ data }: { data: unknown }) => data);
};

/** What of the stream arrives until it breaks or is silent for a moment. */
async function streamed(headers: Record<string, string> = {}) {
  const gone = new AbortController();
  const response = await fetch(api.url + OUT, {
    headers: { authorization: `Bearer ${api.secretKey}`, accept: "text/event-stream", ...headers },
    signal: gone.signal,
  });
  const reader = response.body?.getReader();
  let bytes = 0;
  let text = "";
  let how = "broke off";
  try {
    for (;;) {
      const silence = setTimeout(() => {
        how = "fell silent";
        gone.abort();
      }, 300);
      const piece = await reader?.read();
      clearTimeout(silence);
      if (!piece || piece.done) break;
      bytes += piece.value.length;
      text += Buffer.from(piece.value).toString();
    }
  } catch {}
  return { status: response.status, bytes, text, how };
}

it.each([401, 429, 500, 502])("answers %i without having done anything", async (status) => {
  const before = await written();
  fault = { kind: "refuse", status, headers: { "retry-after": "1" } };
  const answer = await append("refused");
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([status, "1"]);
  expect(happened).toEqual([String(status)]);
  expect(await written()).toEqual(before);
});

it("loses the answer to what it has done", async () => {
  const before = await written();
  fault = { kind: "lose" };
  await expect(append("lost answer")).rejects.toThrow("fetch failed");
  expect(happened).toEqual(["lose"]);
  expect(await written()).toEqual([...before, "lost answer"]);
});

it("takes its time, and others do not wait for it", async () => {
  fault = { kind: "delay", ms: 1_000 };
  const late = append("late");
  await vi.waitFor(() => expect(happened).toEqual(["delay"]));
  fault = undefined;
  await append("soon");
  expect((await late).status).toBe(200);
  expect((await written()).slice(-2)).toEqual(["soon", "late"]);
});

it.each([0, 1, 100])("cuts a stream after %i bytes", async (after) => {
  fault = { kind: "cut", after };
  expect(await streamed()).toMatchObject({ status: 200, bytes: after, how: "broke off" });
  expect(happened).toEqual(["cut"]);
});

it("cuts an answer that is no stream", async () => {
  fault = { kind: "cut", after: 5 };
  await expect(api.ask(`${OUT}/records`)).rejects.toThrow();
  expect(happened).toEqual(["cut"]);
});

it.each([0, 100])("lets a stream fall silent after %i bytes", async (after) => {
  fault = { kind: "stall", after };
  expect(await streamed()).toMatchObject({ status: 200, bytes: after, how: "fell silent" });
  expect(happened).toEqual(["stall"]);
});

it("sends records again that have been read", async () => {
  const resumed = { "last-event-id": "2" };
  fault = undefined;
  expect((await streamed(resumed)).text).not.toContain("two");
  fault = { kind: "repeat", records: 2 };
  const { text } = await streamed(resumed);
  expect(text).toContain("two");
  expect(text).not.toContain("one");
  expect(happened).toEqual(["repeat"]);
  expect((await streamed()).text).toContain("one");
  expect(happened).toEqual(["repeat"]);
});

it("does what it is asked to when nothing is chosen, and when the answer is shorter than the fault", async () => {
  expect((await streamed()).text).toContain("three");
  fault = { kind: "cut", after: 1_000_000 };
  expect((await api.ask(`${OUT}/records`)).status).toBe(200);
  expect(happened).toEqual([]);
});
