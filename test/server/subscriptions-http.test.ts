/** Subscriptions as real clients of both protocol eras have them over HTTP, on the embedded API behind a tap. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { compose } from "../../src/compose.ts";
import { digest } from "../../src/config/load.ts";
import type { HttpSettings, Settings } from "../../src/config/settings.ts";
import type { ResourceDefinition } from "../../src/resources/define.ts";
import { type SubscriptionTiming, TIMING } from "../../src/server/subscriptions/index.ts";
import { serveOverHttp } from "../../src/server/transports/http.ts";
import { CLIENTS, type ClientKind, type McpClient, overHttp } from "../support/clients.ts";
import { closing } from "../support/closing.ts";
import { aService, LOCAL_HTTP } from "../support/service.ts";
import { startWatchedApi, type WatchedApi } from "../support/watched-api.ts";

let api: WatchedApi;
const closed = closing();

beforeAll(async () => {
  api = await startWatchedApi();
});
afterAll(() => api.close());

const QUICK: SubscriptionTiming = { ...TIMING, everyMs: 100, mostMs: 400, paceMs: 50 };

interface Serving {
  timing?: SubscriptionTiming;
  http?: Partial<HttpSettings>;
  token?: string;
}

async function serve({ timing = QUICK, http = {}, token = api.secretKey }: Serving = {}): Promise<string> {
  const settings: Settings = {
    targets: [{ name: "dev", apiUrl: api.tap.url, token, embedded: false }],
    http: { ...LOCAL_HTTP, ...http },
    readOnly: true,
    toolsets: ["runs", "sessions", "insight"],
    logLevel: "silent",
    redact: true,
    redactEmails: false,
  };
  const composition = await compose(settings);
  closed(composition);
  const server = await serveOverHttp(composition.service, settings.http, { subscriptions: timing });
  closed(server);
  return server.url;
}

async function connect(kind: ClientKind, url: string, headers?: Record<string, string>): Promise<McpClient> {
  const client = await overHttp(kind, url, headers);
  closed(client);
  return client;
}

const until = (condition: () => void | Promise<void>, timeout = 20_000) =>
  vi.waitFor(condition, { timeout, interval: 10 });

/** The next keep-alive notices a connection that is gone as well, if later: every 15 s. */
const BEFORE_KEEP_ALIVE_MS = 10_000;

/** Waits until the client has been told of the URI once more than it had been before `change`. */
async function toldOf(client: McpClient, uri: string, change: () => Promise<unknown>): Promise<void> {
  const told = () => client.updates.filter((one) => one === uri).length;
  const before = told();
  await change();
  await until(() => expect(told()).toBeGreaterThan(before));
}

const asked = (path: string): number => api.tap.asked.filter((name) => name === `GET ${path}`).length;

const watched = async (url: string): Promise<number> => {
  const metrics = await (await fetch(new URL("/metrics", url))).text();
  return Number(/^trigger_mcp_watched_resources (\d+)$/m.exec(metrics)?.[1]);
};

