/** The vendor's own server, fetched only when asked for: start-up, tool list and install size side by side with ours. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { installed } from "./install.ts";
import { interleaved, ms, type Row } from "./measure.ts";
import { untilInitialized } from "./startup.ts";
import { listPrice } from "./tools.ts";

const run = promisify(execFile);
const PACKAGE = "trigger.dev@latest";
const ROUNDS = 7;

export async function vendor(bundle: string): Promise<Row[]> {
  const { megabytes, packages } = await installed(PACKAGE);
  const directory = await mkdtemp(join(tmpdir(), "trigger-mcp-vendor-"));
  try {
    await writeFile(join(directory, "package.json"), '{"private":true}');
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE], { cwd: directory });
    const bin = join(directory, "node_modules", ".bin", "trigger.dev");
    const env = { HOME: directory };
    const price = await listPrice(bin, ["mcp"], env);
    const took = await interleaved(ROUNDS, {
      theirs: () => untilInitialized(bin, ["mcp"], env),
      ours: () => untilInitialized(process.execPath, [bundle], {}),
    });
    const faster = took.theirs / took.ours;
    return [
      {
        what: "start to initialize answered",
        measured: ms(took.ours),
        comparedWith: `vendor: ${ms(took.theirs)}`,
        ratio: faster,
        target: "at least 8 x faster",
        met: faster >= 8,
      },
      {
        what: "the vendor's tool list and install",
        measured: `${price.tokens.toLocaleString("en")} tokens for ${price.tools} tools`,
        comparedWith: `${megabytes.toFixed(0)} MB, ${packages} packages`,
        target: "",
        met: true,
      },
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
