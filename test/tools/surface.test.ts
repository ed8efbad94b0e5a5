/** The surface a model sees, as a whole: named, honest, portable, and priced. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { TOOL_NAMES } from "../../src/domain/calls.ts";
import { type JsonSchema, toolSchemas } from "../../src/server/schemas.ts";
import { annotations } from "../../src/tools/define.ts";
import { tools } from "../../src/tools/index.ts";
import { ROOT } from "../support/imports.ts";

const SNAPSHOTS = join(import.meta.dirname, "__snapshots__");
/** Design section 9: names, descriptions and input schemas of the default toolsets. */
const MOST_TOKENS = 4_000;
const VERBS =
  "get list search trigger replay reschedule add update cancel read follow start send append close diagnose compare triage".split(
    " ",
  );
const READING = /^(get|list|search|read|follow|diagnose|compare|triage)_/;

const served = tools.map((tool) => ({
  name: tool.name,
  title: tool.title,
  description: tool.summary,
  annotations: annotations(tool),
  inputSchema: toolSchemas(tool, ["dev"]).input,
}));

/** The schema and every schema in it. */
function* schemasIn(schema: unknown): Generator<JsonSchema> {
  if (typeof schema !== "object" || schema === null) return;
  if (!Array.isArray(schema)) yield schema as JsonSchema;
  for (const part of Object.values(schema)) yield* schemasIn(part);
}

describe("the tools", () => {
  it("are the ones the project knows by name, each once, in the order they are listed", () => {
    expect(tools.map((tool) => tool.name)).toEqual([...TOOL_NAMES]);
  });

  it("live each in the file of their name", () => {
    const missing = TOOL_NAMES.filter(
      (name) => !existsSync(join(ROOT, "src/tools", `${name.replaceAll("_", "-")}.ts`)),
    );
    expect(missing).toEqual([]);
  });

  it("are called verb_noun, short enough for every host's prefix", () => {
    for (const name of TOOL_NAMES) {
      expect(name).toMatch(new RegExp(`^(${VERBS.join("|")})(_[a-z]+)+$`));
      expect(name.length).toBeLessThanOrEqual(40);
    }
  });

  it("cost a model at most 4,000 tokens all together", () => {
    const prices = served.map(({ name, description, inputSchema }) => ({
      name,
      tokens: encode(JSON.stringify({ name, description, inputSchema })).length,
    }));
    const total = prices.reduce((sum, { tokens }) => sum + tokens, 0);
    console.log(
      [
        ...prices.map(({ name, tokens }) => `${String(tokens).padStart(5)} ${name}`),
        `${total} tokens (o200k)`,
      ].join("\n"),
    );
    expect(total).toBeLessThanOrEqual(MOST_TOKENS);
  });

  it("have no snapshot left of a tool that is gone", () => {
    const left = existsSync(SNAPSHOTS) ? readdirSync(SNAPSHOTS).filter((file) => file.endsWith(".snap")) : [];
    expect(left.filter((file) => !TOOL_NAMES.some((name) => file === `${name}.snap`))).toEqual([]);
  });
});

describe.each(served)("$name", (tool) => {
  const definition = tools.find(({ name }) => name === tool.name);

  it("is served as it was frozen", async () => {
    await expect(`${JSON.stringify(tool, null, 2)}\n`).toMatchFileSnapshot(
      join(SNAPSHOTS, `${tool.name}.snap`),
    );
  });

  it("says what it is for, naming only tools and arguments that exist", () => {
    expect(tool.title.length).toBeGreaterThan(3);
    expect(tool.description).toMatch(/^[A-Z].+\.$/s);
    const known = new Set<string>([
      ...TOOL_NAMES,
      ...served.flatMap(({ inputSchema }) => Object.keys(inputSchema.properties ?? {})),
    ]);
    const words = [...schemasIn(tool.inputSchema)].map(({ description }) => description);
    const mentioned = [tool.description, ...words].join(" ").match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [];
    expect(mentioned.filter((name) => !known.has(name))).toEqual([]);
  });

  it("announces all four hints, and that it reads only when it does", () => {
    const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations;
    expect([readOnlyHint, destructiveHint, idempotentHint, openWorldHint].map((hint) => typeof hint)).toEqual(
      Array(4).fill("boolean"),
    );
    expect(readOnlyHint).toBe(READING.test(tool.name));
    expect(destructiveHint).toBe(tool.name === "cancel_run" || tool.name === "close_session");
  });

  it("takes one object of named arguments in a schema every host understands", () => {
    const schema = tool.inputSchema;
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    for (const keyword of ["anyOf", "oneOf", "allOf", "$schema"]) expect(schema).not.toHaveProperty(keyword);
    expect(Object.keys(schema.properties ?? {}).filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual(
      [],
    );
    for (const part of schemasIn(schema)) {
      for (const keyword of ["$ref", "$defs", "prefixItems", "not", "if"])
        expect(part).not.toHaveProperty(keyword);
      expect(Array.isArray(part.items)).toBe(false);
    }
  });

  it("promises an open object as its structured part", () => {
    const schema = definition && toolSchemas(definition, ["dev"]).output;
    expect(schema).toMatchObject({ type: "object" });
    expect(schema?.additionalProperties ?? true).not.toBe(false);
  });
});
