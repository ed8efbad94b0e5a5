/** The built bundle, run as users run it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const BUNDLE = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** Only what a test sets: the developer's own TRIGGER_… variables must not reach it. */
const environment = (env: Record<string, string>): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  ...env,
});

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A command that ends by itself. */
export async function finished(
  args: string[],
  env: Record<string, string> = {},
  input?: string,
): Promise<Finished> {
  const child = spawn(process.execPath, [BUNDLE, ...args], { env: environment(env) });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    output.stderr += text;
  });
  child.stdin.end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...output };
}

export interface Running {
  child: ChildProcess;
  /** What it has printed until the expected line came. */
  printed: string;
  /** Sends the signal and answers the exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A command that serves, once it has printed what `ready` matches. */
export async function running(
  args: string[],
  ready: RegExp,
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Running> {
  const child = spawn(process.execPath, [BUNDLE, ...args], {
    env: environment(env),
    stdio: ["ignore", "pipe", "inherit"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  let printed = "";
  child.stdout?.setEncoding("utf8");
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (text: string) => {
      printed += text;
      if (ready.test(printed)) resolve();
    });
    child.once("exit", (status) => reject(new Error(`it ended with ${status} after printing: ${printed}`)));
  });
  return {
    child,
    printed,
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [status] = await exited;
      return status;
    },
  };
}
