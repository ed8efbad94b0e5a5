import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport } from "@modelcontextprotocol/server";
import { describe, expect, it } from "vitest";
import type { ResourceDefinition } from "../../src/resources/define.ts";
import { createServer } from "../../src/server/register.ts";
import { Subscriptions } from "../../src/server/subscriptions.ts";
import { aService } from "../support/service.ts";

/** A resource whose text a test changes, and that counts who reads it. */
function changing() {
  const state = { text: "one", reads: 0, onRead: () => {} };
  const resource: ResourceDefinition = {
    name: "run_trace",
    title: "Trace",
    description: "A trace.",
    uri: "trigger://runs/{runId}/trace",
    permission: { action: "read", type: "runs" },
    async read(_, { view }) {
      state.reads += 1;
      state.onRead();
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

async function connected(resource: ResourceDefinition) {
  const service = aService({ resources: [resource] });
  const subscriptions = new Subscriptions(service, { everyMs: 1, mostMs: 4 });
  const connect = async () => {
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    await createServer(service, subscriptions).connect(ours);
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

describe("a subscription", () => {
  it("tells a change, and nothing while nothing changes", async () => {
    const { state, resource, read } = changing();
    const { connect } = await connected(resource);
    const { client, updates, updated } = await connect();
    const first = read();
    await client.subscribeResource({ uri: URI });
    await first;
    await read();
    await read();
    expect(updates).toEqual([]);
    const change = updated();
    state.text = "two";
    await change;
    expect(updates).toEqual([URI]);
    await client.close();
  });

  it("is read once for all who subscribed, and no longer when the last one left or went away", async () => {
    const { resource } = changing();
    const { connect, subscriptions } = await connected(resource);
    const [one, two] = [await connect(), await connect()];
    await one.client.subscribeResource({ uri: URI });
    await two.client.subscribeResource({ uri: URI });
    expect(subscriptions.size).toBe(1);
    await one.client.unsubscribeResource({ uri: URI });
    expect(subscriptions.size).toBe(1);
    await two.client.close();
    expect(subscriptions.size).toBe(0);
    await one.client.close();
  });

  it("to something that is no resource watches nothing", async () => {
    const { resource } = changing();
    const { connect, subscriptions } = await connected(resource);
    const { client } = await connect();
    await client.subscribeResource({ uri: "test://elsewhere" });
    expect(subscriptions.size).toBe(0);
    await client.close();
  });

  it("survives failing reads", async () => {
    const { state, resource, read } = changing();
    const failing = { ...resource, read: resource.read };
    let failures = 3;
    failing.read = async (...args) => {
      if (failures > 0) {
        failures -= 1;
        throw new Error("upstream is down");
      }
      return resource.read(...args);
    };
    const { connect } = await connected(failing);
    const { client, updated } = await connect();
    const first = read();
    await client.subscribeResource({ uri: URI });
    await first;
    const change = updated();
    state.text = "two";
    await change;
    await client.close();
  });
});