describe.each(CLIENTS)("a client: %s", (kind) => {
  it("is told when a transcript, a channel, a named channel or a run's trace changes", async () => {
    const client = await connect(kind, await serve());
    const [session, run] = [await api.session(), await api.run()];
    const at = `trigger://sessions/${session}`;
    const [transcript, out, notes] = [`${at}/transcript`, `${at}/channels/out`, `${at}/channels/notes/out`];
    const trace = `trigger://runs/${run}/trace`;
    const listening = await client.listen([transcript, out, notes, trace]);
    expect(listening).toMatchObject({ honoured: [transcript, out, notes, trace], refusals: [] });

    await toldOf(client, transcript, () => api.append(session, "in", "hello"));
    await toldOf(client, out, () => api.append(session, "out", "hi"));
    await toldOf(client, transcript, () => api.append(session, "out", "hi again"));
    await toldOf(client, notes, () => api.append(session, "notes/out", "aside"));
    await toldOf(client, trace, () => api.ask("POST", `/api/v2/runs/${run}/cancel`, {}));
    expect(client.errors).toEqual([]);
  });

  it("is told nothing of what was there before, nor of other resources", async () => {
    const client = await connect(kind, await serve());
    const session = await api.session();
    const notes = (name: string) => `trigger://sessions/${session}/channels/${name}/out`;
    for (let record = 0; record < 20; record += 1) await api.append(session, "old/out", "old");
    await client.listen([notes("old"), notes("new")]);
    await toldOf(client, notes("new"), () => api.append(session, "new/out", "new"));
    await api.append(session, "other/out", "other");
    await toldOf(client, notes("new"), () => api.append(session, "new/out", "new"));
    // Of the 2025 era's stream, which opens by itself, it cannot be known whether it was there from the beginning.
    const first = kind === "v2 of the 2026 era" ? 0 : 1;
    expect(client.updates.filter((uri) => uri === notes("old")).length).toBeLessThanOrEqual(first);
    expect(new Set(client.updates)).not.toContain(notes("other"));
  });

  it("is told little of a burst, and after its end once more", async () => {
    const client = await connect(kind, await serve({ timing: TIMING }));
    const session = await api.session();
    const uri = `trigger://sessions/${session}/channels/burst/out`;
    await client.listen([uri]);
    const began = performance.now();
    for (let record = 0; record < 500; record += 1)
      await api.append(session, "burst/out", `record ${record}`);
    // Who reads at every update, and only then, must come to see the last record.
    let read = 0;
    let text = "";
    await until(async () => {
      expect(client.updates.length).toBeGreaterThan(read);
      read = client.updates.length;
      text = await client.read(uri);
      expect(text).toContain("record 499");
    });
    const seconds = (performance.now() - began) / 1_000;
    expect(client.updates.length).toBeLessThanOrEqual(2 + seconds);
  });

  it("loses no update when the stream upstream breaks", async () => {
    const client = await connect(kind, await serve());
    const session = await api.session();
    const uri = `trigger://sessions/${session}/channels/notes/out`;
    const path = `/realtime/v1/sessions/${session}/channels/notes/out`;
    await client.listen([uri]);
    await toldOf(client, uri, () => api.append(session, "notes/out", "one"));
    await toldOf(client, uri, async () => {
      const before = asked(path);
      api.tap.cut();
      await api.append(session, "notes/out", "two");
      await until(() => expect(asked(path)).toBeGreaterThan(before));
      api.tap.mend();
    });
  });

  it("stops what it started: by unsubscribing, and by going away", async () => {
    const url = await serve({ timing: { ...QUICK, unheardMs: 100 } });
    const [session, run, other] = [await api.session(), await api.run(), await api.run()];
    const uris = [`trigger://sessions/${session}/transcript`, `trigger://runs/${run}/trace`];
    const client = await connect(kind, url);
    const reads = (id: string) => asked(`/api/v1/runs/${id}/trace`);
    const nothing = async () => {
      expect(api.streams()).toEqual([]);
      expect(await watched(url)).toBe(0);
    };

    const listening = await client.listen(uris);
    await until(() => expect(api.streams()).toHaveLength(2));
    await listening.end();
    await until(nothing);

    const clock = await client.listen([`trigger://runs/${other}/trace`]);
    const [before, ticks] = [reads(run), reads(other)];
    await until(() => expect(reads(other)).toBeGreaterThan(ticks + 2));
    expect(reads(run)).toBe(before);
    await clock.end();

    const again = await client.listen(uris);
    expect(again.honoured).toEqual(uris);
    await until(() => expect(api.streams()).toHaveLength(2));
    await client.close();
    await until(nothing);
  });

  it("gets a clear answer for what names nothing, and the server lives", async () => {
    const client = await connect(kind, await serve());
    const session = await api.session();
    const good = `trigger://sessions/${session}/channels/out`;
    const bad = [
      "trigger://nothing",
      "nonsense",
      "trigger://sessions/%E0%A4%A/transcript",
      "trigger://sessions/chat-nobody/transcript",
      "trigger://sessions/session_nobody/channels/out",
      `trigger://sessions/${session}/channels/sideways`,
      `trigger://sessions/${session}/channels/${"n".repeat(200)}/out`,
      "trigger://runs/run_nobody/trace",
    ];
    const { honoured, refusals } = await client.listen([...bad, good]);
    expect(honoured).toEqual([good]);
    if (kind !== "v2 of the 2026 era") {
      expect(refusals).toHaveLength(bad.length);
      for (const refusal of refusals) expect(refusal).toMatchObject({ code: -32_602 });
    }
    expect(asked("/realtime/v1/sessions/chat-nobody/out")).toBe(0);
    await toldOf(client, good, () => api.append(session, "out", "still here"));
  });

  it("is refused what cannot be read for now", async () => {
    const client = await connect(kind, await serve());
    const uri = `trigger://sessions/${await api.session()}/transcript`;
    api.tap.cut();
    const refused = await client.listen([uri]);
    api.tap.mend();
    expect(refused.honoured).toEqual([]);
    if (kind !== "v2 of the 2026 era") expect(refused.refusals[0]?.message).toContain("could not be reached");
    expect((await client.listen([uri])).honoured).toEqual([uri]);
  }, 60_000);
});

