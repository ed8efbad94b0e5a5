/** What `npm install trigger-mcp` leaves on a disk: the packed package and its production dependencies. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Row } from "./measure.ts";

const run = promisify(execFile);

/** Measured once on the vendor's package. */
const VENDOR = "vendor: 211 MB, 344 packages";
const MEGABYTE = 1_000_000;

export interface Installed {
  megabytes: number;
  packages: number;
}

async function bytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true });
  const sizes = await Promise.all(
    entries.map((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return bytes(path);
      return entry.isFile() ? stat(path).then(({ size }) => size) : 0;
    }),
  );
  return sizes.reduce<number>((sum, size) => sum + size, 0);
}

/**
 * Installs a package (a name or a tarball) for production into a directory that is gone afterwards; `use` gets the folder
 * of its commands.
 */
export async function installed(
  spec: string,
  use: (commands: string) => Promise<void> = async () => {},
): Promise<Installed> {
  const directory = await mkdtemp(join(tmpdir(), "trigger-mcp-install-"));
  try {
    await writeFile(join(directory, "package.json"), '{"private":true}');
    const flags = ["--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"];
    await run("npm", ["install", ...flags, spec], { cwd: directory });
    const { stdout } = await run("npm", ["ls", "--all", "--parseable"], { cwd: directory });
    const modules = join(directory, "node_modules");
    await use(join(modules, ".bin"));
    return {
      megabytes: (await bytes(modules)) / MEGABYTE,
      packages: stdout.trim().split("\n").length - 1,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export async function install(root: string): Promise<Row> {
  const { stdout } = await run(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--pack-destination", tmpdir()],
    { cwd: root },
  );
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const tarball = join(tmpdir(), filename);
  const { megabytes, packages } = await installed(tarball);
  await rm(tarball);
  return {
    what: "production install",
    measured: `${megabytes.toFixed(1)} MB, ${packages} packages`,
    comparedWith: VENDOR,
    target: "under 30 MB, under 40 packages",
    met: megabytes < 30 && packages < 40,
  };
}
