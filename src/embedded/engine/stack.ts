/**
 * Stack traces as the author of a task knows the files: `tasks/process-order.ts:31:24`, never where this package
 * happens to be installed. Whatever is not the task's own reads as the library it is to it (`node_modules/…`, `node:…`).
 */
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const FRAME = /^(\s+at (?:async )?(?:.*?\()?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^\n]*?):(\d+):(\d+)(\)?)$/;
const SOURCES = "/src/embedded/";

interface Position {
  path: string;
  line: number;
  column: number;
}

/** The same stack with every absolute path replaced; lines that are no frames stay as they are. */
export const cleanStack = (stack: string): string => stack.split("\n").map(cleanFrame).join("\n");

/** File and function of the first frame that is the task's own; no line, so that an edit above it changes nothing. */
export function firstOwnFrame(cleanedStack: string): string | undefined {
  for (const line of cleanedStack.split("\n")) {
    const frame = /^\s+at (?:async )?(?:(.*?) \()?(.+?):\d+:\d+\)?$/.exec(line);
    const file = frame?.[2];
    if (file !== undefined && !/^(node:|node_modules\/)/.test(file)) return `${file} ${frame?.[1] ?? ""}`;
  }
  return undefined;
}

function cleanFrame(text: string): string {
  const frame = FRAME.exec(text);
  if (frame === null) return text;
  const [, head = "", location = "", line, column, tail = ""] = frame;
  const path = location.startsWith("file:") ? fileURLToPath(location) : location;
  const source = originalPosition({ path, line: Number(line), column: Number(column) });
  return `${head}${shortPath(source.path.replaceAll("\\", "/"))}:${source.line}:${source.column}${tail}`;
}

function shortPath(path: string): string {
  const own = path.lastIndexOf(SOURCES);
  if (own >= 0) {
    const inside = path.slice(own + SOURCES.length);
    return inside.startsWith("tasks/") ? inside : `node_modules/trigger-mcp/embedded/${inside}`;
  }
  const library = path.lastIndexOf("/node_modules/");
  if (library >= 0) return path.slice(library + 1);
  const here = `${process.cwd().replaceAll("\\", "/")}/`;
  return path.startsWith(here) ? path.slice(here.length) : path.slice(path.lastIndexOf("/") + 1);
}

const sourceMaps = new Map<string, SourceMap | undefined>();

/** Where a position in a bundle came from, when a source map lies beside it. */
function originalPosition(position: Position): Position {
  const entry = sourceMapOf(position.path)?.findEntry(position.line - 1, position.column - 1);
  if (entry === undefined || !("originalSource" in entry)) return position;
  return {
    path: resolve(dirname(position.path), entry.originalSource.replace(/^file:\/\//, "")),
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
}

function sourceMapOf(path: string): SourceMap | undefined {
  if (!sourceMaps.has(path)) sourceMaps.set(path, readSourceMap(`${path}.map`));
  return sourceMaps.get(path);
}

function readSourceMap(path: string): SourceMap | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return new SourceMap(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