describe("however many listen", () => {
  it("each channel has one stream upstream, and a trace is read once", async () => {
    const url = await serve({ timing: TIMING });
    const [session, run] = [await api.session(), await api.run()];
    const transcript = `trigger://sessions/${session}/transcript`;
    const out = `trigger://sessions/${session}/channels/out`;
    const trace = `trigger://runs/${run}/trace`;
    const clients = await Promise.all([...CLIENTS, ...CLIENTS].map((kind) => connect(kind, url)));
    const listenings = await Promise.all(clients.map((client) => client.listen([transcript, trace])));
    // Twice on one connection, and another resource on the same channel.
    for (const client of clients) listenings.push(await client.listen([out, transcript]));

    const channel = (io: string) => `/realtime/v1/sessions/${session}/${io}`;
    expect(api.streams()).toEqual([channel("in"), channel("out")]);
    expect([asked(channel("in")), asked(channel("out"))]).toEqual([1, 1]);
    expect(asked(`/api/v1/runs/${run}/trace`)).toBe(1);
    await Promise.all(
      clients.map((client) => toldOf(client, transcript, async () => api.append(session, "out", "for all"))),
    );

    for (const listening of listenings.slice(1)) await listening.end();
    await Promise.all(clients.slice(1).map((client) => client.close()));
    expect(api.streams()).toEqual([channel("in"), channel("out")]);
    await listenings[0]?.end();
    await until(() => expect(api.streams()).toEqual([]));
    expect([asked(channel("in")), asked(channel("out"))]).toEqual([1, 1]);
  });

  it("a session that is asked for by both of its ids has one stream of each channel", async () => {
    const client = await connect("v1", await serve({ timing: TIMING }));
    const session = await api.session();
    const { id } = await api.ask("GET", `/api/v1/sessions/${session}`);
    const [byName, byId] = [session, id].map((one) => `trigger://sessions/${one}/transcript`) as [
      string,
      string,
    ];
    await client.listen([byName]);
    await client.listen([byId]);
    expect(api.streams()).toHaveLength(2);
    await toldOf(client, byId, () => api.append(session, "out", "for both"));
    await until(() => expect(client.updates).toContain(byName));
  });

  it("a listen of the 2026 era is told once per change, though others listen on the same handler", async () => {
    const url = await serve({ timing: TIMING });
    const session = await api.session();
    const uri = `trigger://sessions/${session}/channels/notes/out`;
    const clients = await Promise.all([1, 2, 3].map(() => connect("v2 of the 2026 era", url)));
    for (const client of clients) await client.listen([uri]);
    await api.append(session, "notes/out", "one");
    for (const client of clients) await until(() => expect(client.updates).toEqual([uri]));
    await api.append(session, "notes/out", "two");
    for (const client of clients) await until(() => expect(client.updates).toEqual([uri, uri]));
  });
});

