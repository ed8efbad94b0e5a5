/** The imports of a TypeScript file, by lexing: statements begin a line, as the formatter sees to. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export interface Import {
  /** Path of the importing file under `src/`, with slashes. */
  file: string;
  /** What is imported: a path under `src/` for ours, else the specifier. */
  target: string;
  /** A file of ours rather than a package or a Node module. */
  own: boolean;
  /** Erased before it runs: `import type`, `export type`. */
  typeOnly: boolean;
  dynamic: boolean;
}

/** Every TypeScript file under `src/`, sorted, with its text. */
export function sourceFiles(): { file: string; text: string }[] {
  const src = join(ROOT, "src");
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(src, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(src, file), "utf8") }));
}

/** Comments and nothing else removed; a `//` inside a string stays when a quote or a colon stands before it. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;

export function importsOf(file: string, text: string): Import[] {
  const code = withoutComments(text);
  const found = [
    ...[...code.matchAll(STATIC)].map(([, type, specifier = ""]) => ({
      specifier,
      typeOnly: type !== undefined,
      dynamic: false,
    })),
    ...[...code.matchAll(DYNAMIC)].map(([, specifier = ""]) => ({
      specifier,
      typeOnly: false,
      dynamic: true,
    })),
  ];
  return found.map(({ specifier, ...rest }) => {
    const own = specifier.startsWith(".");
    return {
      file,
      own,
      target: own ? posix.normalize(posix.join(dirname(file), specifier)) : specifier,
      ...rest,
    };
  });
}
