/** Process start to `initialize` answered, against a node process that does nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { interleaved, ms, type Row } from "./measure.ts";

const ROUNDS = 21;

const INITIALIZE = `${JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
})}\n`;

/** Milliseconds from spawn to the first line on stdout. The process is ended and gone before this resolves. */
export async function untilInitialized(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<number> {
  const began = performance.now();
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
  });
  const gone = once(child, "exit");
  child.stdin.write(INITIALIZE);
  await once(child.stdout, "data");
  const took = performance.now() - began;
  child.stdin.end();
  const force = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  clearTimeout(force);
  return took;
}

async function untilGone(args: string[]): Promise<number> {
  const began = performance.now();
  await once(spawn(process.execPath, args, { stdio: "ignore" }), "exit");
  return performance.now() - began;
}

export async function startup(bundle: string): Promise<Row> {
  const env = { TRIGGER_SECRET_KEY: "tr_dev_bench_bench_bench_bench" };
  const took = await interleaved(ROUNDS, {
    bare: () => untilGone(["-e", "0"]),
    ours: () => untilInitialized(process.execPath, [bundle], env),
  });
  const ratio = took.ours / took.bare;
  return {
    what: "start to initialize answered",
    measured: ms(took.ours),
    comparedWith: `node -e 0: ${ms(took.bare)}`,
    ratio,
    target: "at most 2.2",
    met: ratio <= 2.2,
  };
}
