/** Subscriptions piece by piece, on hand-made resources and channels. */
import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport, type JSONRPCMessage, type Transport } from "@modelcontextprotocol/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FollowOptions, TriggerApi } from "../../src/client/api.ts";
import { TriggerError } from "../../src/domain/errors.ts";
import type { ChannelItem } from "../../src/domain/record.ts";
import type { ResourceDefinition } from "../../src/resources/define.ts";
import { resources } from "../../src/resources/index.ts";
import { createServer } from "../../src/server/register.ts";
import { MOST_REREAD, Subscriptions, TIMING } from "../../src/server/subscriptions/index.ts";
import { ListeningTransport } from "../../src/server/subscriptions/listen-stdio.ts";
import { Listening } from "../../src/server/subscriptions/listening.ts";
import { paced } from "../../src/server/subscriptions/pace.ts";
import { serveSubscriptions } from "../../src/server/subscriptions/subscribe.ts";
import { apiWith } from "../support/api.ts";
import { data } from "../support/channel.ts";
import { aService, target } from "../support/service.ts";

const QUICK = { ...TIMING, everyMs: 1, mostMs: 4, paceMs: 0 };

/** A resource whose text a test changes, and that counts who reads it. */
function changing() {
  const state = { text: "one", reads: 0, fail: undefined as Error | undefined, onRead: () => {} };
  const resource: ResourceDefinition = {
    name: "run_trace",
    title: "Trace",
    description: "A trace.",
    uri: "trigger://runs/{runId}/trace",
    permission: { action: "read", type: "runs" },
    async read(_, { view }) {
      state.reads += 1;
      state.onRead();
      if (state.fail !== undefined) throw state.fail;
      return `${state.text}, rendered at ${view.now}`;
    },
  };
  const read = () =>
    new Promise<void>((resolve) => {
      state.onRead = resolve;
    });
  return { state, resource, read };
}

const URI = "trigger://runs/run_a/trace";

function served(resource: ResourceDefinition) {
  const service = aService({ resources: [resource] });
  const subscriptions = new Subscriptions(service, QUICK);
  const connect = async () => {
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    const server = createServer(service);
    serveSubscriptions(server, service, subscriptions);
    await server.connect(ours);
    const client = new Client({ name: "t", version: "1" });
    await client.connect(theirs);
    const updates: string[] = [];
    let told = () => {};
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
      updates.push(params.uri);
      told();
    });
    const updated = () =>
      new Promise<void>((resolve) => {
        told = resolve;
      });
    return { client, updates, updated };
  };
  return { subscriptions, connect };
}

describe("what can only be read again", () => {
  it("is told when it changes, and not while it stays as it is", async () => {
    const { state, resource, read } = changing();
    const { client, updates, updated } = await served(resource).connect();
    await client.subscribeResource({ uri: URI });
    expect(state.reads).toBeGreaterThan(0);
    await read();
    await read();
    expect(updates).toEqual([]);
    const change = updated();
    state.text = "two";
    await change;
    expect(updates).toEqual([URI]);
    await client.close();
  });

  it("is read once for all, and no longer when the last one left or went away", async () => {
    const { resource } = changing();
    const { connect, subscriptions } = served(resource);
    const [one, two] = [await connect(), await connect()];
    await one.client.subscribeResource({ uri: URI });
    await one.client.subscribeResource({ uri: URI });
    await two.client.subscribeResource({ uri: URI });
    expect(subscriptions.size).toBe(1);
    await one.client.unsubscribeResource({ uri: URI });
    expect(subscriptions.size).toBe(1);
    await two.client.close();
    expect(subscriptions.size).toBe(0);
    await one.client.close();
  });

  it("survives failing reads, but not a failing first one", async () => {
    const { state, resource, read } = changing();
    const { connect, subscriptions } = served(resource);
    const { client, updated } = await connect();
    state.fail = new TriggerError("forbidden", "no", { status: 403 });
    await expect(client.subscribeResource({ uri: URI })).rejects.toThrow("The credential may not do this");
    expect(subscriptions.size).toBe(0);
    state.fail = undefined;
    await client.subscribeResource({ uri: URI });
    state.fail = new Error("upstream is down");
    await read();
    await read();
    const change = updated();
    state.text = "two";
    state.fail = undefined;
    await change;
    await client.close();
  });

  it("is refused where there is no such resource, and where too many are watched", async () => {
    const { resource } = changing();
    const { connect, subscriptions } = served(resource);
    const { client } = await connect();
    const uri = (index: number) => `trigger://runs/run_${index}/trace`;
    await expect(client.subscribeResource({ uri: "trigger://elsewhere" })).rejects.toMatchObject({
      code: -32_602,
    });
    // Another server's: nothing to tell, nothing to watch.
    await client.subscribeResource({ uri: "test://elsewhere" });
    expect(subscriptions.size).toBe(0);
    for (let index = 0; index < MOST_REREAD; index += 1) await client.subscribeResource({ uri: uri(index) });
    await expect(client.subscribeResource({ uri: uri(MOST_REREAD) })).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringContaining(`At most ${MOST_REREAD}`),
    });

    const listening = new Listening(subscriptions, () => {});
    expect(await listening.honour([uri(MOST_REREAD), uri(0), uri(0)])).toEqual([uri(0)]);
    listening.end();
    await client.unsubscribeResource({ uri: uri(1) });
    await client.subscribeResource({ uri: uri(MOST_REREAD) });
    await client.close();
    expect(subscriptions.size).toBe(0);
  });
});

