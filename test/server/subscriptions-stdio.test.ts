/** Subscriptions as real clients of both protocol eras have them over stdio: the server from source, on the embedded API behind a tap. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CLIENTS, type ClientKind, type McpClient, overStdio } from "../support/clients.ts";
import { closing } from "../support/closing.ts";
import { startWatchedApi, type WatchedApi } from "../support/watched-api.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

let api: WatchedApi;
const closed = closing();

beforeAll(async () => {
  api = await startWatchedApi();
});
afterAll(() => api.close());

async function connect(kind: ClientKind): Promise<McpClient> {
  const env = { TRIGGER_API_URL: api.tap.url, TRIGGER_SECRET_KEY: api.secretKey };
  const client = await overStdio(kind, ["--import", "tsx", MAIN], env);
  closed(client);
  return client;
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 40_000, interval: 10 });

async function toldOf(client: McpClient, uri: string, change: () => Promise<unknown>): Promise<void> {
  const told = () => client.updates.filter((one) => one === uri).length;
  const before = told();
  await change();
  await until(() => expect(told()).toBeGreaterThan(before));
}

describe.each(CLIENTS)("a client: %s", (kind) => {
  it("is told of changes, and what it started ends with its last subscription", async () => {
    const client = await connect(kind);
    const [session, run] = [await api.session(), await api.run()];
    const at = `trigger://sessions/${session}`;
    const [transcript, out, notes] = [`${at}/transcript`, `${at}/channels/out`, `${at}/channels/notes/out`];
    const trace = `trigger://runs/${run}/trace`;
    const listening = await client.listen([transcript, out, notes, trace]);
    expect(listening).toMatchObject({ honoured: [transcript, out, notes, trace], refusals: [] });
    const stream = (channel: string) => `/realtime/v1/sessions/${session}/${channel}`;
    const streams = [stream("channels/notes/out"), stream("in"), stream("out")];
    expect(api.streams()).toEqual(streams);
    expect(client.updates).toEqual([]);

    await toldOf(client, transcript, () => api.append(session, "in", "hello"));
    await toldOf(client, out, () => api.append(session, "out", "hi"));
    await toldOf(client, notes, () => api.append(session, "notes/out", "aside"));
    await toldOf(client, trace, () => api.ask("POST", `/api/v2/runs/${run}/cancel`, {}));

    const another = await client.listen([notes]);
    expect(api.streams()).toEqual(streams);
    await listening.end();
    if (kind === "v2 of the 2026 era") {
      await until(() => expect(api.streams()).toEqual([stream("channels/notes/out")]));
      await toldOf(client, notes, () => api.append(session, "notes/out", "to the other"));
      await another.end();
    }
    await until(() => expect(api.streams()).toEqual([]));
    expect(client.errors).toEqual([]);
  }, 60_000);

  it("gets a clear answer for what names nothing, and takes its streams with it when it goes", async () => {
    const client = await connect(kind);
    const good = `trigger://sessions/${await api.session()}/channels/out`;
    const bad = ["trigger://nothing", "trigger://sessions/chat-nobody/transcript"];
    const { honoured, refusals } = await client.listen([...bad, good]);
    expect(honoured).toEqual([good]);
    if (kind !== "v2 of the 2026 era") expect(refusals).toHaveLength(bad.length);
    expect(api.streams()).toHaveLength(1);
    await client.close();
    await until(() => expect(api.streams()).toEqual([]));
  }, 60_000);
});
