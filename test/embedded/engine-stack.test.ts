import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import { cleanStack, firstOwnFrame } from "../../src/embedded/engine/stack.ts";

describe("stack traces", () => {
  test("name a task's file in the package, and everything else as a library", () => {
    const stack = [
      "Error: /opt/data is full",
      "    at capture (file:///opt/x/src/embedded/tasks/charge.ts:4:2)",
      "    at async /opt/x/src/embedded/engine/attempt.ts:9:1",
      "    at C:\\x\\node_modules\\left-pad\\index.js:1:1",
      "    at run (/opt/x/node_modules/a/node_modules/b/c.js:7:3)",
      "    at /elsewhere/entirely/of.js:2:2",
      `    at mine (${process.cwd()}/test/mine.ts:3:3)`,
      "    at Array.map (<anonymous>)",
      "    at listOnTimeout (node:internal/timers:581:17)",
    ].join("\n");
    expect(cleanStack(stack).split("\n")).toEqual([
      "Error: /opt/data is full",
      "    at capture (tasks/charge.ts:4:2)",
      "    at async node_modules/trigger-mcp/embedded/engine/attempt.ts:9:1",
      "    at node_modules/left-pad/index.js:1:1",
      "    at run (node_modules/b/c.js:7:3)",
      "    at of.js:2:2",
      "    at mine (test/mine.ts:3:3)",
      "    at Array.map (<anonymous>)",
      "    at listOnTimeout (node:internal/timers:581:17)",
    ]);
  });

  test("the first own frame is the task's, without its line", () => {
    const stack = [
      "Error: x",
      "    at Socket.connect (node:net:1:1)",
      "    at get (node_modules/undici/index.js:1:1)",
      "    at async capture (tasks/charge.ts:4:2)",
      "    at run (tasks/other.ts:1:1)",
    ].join("\n");
    expect(firstOwnFrame(stack)).toBe("tasks/charge.ts capture");
    expect(firstOwnFrame("Error: x\n    at node:net:1:1")).toBeUndefined();
  });

  test("a bundle with its source map beside it is seen through", async () => {
    const directory = mkdtempSync(join(tmpdir(), "trigger-mcp-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const tasks = join(directory, "src/embedded/tasks");
    mkdirSync(tasks, { recursive: true });
    writeFileSync(
      join(tasks, "charge.ts"),
      "export function charge(): never {\n  const nothing = 1;\n\n  throw new Error(String(nothing));\n}\n",
    );
    const outfile = join(directory, "node_modules/trigger-mcp/dist/embedded.mjs");
    const entryPoints = [join(tasks, "charge.ts")];
    await build({ entryPoints, outfile, bundle: true, minify: true, format: "esm", sourcemap: "external" });
    const { charge } = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as { charge(): never };
    try {
      charge();
      expect.unreachable();
    } catch (error) {
      expect(cleanStack((error as Error).stack ?? "")).toMatch(/tasks\/charge\.ts:4:9/);
    }
  });
});