/** A channel that is followed: what it is asked for, and a way to say what comes. */
function channelApi() {
  const follows: FollowOptions[] = [];
  let say: (item: ChannelItem | Error) => void = () => {};
  const api: TriggerApi = apiWith({
    sessions: { retrieve: async () => ({}) as never },
    channels: {
      async *follow(_, options = {}) {
        follows.push(options);
        const waiting: (ChannelItem | Error)[] = [];
        let wake = () => {};
        say = (item) => {
          waiting.push(item);
          wake();
        };
        options.signal?.addEventListener("abort", () => wake());
        while (!options.signal?.aborted) {
          const item = waiting.shift();
          if (item instanceof Error) throw item;
          if (item !== undefined) yield item;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      },
    },
  });
  return { api, follows, say: (item: ChannelItem | Error) => say(item) };
}

const OUT = "trigger://sessions/chat-1/channels/out";

describe("what has a stream", () => {
  const opened = (api: TriggerApi) => {
    const service = aService({ resources: [...resources], targets: [target("dev", api)] });
    const told: string[] = [];
    const subscriptions = new Subscriptions(service, QUICK);
    return { told, subscriptions, watch: subscriptions.open(OUT, (uri) => told.push(uri)) };
  };

  it("is followed from its end, and goes on at its last record when following fails for good", async () => {
    const { api, follows, say } = channelApi();
    const { told, watch } = opened(api);
    await vi.waitFor(() => expect(follows).toHaveLength(1));
    expect(follows[0]?.after).toBe(Number.MAX_SAFE_INTEGER);
    say({ kind: "caught-up", seq: 7 });
    await watch.ready;
    expect(told).toEqual([]);
    say(new TriggerError("unreachable", "it keeps breaking off", { retryable: true }));
    await vi.waitFor(() => expect(follows).toHaveLength(2));
    expect(follows[1]?.after).toBe(6);
    say(data(7, "new"));
    await vi.waitFor(() => expect(told).toEqual([OUT]));
    say({ kind: "gap", from: 8, to: 11 });
    say(new TriggerError("unreachable", "again"));
    await vi.waitFor(() => expect(follows).toHaveLength(3));
    expect(follows[2]?.after).toBe(11);
    watch.stop();
    expect(follows[2]?.signal?.aborted).toBe(true);
  });

  it("that is empty is followed from the beginning after a break", async () => {
    const { api, follows, say } = channelApi();
    const { watch } = opened(api);
    await vi.waitFor(() => expect(follows).toHaveLength(1));
    say({ kind: "caught-up", seq: 0 });
    await watch.ready;
    say(new TriggerError("unreachable", "broken"));
    await vi.waitFor(() => expect(follows).toHaveLength(2));
    expect(follows[1]).not.toHaveProperty("after");
    watch.stop();
  });

  it("is refused by a server that does not tell where it ends", async () => {
    const { api, follows, say } = channelApi();
    const { subscriptions, watch } = opened(api);
    await vi.waitFor(() => expect(follows).toHaveLength(1));
    say({ kind: "caught-up", seq: Number.MAX_SAFE_INTEGER + 1 });
    await expect(watch.ready).rejects.toMatchObject({ code: "unsupported" });
    expect(subscriptions.size).toBe(0);
  });

  it("is let go of by whoever leaves before it was found", async () => {
    const { api, follows } = channelApi();
    const { subscriptions, watch } = opened(api);
    await vi.waitFor(() => expect(follows).toHaveLength(1));
    watch.stop();
    await expect(watch.ready).rejects.toMatchObject({ code: "cancelled" });
    expect(follows[0]?.signal?.aborted).toBe(true);
    expect(subscriptions.size).toBe(0);
  });
});

describe("the pace", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("tells the first change at once, those soon after it together, and the last one always", () => {
    const tell = vi.fn();
    const pace = paced(1_000, tell);
    pace.poke();
    expect(tell).toHaveBeenCalledTimes(1);
    for (let change = 0; change < 500; change += 1) pace.poke();
    expect(tell).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    expect(tell).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(10_000);
    expect(tell).toHaveBeenCalledTimes(2);
    pace.poke();
    expect(tell).toHaveBeenCalledTimes(3);
    vi.advanceTimersByTime(999);
    pace.poke();
    vi.advanceTimersByTime(1);
    expect(tell).toHaveBeenCalledTimes(4);
  });

  it("tells nothing once it is stopped", () => {
    const tell = vi.fn();
    const pace = paced(1_000, tell);
    pace.poke();
    pace.poke();
    pace.stop();
    vi.advanceTimersByTime(10_000);
    expect(tell).toHaveBeenCalledTimes(1);
  });
});

