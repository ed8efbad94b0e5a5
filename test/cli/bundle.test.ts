import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { TOOL_NAMES } from "../../src/domain/calls.ts";
import { BUNDLE, finished, running } from "../support/bundle.ts";

const KEY = { TRIGGER_SECRET_KEY: "tr_dev_abcdefghijklmnopqrst" };

/** A port on which nothing listens: refused at once. */
const NOWHERE = { ...KEY, TRIGGER_API_URL: "http://127.0.0.1:9" };

const request = (id: number, method: string, params: object = {}) =>
  `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;

const HELLO = request(1, "initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "t", version: "1" },
});

describe("the command line", () => {
  it("tells its version and its help", async () => {
    expect((await finished(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { stdout, status } = await finished(["--help"]);
    expect(status).toBe(0);
    for (const command of ["stdio", "http", "dev-api", "call <tool> [json]", "tools"]) {
      expect(stdout).toContain(command);
    }
    expect((await finished(["http", "--help"])).stdout).toContain("--port <n>");
    expect((await finished(["call", "--help"])).status).toBe(0);
  });

  it("ends with 2 and says what to set when it is started wrongly", async () => {
    const unknown = await finished(["htp"]);
    expect(unknown).toEqual({
      status: 2,
      stdout: "",
      stderr: 'trigger-mcp: "htp" is not a command; did you mean "http"?\n',
    });
    for (const args of [["http"], ["call", "list_runs"]]) {
      const { status, stderr } = await finished(args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/No Trigger.dev credentials. Set TRIGGER_SECRET_KEY/);
    }
  });

  it("lists the tools with what each does and costs", async () => {
    const { stdout, status } = await finished(["tools"]);
    expect(status).toBe(0);
    for (const name of TOOL_NAMES)
      expect(stdout).toMatch(new RegExp(`^${name} +(read|write|destructive) `, "m"));
    expect(stdout).toMatch(new RegExp(`^${TOOL_NAMES.length} tools +\\d+$`, "m"));
    const { stdout: readable } = await finished(["tools", "--read-only", "--toolsets", "runs"]);
    expect(readable).not.toMatch(/ (write|destructive) /);
    expect(readable).not.toMatch(/ sessions /);
  });

  it("calls a tool: the answer to stdout, an error with status 1, a wrong name with 2", async () => {
    const failed = await finished(["call", "list_runs"], NOWHERE);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(/could not be reached/);
    const structured = await finished(["call", "list_runs", '{"limit":"x"}', "--json"], NOWHERE);
    expect(JSON.parse(structured.stdout)).toMatchObject({ code: "invalid_request" });
    const wrong = await finished(["call", "list_run"], NOWHERE);
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      'trigger-mcp: There is no tool "list_run"; did you mean "list_runs"?\n',
    ]);
    expect((await finished(["call", "list_runs", "{"], NOWHERE)).status).toBe(2);
  });
});

describe("over stdio", () => {
  it("starts without credentials, lists its tools, and every call says what to set", async () => {
    const list = request(2, "tools/list");
    const call = request(3, "tools/call", { name: "list_runs", arguments: {} });
    const child = spawn(process.execPath, [BUNDLE], { env: { PATH: process.env.PATH ?? "" } });
    let stdout = "";
    const answered = new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text) => {
        stdout += text;
        if (stdout.split("\n").length > 3) resolve();
      });
    });
    child.stdin.write(HELLO + list + call);
    await answered;
    child.stdin.end();
    const [status] = await once(child, "close");
    expect(status).toBe(0);
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const byId = new Map(answers.map((answer) => [answer.id, answer.result]));
    expect(byId.get(2).tools.map(({ name }: { name: string }) => name)).toEqual([...TOOL_NAMES]);
    expect(byId.get(3).isError).toBe(true);
    expect(byId.get(3).content[0].text).toMatch(/Set TRIGGER_SECRET_KEY .*--embedded/);
  });

  it("ends by itself when stdin closes, and writes nothing but the protocol to stdout", async () => {
    const { status, stdout, stderr } = await finished([], KEY, HELLO);
    expect(status).toBe(0);
    expect(stderr).toBe("");
    for (const line of stdout.trim().split("\n").filter(Boolean))
      expect(JSON.parse(line).jsonrpc).toBe("2.0");
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends on %s", async (signal) => {
    const child = spawn(process.execPath, [BUNDLE], { env: { PATH: process.env.PATH ?? "", ...KEY } });
    child.stdin.write(HELLO);
    await once(child.stdout, "data");
    child.kill(signal);
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  it("ends when nobody reads its stdout any more", async () => {
    const child = spawn(process.execPath, [BUNDLE], { env: { PATH: process.env.PATH ?? "", ...KEY } });
    child.stdin.on("error", () => {});
    child.stdin.write(HELLO);
    await once(child.stdout, "data");
    const exited = once(child, "exit");
    child.stdout.destroy();
    child.stdin.write(request(2, "tools/list"));
    expect((await exited)[0]).toBe(0);
  });
});

describe("over HTTP", () => {
  it("says how to connect and what to ask, and ends on SIGTERM", async () => {
    const { printed, end } = await running(["http", "--port", "0"], /Ctrl-C stops it/, NOWHERE);
    expect(printed).toMatch(/claude mcp add --transport http trigger-runs http:\/\/127\.0\.0\.1:\d+\/mcp/);
    expect(printed.match(/^ {2}"/gm)).toHaveLength(3);
    expect(await end()).toBe(0);
  });

  it("says so when its port is taken", async () => {
    const { printed, end } = await running(["http", "--port", "0"], /Ctrl-C stops it/, NOWHERE);
    const port = /:(\d+)\/mcp/.exec(printed)?.[1] ?? "";
    const second = await finished(["http", "--port", port], NOWHERE);
    expect([second.status, second.stderr]).toEqual([
      1,
      `trigger-mcp: 127.0.0.1:${port} is in use. Choose another port with --port, or --port 0.\n`,
    ]);
    await end();
  });
});
