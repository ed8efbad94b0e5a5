/**
 * JSON Schemas of the tools as clients see them, made once per tool: a server instance per HTTP request would otherwise
 * convert them again every time. Noise that costs tokens and says nothing is left out.
 */
import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ToolDefinition } from "../tools/define.ts";
import { maxTokens } from "../tools/params.ts";

export interface JsonSchema {
  [keyword: string]: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

type ToolShape = Pick<ToolDefinition, "input" | "output">;

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keywords zod writes that restrict nothing. */
function isNoise(keyword: string, value: unknown): boolean {
  if (keyword === "$schema") return true;
  if (keyword === "minimum") return value === Number.MIN_SAFE_INTEGER;
  if (keyword === "maximum") return value === Number.MAX_SAFE_INTEGER;
  if (keyword === "propertyNames") return isSchema(value) && Object.keys(value).join() === "type";
  if (keyword === "additionalProperties") return isSchema(value) && Object.keys(value).length === 0;
  return false;
}

function lean(schema: JsonSchema): JsonSchema {
  const kept = Object.entries(schema).filter(([keyword, value]) => !isNoise(keyword, value));
  return Object.fromEntries(
    kept.map(([keyword, value]) => {
      if (keyword === "properties" && isSchema(value)) {
        const properties = Object.entries(value).map(([name, part]) => [
          name,
          isSchema(part) ? lean(part) : part,
        ]);
        return [keyword, Object.fromEntries(properties)];
      }
      if (Array.isArray(value)) return [keyword, value.map((part) => (isSchema(part) ? lean(part) : part))];
      return [keyword, keyword !== "default" && isSchema(value) ? lean(value) : value];
    }),
  );
}

const convert = (schema: z.ZodType, io: "input" | "output"): JsonSchema =>
  lean(z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema);

/** What the pipeline adds to every tool. */
function commonProperties(targets: readonly string[]): Record<string, JsonSchema> {
  return {
    ...(targets.length > 1 ? { target: { type: "string", enum: [...targets] } } : {}),
    max_tokens: convert(maxTokens, "input"),
  };
}

function inputSchema(tool: ToolShape, targets: readonly string[]): JsonSchema {
  const own = convert(tool.input, "input");
  return {
    ...own,
    type: "object",
    properties: { ...own.properties, ...commonProperties(targets) },
    additionalProperties: false,
  };
}

/** The structured part of an error answer. */
const ERROR_PROPERTIES: Record<string, JsonSchema> = {
  code: { type: "string" },
  status: { type: "integer" },
  retryable: { type: "boolean" },
};

/** Clients hold an error answer against the same schema: nothing is required, and its names may hold its values too. */
function outputSchema(tool: ToolShape): JsonSchema {
  const { required: _, ...own } = convert(tool.output, "output");
  const shared = Object.entries(own.properties ?? {}).map(([name, schema]) => {
    const inErrors = ERROR_PROPERTIES[name];
    return [name, inErrors === undefined ? schema : { anyOf: [schema, inErrors] }];
  });
  return { ...own, type: "object", properties: Object.fromEntries(shared) };
}

/** Bounds a model does not need to see: who oversteps one is told. */
const UNSAID = new Set(["minLength", "maxLength", "minItems", "maxItems", "pattern"]);

/** `T` where the schema is "one `T`, or a list of them". */
function listItem(schema: JsonSchema): JsonSchema | undefined {
  const [one, many] = Array.isArray(schema.anyOf) ? (schema.anyOf as JsonSchema[]) : [];
  const same = many?.type === "array" && JSON.stringify(many.items) === JSON.stringify(one);
  return same ? one : undefined;
}

/**
 * The same schema in fewer tokens, and in one type where several are accepted (which is also more portable): a list
 * where one value does too, text where a number does too.
 */
function terse(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  const item = listItem(schema);
  if (item !== undefined) return terse({ ...rest, type: "array", items: item });
  const types = [
    schema.type,
    ...(Array.isArray(anyOf) ? (anyOf as JsonSchema[]) : []).map(({ type }) => type),
  ].flat();
  if (types.includes("string") && types.includes("number")) return terse({ ...rest, type: "string" });
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword]) => !UNSAID.has(keyword))
      .map(([keyword, value]) => {
        if (keyword === "properties" && isSchema(value)) {
          return [
            keyword,
            Object.fromEntries(
              Object.entries(value).map(([name, part]) => [name, terse(part as JsonSchema)]),
            ),
          ];
        }
        if (keyword === "items" && isSchema(value)) return [keyword, terse(value)];
        if (keyword === "anyOf" || keyword === "oneOf") return [keyword, (value as JsonSchema[]).map(terse)];
        return [keyword, value];
      }),
  );
}

/** What `tools/list` shows. The budget's range and default are told once, in the server's instructions. */
const shown = (accepted: JsonSchema): JsonSchema => {
  const schema = terse(accepted);
  return { ...schema, properties: { ...schema.properties, max_tokens: { type: "integer" } } };
};

interface Schemas {
  /** What the pipeline takes: refusals are worded from it. */
  readonly accepted: JsonSchema;
  /** What clients see: everything it allows is accepted. */
  readonly input: JsonSchema;
  readonly output: JsonSchema;
}

const made = new WeakMap<ToolShape, Map<string, Schemas>>();

/** A tool's schemas; `targets` are the names a caller can choose from. Converted on first use. */
export function toolSchemas(tool: ToolShape, targets: readonly string[]): Schemas {
  const byTargets = made.get(tool) ?? new Map<string, Schemas>();
  made.set(tool, byTargets);
  const key = targets.join("\n");
  let schemas = byTargets.get(key);
  if (schemas === undefined) {
    let accepted: JsonSchema | undefined;
    let input: JsonSchema | undefined;
    let output: JsonSchema | undefined;
    schemas = {
      get accepted() {
        accepted ??= inputSchema(tool, targets);
        return accepted;
      },
      get input() {
        input ??= shown(this.accepted);
        return input;
      },
      get output() {
        output ??= outputSchema(tool);
        return output;
      },
    };
    byTargets.set(key, schemas);
  }
  return schemas;
}

type Advertised = StandardSchemaWithJSON<Record<string, unknown>>;

/** Values pass: the pipeline validates arguments in its own words, and views make the output. */
const passing = (json: () => JsonSchema): Advertised => ({
  "~standard": {
    version: 1,
    vendor: "trigger-mcp",
    validate: (value) => ({ value: value as Record<string, unknown> }),
    jsonSchema: { input: json, output: json },
  },
});

/** The SDK's view of a tool's schemas. */
export const advertised = (schemas: Schemas): { input: Advertised; output: Advertised } => ({
  input: passing(() => schemas.input),
  output: passing(() => schemas.output),
});