describe("a listen request over stdio", () => {
  function wired() {
    const { api, follows, say } = channelApi();
    const service = aService({ resources: [...resources], targets: [target("dev", api)] });
    const subscriptions = new Subscriptions(service, QUICK);
    const wire: Transport = {
      start: async () => {},
      send: async () => {},
      close: async () => wire.onclose?.(),
    };
    const transport = new ListeningTransport(wire, subscriptions, () => {});
    const passed: JSONRPCMessage[] = [];
    transport.onmessage = (message) => void passed.push(message);
    const receive = (method: string, params: object, id?: number | string) =>
      wire.onmessage?.({ jsonrpc: "2.0", method, params, ...(id !== undefined && { id }) } as JSONRPCMessage);
    const listen = (id: number | string, uris: string[]) =>
      receive("subscriptions/listen", { notifications: { resourceSubscriptions: uris } }, id);
    return { follows, say, subscriptions, wire, transport, passed, receive, listen };
  }

  it("is passed on with what is honoured, after what came later", async () => {
    const { passed, transport, receive, listen, follows, say } = wired();
    await transport.start();
    listen(0, [OUT, "trigger://nothing"]);
    receive("tools/list", {}, 1);
    expect(passed.map((message) => "id" in message && message.id)).toEqual([1]);
    await vi.waitFor(() => expect(follows).toHaveLength(1));
    say({ kind: "caught-up", seq: 0 });
    await vi.waitFor(() => expect(passed).toHaveLength(2));
    expect(passed[1]).toMatchObject({ params: { notifications: { resourceSubscriptions: [OUT] } } });
  });

  it("that is malformed is passed on as it is", async () => {
    const { passed, transport, receive, subscriptions } = wired();
    await transport.start();
    receive("subscriptions/listen", { notifications: { resourceSubscriptions: [1] } }, 1);
    receive("subscriptions/listen", {}, 2);
    expect(passed).toHaveLength(2);
    expect(subscriptions.size).toBe(0);
  });

  it("that is cancelled before it was found never reaches the server", async () => {
    const { passed, transport, receive, listen, follows, subscriptions } = wired();
    await transport.start();
    listen("a", [OUT]);
    await vi.waitFor(() => expect(follows).toHaveLength(1));
    receive("notifications/cancelled", { requestId: "a" });
    expect(subscriptions.size).toBe(0);
    await vi.waitFor(() => expect(follows[0]?.signal?.aborted).toBe(true));
    await new Promise(setImmediate);
    expect(passed).toEqual([expect.objectContaining({ method: "notifications/cancelled" })]);
  });

  it.each<[string, (at: ReturnType<typeof wired>) => unknown]>([
    ["its answer", ({ transport }) => transport.send({ jsonrpc: "2.0", id: 5, result: {} })],
    [
      "its refusal",
      ({ transport }) => transport.send({ jsonrpc: "2.0", id: 5, error: { code: 1, message: "no" } }),
    ],
    ["its cancellation", ({ receive }) => receive("notifications/cancelled", { requestId: 5 })],
    ["another under its id", ({ listen }) => listen(5, [])],
    ["the end of the connection", ({ wire }) => wire.close()],
  ])("ends with %s", async (_, end) => {
    const at = wired();
    await at.transport.start();
    at.listen(5, [OUT]);
    await vi.waitFor(() => expect(at.follows).toHaveLength(1));
    at.say({ kind: "caught-up", seq: 0 });
    await vi.waitFor(() => expect(at.passed).toHaveLength(1));
    expect(at.subscriptions.size).toBe(1);
    await end(at);
    expect(at.subscriptions.size).toBe(0);
    expect(at.follows[0]?.signal?.aborted).toBe(true);
  });
});
