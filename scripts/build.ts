/**
 * Bundles the program to dist/: main.js for every start, chunks that are loaded on demand, and the embedded API apart.
 * Run by tsx; what it writes is what is published.
 */
import { chmod, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (path: string): string => `${root}${path}`;

/** zod carries its messages in fifty languages (264 kB), loaded whole through one index; ours are in English. */
const withoutLocales: Plugin = {
  name: "without-locales",
  setup(bundle) {
    bundle.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: at("node_modules/zod/v4/locales"),
    }));
  },
};

const leanSdk: Plugin = {
  name: "lean-sdk",
  setup(bundle) {
    bundle.onResolve({ filter: /^@modelcontextprotocol\/server\/_shims$/ }, () => ({
      path: at("scripts/validator-shim.ts"),
    }));
  },
};

/** The pages of apps are made now, not where they are served: esbuild does not ship. */
const finishedPages: Plugin = {
  name: "finished-pages",
  setup(bundle) {
    bundle.onLoad({ filter: /\/src\/apps\/[^/]+\/html\.ts$/ }, async ({ path }) => ({
      contents: `export default ${JSON.stringify((await import(path)).default)};`,
    }));
  },
};

/** `import { z }` keeps all of zod; a namespace import lets the bundler leave out what nobody uses (90 kB). */
const shakenZod: Plugin = {
  name: "shaken-zod",
  setup(bundle) {
    bundle.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(
        'import { z } from "zod";',
        'import * as z from "zod";',
      ),
      loader: "ts",
    }));
  },
};

/** A CommonJS package that is loaded on demand would have lost its named exports: they are spelled out. */
const namedExports: Plugin = {
  name: "named-exports",
  setup(bundle) {
    bundle.onResolve({ filter: /^(undici|pino)$/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path, namespace: "named" } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: "named" }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter(
        (name) => /^[A-Za-z]\w*$/.test(name) && name !== "default",
      );
      return {
        contents: `import all from "${path}"; export default all; export const { ${names.join(", ")} } = all;`,
        resolveDir: root,
      };
    });
  },
};

/** The embedded API is a build of its own: an island, loaded by name from the chunk that joins everything. */
const embeddedApart: Plugin = {
  name: "embedded-apart",
  setup(bundle) {
    bundle.onResolve({ filter: /\/embedded\/index\.ts$/ }, () => ({
      path: "../embedded/index.js",
      external: true,
    }));
  },
};

/** CommonJS dependencies (pino, undici) ask for `require`, which ESM does not have. */
const REQUIRE =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20.18",
  format: "esm",
  external: ["libsql"],
  banner: { js: REQUIRE },
  legalComments: "none",
  logLevel: "warning",
};

await rm(at("dist"), { recursive: true, force: true });

await build({
  ...common,
  entryPoints: [at("src/main.ts")],
  outdir: at("dist"),
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  minifyWhitespace: true,
  minifySyntax: true,
  plugins: [withoutLocales, leanSdk, embeddedApart, finishedPages, shakenZod, namedExports],
});

// Not minified, and with a map: the traces of its example tasks show functions and lines a reader can find.
await build({
  ...common,
  entryPoints: [at("src/embedded/index.ts")],
  outdir: at("dist/embedded"),
  sourcemap: "linked",
  sourcesContent: false,
  plugins: [withoutLocales],
});

const entry = at("dist/main.js");
if (!(await readFile(entry, "utf8")).startsWith("#!"))
  throw new Error("dist/main.js has lost its first line");
await chmod(entry, 0o755);
