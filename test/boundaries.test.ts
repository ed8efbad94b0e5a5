/** Holds the directions between rooms against the real imports. */
import { describe, expect, it } from "vitest";
import { type Import, importsOf, sourceFiles, withoutComments } from "./support/imports.ts";

const files = sourceFiles();
const imports = files.flatMap(({ file, text }) => importsOf(file, text));

/** The room of a file: its folder under `src/`, or the file itself where it lies in none. */
const roomOf = (file: string): string =>
  file.includes("/") ? (file.split("/")[0] as string) : file.replace(/\.ts$/, "");

interface Reach {
  uses: string[];
  /** Besides, as types that are gone before anything runs. */
  types?: string[];
}

/** Who may import whom. A room may always import itself. */
const ROOMS: Record<string, Reach> = {
  domain: { uses: [] },
  insight: { uses: ["domain"] },
  // Both are pure: a view words what insight computed, never the other way round.
  views: { uses: ["domain", "insight"] },
  client: { uses: ["domain"] },
  bridge: { uses: ["domain"], types: ["client"] },
  tools: { uses: ["views", "insight", "bridge", "domain"], types: ["client", "config"] },
  resources: { uses: ["views", "insight", "bridge", "domain", "tools"], types: ["client"] },
  apps: { uses: ["views", "domain"] },
  prompts: { uses: ["resources", "domain"], types: ["client"] },
  config: { uses: ["domain"] },
  embedded: { uses: ["domain"] },
  server: {
    uses: ["tools", "resources", "prompts", "apps", "views", "bridge", "domain"],
    types: ["client", "config"],
  },
  compose: { uses: ["server", "tools", "resources", "prompts", "client", "embedded", "config", "domain"] },
  cli: { uses: ["compose", "server", "config", "views", "tools", "domain"], types: ["client", "embedded"] },
  main: { uses: ["cli", "compose", "config"] },
};

/** Packages that are one room's business. */
const PACKAGES: [RegExp, string[]][] = [
  [/^@modelcontextprotocol\//, ["server"]],
  [/^(undici|eventsource-parser)(\/|$)/, ["client"]],
  [/^(libsql|hono|@hono\/.+)(\/|$)/, ["embedded"]],
  [/^pino(\/|$)/, ["server"]],
  [/^esbuild$/, ["apps"]],
  [/^jose(\/|$)/, ["embedded", "client", "server"]],
  [/^zod(\/|$)/, ["tools", "resources", "prompts", "client", "config", "server", "embedded"]],
];

const show = ({ file, target, typeOnly }: Import): string =>
  `${file} imports ${target}${typeOnly ? " (type)" : ""}`;

function crossesBoundary({ file, target, own, typeOnly }: Import): boolean {
  if (!own || !target.endsWith(".ts")) return false;
  const [from, to] = [roomOf(file), roomOf(target)];
  const reach = ROOMS[from];
  if (from === to) return false;
  return !(reach?.uses.includes(to) || (typeOnly && reach?.types?.includes(to)));
}

describe("the rooms", () => {
  it("are those of the plan", () => {
    expect([...new Set(files.map(({ file }) => roomOf(file)))].filter((room) => !(room in ROOMS))).toEqual(
      [],
    );
  });

  it("import each other only in the direction of the plan", () => {
    expect(imports.filter(crossesBoundary).map(show)).toEqual([]);
  });

  it("import files that exist, from inside src", () => {
    const known = new Set(files.map(({ file }) => file));
    const strays = imports.filter(({ own, target }) => own && target.endsWith(".ts") && !known.has(target));
    expect(strays.map(show)).toEqual([]);
  });

  it("keep each package in its room, and use none that is not named here", () => {
    const strays = imports.filter(({ file, target, own, typeOnly }) => {
      if (own || target.startsWith("node:")) return false;
      const rule = PACKAGES.find(([pattern]) => pattern.test(target));
      return !rule || (!typeOnly && !rule[1].includes(roomOf(file)));
    });
    expect(strays.map(show)).toEqual([]);
  });

  it("load the embedded API and the client only when they are needed", () => {
    const eager = imports.filter(
      ({ file, target, own, typeOnly, dynamic }) =>
        own &&
        !typeOnly &&
        !dynamic &&
        ["embedded", "client"].includes(roomOf(target)) &&
        roomOf(target) !== roomOf(file),
    );
    expect(eager.map(show)).toEqual([]);
  });

  it("do not import in circles", () => {
    expect(firstCircle(imports)).toEqual([]);
  });

  it("write to stdout only in cli and the transports", () => {
    const writers = files
      .filter(({ file }) => roomOf(file) !== "cli" && !file.startsWith("server/transports/"))
      .filter(({ text }) => /\bconsole\.|\bprocess\.stdout\b(?!\.on\()/.test(withoutComments(text)))
      .map(({ file }) => file);
    expect(writers).toEqual([]);
  });
});

/** The files of one circle of imports that remain at run time; dynamic ones may close a circle. */
function firstCircle(all: Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { file, target, own, typeOnly, dynamic } of all) {
    if (own && !typeOnly && !dynamic) next.set(file, [...(next.get(file) ?? []), target]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    done.add(file);
    for (const target of next.get(file) ?? []) {
      const circle = visit(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    return [];
  };
  for (const file of next.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
