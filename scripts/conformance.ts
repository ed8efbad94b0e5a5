/**
 * Holds the built HTTP server against the official MCP conformance suite, in both protocol revisions, and its tool
 * list against the Inspector's portability lint. Both need Node 24, which npx brings. The suite's fixture tools are not
 * ours, so the checks that need them are listed as expected failures; a listed check that passes fails the run too.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";

const SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12";
const INSPECTOR = "@modelcontextprotocol/inspector@2.12.0";
const NODE = "node@24";
const REVISIONS = ["2025-11-25", "2026-07-28"];
/** A first run downloads Node 24 and the suite. */
const STEP_TIMEOUT_MS = 240_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (server.exitCode !== null)
      throw new Error(`the server ended with ${server.exitCode} before it was ready`);
    const ready = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing ready at ${url}`);
}

/** Without the registry there is nothing to run; that must not look like a failure of the server, nor like a pass. */
async function downloadable(packages: string[]): Promise<boolean> {
  const child = spawn("npx", ["-y", ...packages.flatMap((one) => ["-p", one]), "node", "-e", "0"], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: STEP_TIMEOUT_MS,
  });
  const [code] = await once(child, "exit");
  return code === 0;
}

/** Runs one tool of theirs; its output, which is long, is shown when it fails. */
async function step(name: string, packages: string[], command: string[]): Promise<boolean> {
  const child = spawn("npx", ["-y", ...packages.flatMap((one) => ["-p", one]), ...command], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: STEP_TIMEOUT_MS,
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  const [code] = await once(child, "close");
  const lines = output.join("").trimEnd().split("\n");
  const counted = lines.map((line) => /^Total: (\d+) passed, (\d+) failed$/.exec(line)).find(Boolean);
  const summary = counted ? `  ${counted[1]} checks pass, ${counted[2]} need the suite's fixtures` : "";
  if (code !== 0) process.stdout.write(`${lines.join("\n")}\n`);
  process.stdout.write(`${name}: ${code === 0 ? "passed" : `FAILED (${code})`}${summary}\n`);
  return code === 0;
}

if (!(await downloadable([NODE, SUITE, INSPECTOR]))) {
  process.stdout.write("conformance: NOT RUN, the suite could not be downloaded\n");
  process.exit(0);
}
const port = await freePort();
const server = spawn(
  process.execPath,
  ["dist/main.js", "http", "--embedded", "--ephemeral", "--port", String(port), "--log-level", "error"],
  { stdio: ["ignore", "ignore", "inherit"] },
);
const url = `http://127.0.0.1:${port}/mcp`;
const outcomes: boolean[] = [];
try {
  await untilReady(`http://127.0.0.1:${port}/readyz`, server);
  for (const revision of REVISIONS) {
    outcomes.push(
      await step(
        `conformance ${revision}`,
        [NODE, SUITE],
        [
          "conformance",
          "server",
          "--url",
          url,
          "--requirements",
          revision,
          "--expected-failures",
          `test/conformance/${revision}.yml`,
        ],
      ),
    );
  }
  for (const era of ["legacy", "modern"]) {
    outcomes.push(
      await step(
        `inspector tools/list --strict (${era})`,
        [NODE, INSPECTOR],
        ["mcp-inspector", "--cli", url, "--method", "tools/list", "--strict", "--protocol-era", era, "-q"],
      ),
    );
  }
} finally {
  server.kill("SIGTERM");
}
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