describe("the stream of a 2025 session", () => {
  const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const rpc = (url: string, headers: Record<string, string>, method: string, params: object, id?: number) =>
    fetch(url, {
      method: "POST",
      headers: { ...HEADERS, ...headers },
      body: JSON.stringify({ jsonrpc: "2.0", method, params, ...(id !== undefined && { id }) }),
    });

  it("can be opened again at once after it broke, and what changed meanwhile is told", async () => {
    const url = await serve({ timing: { ...QUICK, unheardMs: 50 } });
    const session = await api.session();
    const uri = `trigger://sessions/${session}/channels/notes/out`;
    const clientInfo = { name: "t", version: "1" };
    const initialize = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const opened = await rpc(url, {}, "initialize", initialize, 1);
    await opened.text();
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    const listen = async () => {
      const gone = new AbortController();
      const response = await fetch(url, {
        headers: { accept: "text/event-stream", ...headers },
        signal: gone.signal,
      });
      return { response, gone };
    };

    const first = await listen();
    expect((await listen()).response.status).toBe(409);
    await (await rpc(url, headers, "resources/subscribe", { uri }, 2)).text();
    expect(await watched(url)).toBe(1);
    first.gone.abort();
    await until(async () => expect(await watched(url)).toBe(0), BEFORE_KEEP_ALIVE_MS);
    expect(api.streams()).toEqual([]);
    await api.append(session, "notes/out", "while nobody heard");

    const second = await listen();
    expect(second.response.status).toBe(200);
    const reader = second.response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
      text += part.value;
      if (text.includes(uri)) break;
    }
    expect(text).toContain(uri);
    expect(await watched(url)).toBe(1);
    second.gone.abort();
  });
});

describe("a listen of the 2026 era", () => {
  it("that goes away while its resource is being looked for takes the search with it", async () => {
    let began = () => {};
    const reading = new Promise<void>((resolve) => {
      began = resolve;
    });
    let signal = AbortSignal.abort();
    const hanging: ResourceDefinition = {
      name: "run",
      title: "A run",
      description: "One run.",
      uri: "trigger://runs/{runId}",
      permission: { action: "read", type: "runs" },
      read: (_, context) => {
        signal = context.signal;
        began();
        return new Promise(() => {});
      },
    };
    const server = await serveOverHttp(aService({ resources: [hanging] }), LOCAL_HTTP);
    closed(server);
    const client = await connect("v2 of the 2026 era", server.url);
    const listening = client.listen(["trigger://runs/run_a"]).catch((error) => error);
    await reading;
    expect(signal.aborted).toBe(false);
    await client.close();
    await until(() => expect(signal.aborted).toBe(true), BEFORE_KEEP_ALIVE_MS);
    expect(await watched(server.url)).toBe(0);
    expect(await listening).toBeInstanceOf(Error);
  });
});

describe("who may listen", () => {
  it("with keys, only who has one", async () => {
    const key = "0123456789abcdef";
    const url = await serve({ http: { auth: "keys", keyDigests: [digest(key)] } });
    const uri = `trigger://sessions/${await api.session()}/transcript`;
    const body = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen" };
    const before = api.tap.asked.length;
    const refused = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer nonsense" },
      body: JSON.stringify({ ...body, params: { notifications: { resourceSubscriptions: [uri] } } }),
    });
    expect(refused.status).toBe(401);
    expect(api.tap.asked.length).toBe(before);
    for (const kind of CLIENTS) {
      const client = await connect(kind, url, { Authorization: `Bearer ${key}` });
      expect((await client.listen([uri])).honoured).toEqual([uri]);
    }
  });

  it.each(CLIENTS)("with a public token upstream, a %s client hears of what it could read", async (kind) => {
    const [mine, other, run] = [await api.session(), await api.session(), await api.run()];
    const { token } = await api.ask("POST", "/api/v1/auth/public-tokens", {
      scopes: [`read:sessions:${mine}`],
    });
    const client = await connect(kind, await serve({ token }));
    const uri = (session: string) => `trigger://sessions/${session}/channels/out`;
    const { honoured } = await client.listen([uri(mine), uri(other), `trigger://runs/${run}/trace`]);
    expect(honoured).toEqual([uri(mine)]);
    await toldOf(client, uri(mine), () => api.append(mine, "out", "for you"));
  });
});
