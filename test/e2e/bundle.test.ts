/** The built bundle on the embedded API, driven by the real clients of both protocol eras over both transports. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TOOL_NAMES } from "../../src/domain/calls.ts";
import { BUNDLE, type Running, running } from "../support/bundle.ts";
import { CLIENTS, type ClientKind, type McpClient, overHttp, overStdio } from "../support/clients.ts";
import { tour } from "./tour.ts";

let server: Running;
let url = "";
const env: Record<string, string> = {};

beforeAll(async () => {
  server = await running(["http", "--embedded", "--ephemeral", "--port", "0"], /Ctrl-C stops it/);
  url = /serves MCP at (\S+)/.exec(server.printed)?.[1] ?? "";
  for (const name of ["TRIGGER_API_URL", "TRIGGER_SECRET_KEY"]) {
    env[name] = new RegExp(`${name}=(\\S+)`).exec(server.printed)?.[1] ?? "";
  }
});

afterAll(async () => {
  expect(await server.end()).toBe(0);
});

const TRANSPORTS: Record<string, (kind: ClientKind) => Promise<McpClient>> = {
  HTTP: (kind) => overHttp(kind, url),
  stdio: (kind) => overStdio(kind, [BUNDLE], env),
};

describe.each(Object.entries(TRANSPORTS))("over %s", (transport, connect) => {
  it.each(
    CLIENTS,
  )("a %s client drives every tool, resource and prompt, and sees a turn stream", async (kind) => {
    const client = await connect(kind);
    try {
      expect((await client.tools()).map(({ name }) => name)).toEqual([...TOOL_NAMES]);
      const { called, ticks } = await tour(client, `${transport} ${kind}`);
      expect([...called].sort()).toEqual([...TOOL_NAMES].sort());
      expect(ticks.length).toBeGreaterThan(1);
      const numbers = ticks.map(({ progress }) => progress);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      for (const { message = "" } of ticks) expect(message.length).toBeLessThanOrEqual(200);
      expect(ticks.some(({ message }) => message?.includes("15 March"))).toBe(true);
    } finally {
      await client.close();
    }
  });
});
