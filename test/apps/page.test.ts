/** The run view's page as hosts get it: small, closed to the outside, and finished when it is published. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { apps } from "../../src/apps/index.ts";
import { tools } from "../../src/tools/index.ts";
import { ROOT } from "../support/imports.ts";

const MOST_BYTES = 20_000;

describe.each([...apps])("the page of $name", (app) => {
  it("is at most 20 kB", async () => {
    expect(Buffer.byteLength(await app.html())).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("is one document with one script and one style of its own", async () => {
    const html = await app.html();
    expect(html).toMatch(/^<!doctype html>/);
    for (const tag of ["<script", "</script", "<style", "</style"]) expect(html.split(tag)).toHaveLength(2);
    expect(html).not.toMatch(/\s(?:src|href|srcset|on[a-z]+)=["']/);
  });

  it("reaches nowhere and makes no markup of data", async () => {
    const html = await app.html();
    expect(html).not.toMatch(/\b(?:https?|wss?):|["'`(](?:\/\/|data:|blob:|javascript:)/i);
    expect(html).not.toMatch(/@import|url\(|import\(|fetch\(|XMLHttp|WebSocket|EventSource|sendBeacon/);
    expect(html).not.toMatch(
      /innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|srcdoc|\beval\b|Function\(/,
    );
    expect(html).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie/);
  });

  it("belongs to a tool", () => {
    expect(tools.map((tool) => tool.app?.uri)).toContain(app.uri);
    expect(app.uri).toMatch(/^ui:\/\/trigger-mcp\/[a-z-]+\.html$/);
  });
});

describe("what is published", () => {
  const folder = join(ROOT, "dist");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".js"),
  );
  const text = (name: string) => readFileSync(join(folder, name), "utf8");

  it("has each finished page in a file of its own, which nothing loads at the start", async () => {
    for (const app of apps) {
      const script = /<script type="module">(.{40})/.exec(await app.html())?.[1] ?? "no script";
      const holders = files.filter((name) => text(name).includes(script));
      expect(holders).toHaveLength(1);
      expect(holders[0]).toMatch(/^chunks\/html-/);
      const statically = new RegExp(`(?:from|import)\\s*"[^"]*${holders[0]?.replace("chunks/", "")}"`);
      expect(files.filter((name) => statically.test(text(name)))).toEqual([]);
    }
  });

  it("makes no pages itself", () => {
    expect(files.filter((name) => /["']esbuild["']/.test(text(name)))).toEqual([]);
  });
});

it("every app a tool names exists", () => {
  const uris = apps.map(({ uri }) => uri);
  expect(tools.flatMap(({ app }) => (app ? [app.uri] : [])).filter((uri) => !uris.includes(uri))).toEqual([]);
});
