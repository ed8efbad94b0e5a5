/** One tool call on the embedded API, against a bare echo tool plus the same HTTP request made by hand. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { build } from "esbuild";
import { request } from "undici";
import { interleaved, median, ms, type Row } from "./measure.ts";

/**
 * Blocks of calls of one kind take turns: a call now and then would measure how fast the machine wakes up. The first
 * blocks only let all three be compiled. All of it stays below the 750 requests the API answers before it limits them.
 */
const BLOCK = 10;
const WARM_UP = 20;
const ROUNDS = 15;
const ECHO = fileURLToPath(new URL("../node_modules/.cache/trigger-mcp/echo-server.js", import.meta.url));

async function connect(args: string[], env: Record<string, string>): Promise<Client> {
  const client = new Client({ name: "bench", version: "1" });
  const server = { command: process.execPath, args, env: { PATH: process.env.PATH ?? "", ...env } };
  await client.connect(new StdioClientTransport(server));
  return client;
}

interface DevApi {
  url: string;
  key: string;
  end(): Promise<void>;
}

async function devApi(bundle: string): Promise<DevApi> {
  const child = spawn(process.execPath, [bundle, "dev-api", "--ephemeral", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  let printed = "";
  while (!printed.includes("Ctrl-C")) printed += String((await once(child.stdout, "data"))[0]);
  const read = (name: string): string => new RegExp(`${name}=(\\S+)`).exec(printed)?.[1] ?? "";
  return {
    url: read("TRIGGER_API_URL"),
    key: read("TRIGGER_SECRET_KEY"),
    async end() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}

/** Median milliseconds of a block of calls, one after another. */
async function block(work: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let call = 0; call < BLOCK; call += 1) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  return median(took);
}

export async function oneCall(bundle: string): Promise<Row> {
  await build({
    entryPoints: [fileURLToPath(new URL("./echo-server.ts", import.meta.url))],
    outfile: ECHO,
    bundle: true,
    platform: "node",
    format: "esm",
    minify: true,
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  const api = await devApi(bundle);
  const headers = { authorization: `Bearer ${api.key}`, "x-trigger-api-version": "2025-07-16" };
  const ours = await connect([bundle], { TRIGGER_API_URL: api.url, TRIGGER_SECRET_KEY: api.key });
  const echo = await connect([ECHO], {});
  const text = "run ".repeat(40);

  const raw = async (path: string): Promise<unknown> =>
    (await request(`${api.url}${path}`, { headers })).body.json();
  const runs = (await raw("/api/v1/runs?page[size]=100")) as {
    data: { id: string; taskIdentifier: string }[];
  };
  const run = runs.data.find(({ taskIdentifier }) => taskIdentifier === "send-welcome-email")?.id ?? "";
  const measurements = {
    ours: () => block(() => ours.callTool({ name: "get_run", arguments: { run_id: run } })),
    echo: () => block(() => echo.callTool({ name: "echo", arguments: { text } })),
    raw: () => block(() => raw(`/api/v3/runs/${run}`)),
  };
  await interleaved(WARM_UP, measurements);
  const took = await interleaved(ROUNDS, measurements);
  await Promise.all([ours.close(), echo.close()]);
  await api.end();

  const compared = took.echo + took.raw;
  const ratio = took.ours / compared;
  return {
    what: "one tool call (get_run), p50",
    measured: ms(took.ours),
    comparedWith: `echo tool ${ms(took.echo)} + raw request ${ms(took.raw)}`,
    ratio,
    target: "at most 1.3",
    met: ratio <= 1.3,
  };
}
