import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FLAGS } from "../src/config/flags.ts";
import { helpText } from "../src/config/help.ts";
import { tools } from "../src/tools/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const table = readme.slice(readme.indexOf("<!-- tools -->"), readme.indexOf("<!-- /tools -->"));

describe("the README", () => {
  it("lists every tool with its effect, in the order they are served", () => {
    const rows = [...table.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, name, effect]) => ({
      name,
      effect,
    }));
    expect(rows).toEqual(tools.map(({ name, effect }) => ({ name, effect })));
  });

  it.each(Object.keys(FLAGS))("explains --%s", (flag) => {
    expect(readme).toContain(`--${flag}`);
  });

  it("names every environment variable the help names", () => {
    const named = new Set(helpText().match(/TRIGGER_[A-Z_]+/g));
    expect([...named].filter((name) => !readme.includes(name))).toEqual([]);
  });
});
