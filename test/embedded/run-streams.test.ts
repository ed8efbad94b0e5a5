import { ApiClient } from "@trigger.dev/core/v3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/embedded.ts";
import { dataOf, openEvents } from "../support/sse.ts";

describe("streams of a run", () => {
  let api: TestApi;
  let client: ApiClient;
  let run: string;
  let done: string;

  beforeAll(async () => {
    api = await startTestApi();
    client = new ApiClient(api.url, api.secretKey);
    run = await api.trigger("send-welcome-email", {}, { delay: "1h" });
    done = await api.trigger("send-welcome-email", { userId: "u", email: "u@example.com" });
    await api.settled(done);
  });
  afterAll(() => api?.close());

  const mint = async (...scopes: string[]): Promise<string> =>
    (await api.ask("/api/v1/auth/public-tokens", { method: "POST", body: { scopes } })).body.token;

  /** The data of the first records of a stream. */
  async function read(path: string, token: string, headers: Record<string, string> = {}) {
    const events = await openEvents(`${api.url}/realtime/v1/streams/${path}`, {
      authorization: `Bearer ${token}`,
      ...headers,
    });
    try {
      const event = await events.next();
      const data = dataOf(event ?? "").records.map(({ body = "{}" }) => JSON.parse(body).data);
      return { version: events.response.headers.get("x-stream-version"), data };
    } finally {
      events.leave();
    }
  }

  it("carries what the SDK appends to whoever may read the run", async () => {
    expect(await client.appendToStream(run, "self", "progress", '{"step":1}')).toEqual({ ok: true });
    await client.appendToStream(run, "self", "progress", "two");
    const token = await mint(`read:runs:${run}`);
    expect(await read(`${run}/progress`, token)).toEqual({ version: "v2", data: ['{"step":1}', "two"] });
    expect((await read(`${run}/progress`, token, { "last-event-id": "0" })).data).toEqual(["two"]);
    const chunks = await client.fetchStream<unknown>(run, "progress", { timeoutInSeconds: 1 });
    const seen: unknown[] = [];
    for await (const chunk of chunks as unknown as AsyncIterable<unknown>) seen.push(chunk);
    expect(seen).toHaveLength(2);
  });

  it("takes input with the run's own token, which reads it back", async () => {
    const { headers } = await api.ask("/api/v1/tasks/send-welcome-email/trigger", {
      method: "POST",
      body: { options: { delay: "1h" } },
    });
    const token = headers.get("x-trigger-jwt") ?? "";
    const [{ id }] = (await api.ask("/api/v1/runs?page[size]=1")).body.data;
    const own = new ApiClient(api.url, token);
    expect(await own.sendInputStream(id, "answers", { approved: true })).toEqual({ ok: true });
    expect((await read(`${id}/input/answers`, token)).data).toEqual([{ approved: true }]);
    const elsewhere = { method: "POST", body: { data: 1 }, token };
    expect((await api.ask(`/realtime/v1/streams/${run}/input/answers`, elsewhere)).status).toBe(403);
  });

  it("refuses what ended, what is not there, what is too large and who may not write", async () => {
    const append = (id: string, target = "self", body = "x", token = api.secretKey) =>
      api.ask(`/realtime/v1/streams/${id}/${target}/s/append`, { method: "POST", body, token });
    expect(await append("run_none")).toMatchObject({ status: 404, body: undefined });
    expect(await append(run, "parent")).toMatchObject({ status: 404, body: undefined });
    expect(await append(done)).toMatchObject({ status: 400, body: undefined });
    expect((await append(run, "self", "x".repeat(524_289))).status).toBe(413);
    expect((await append(run, "self", "x", await mint("write:runs"))).status).toBe(401);

    const send = (id: string) =>
      api.ask(`/realtime/v1/streams/${id}/input/s`, { method: "POST", body: { data: 1 } });
    expect(await send("run_none")).toMatchObject({
      status: 404,
      body: { ok: false, error: "Run not found" },
    });
    expect(await send(done)).toMatchObject({
      status: 400,
      body: { ok: false, error: "Cannot send to input stream on a completed run" },
    });
    expect((await api.ask("/realtime/v1/streams/run_none/s")).body).toEqual({ error: "Not found" });
  });
});
