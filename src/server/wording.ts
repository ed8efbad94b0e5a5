/** What an argument takes and what was wrong with it, in words, from the JSON Schema that clients see. */
import type { z } from "zod";
import { didYouMean } from "../domain/nearest.ts";
import type { JsonSchema } from "./schemas.ts";

const MOST_CHOICES = 20;
const LONGEST_VALUE = 80;

const list = (value: unknown): JsonSchema[] => (Array.isArray(value) ? (value as JsonSchema[]) : []);

/** `a whole number from 1 to 100` */
function range(noun: string, schema: JsonSchema): string {
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${noun} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${noun} of at least ${minimum}`;
  return maximum === undefined ? noun : `${noun} of at most ${maximum}`;
}

function text(schema: JsonSchema): string {
  const bounds = typeof schema.maxLength === "number" ? ` of at most ${schema.maxLength} characters` : "";
  return `text${bounds}${typeof schema.pattern === "string" ? ` matching ${schema.pattern}` : ""}`;
}

function plain(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) {
    const shown = schema.enum.slice(0, MOST_CHOICES).join(", ");
    const rest = schema.enum.length - MOST_CHOICES;
    return `one of ${shown}${rest > 0 ? ` and ${rest} more` : ""}`;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = [...list(schema.anyOf), ...list(schema.oneOf)];
  if (choices.length > 0) return alternatives(choices);
  switch (schema.type) {
    case "string":
      return text(schema);
    case "integer":
      return range("a whole number", schema);
    case "number":
      return range("a number", schema);
    case "boolean":
      return "true or false";
    case "array":
      return `a list of ${schema.items === undefined ? "values" : plain(schema.items as JsonSchema)}`;
    case "object":
      return Object.keys(schema.properties ?? {}).length === 0
        ? "an object"
        : `an object with ${Object.keys(schema.properties ?? {}).join(", ")}`;
    case "null":
      return "null";
    default:
      return "any JSON value";
  }
}

/** One or many of the same is told as such. */
function alternatives(choices: JsonSchema[]): string {
  const many = choices.find((choice) => choice.type === "array");
  const one = choices.find((choice) => choice !== many);
  if (choices.length === 2 && many && one && JSON.stringify(many.items) === JSON.stringify(one)) {
    return `${plain(one)}, or a list of them`;
  }
  return [...new Set(choices.map(plain))].join(", or ");
}

/** What a value for this schema looks like, with the hint its author gave. */
export function takes(schema: JsonSchema | undefined): string {
  if (schema === undefined) return "something else";
  return `${plain(schema)}${typeof schema.description === "string" ? ` (${schema.description})` : ""}`;
}

function step(schema: JsonSchema | undefined, key: PropertyKey): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  const here =
    typeof key === "number" ? (schema.items as JsonSchema | undefined) : schema.properties?.[String(key)];
  if (here !== undefined) return here;
  return [...list(schema.anyOf), ...list(schema.oneOf)]
    .map((choice) => step(choice, key))
    .find((found) => found);
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );

/** `operations[0].type` */
const spelled = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (name, key) =>
      typeof key === "number" ? `${name}[${key}]` : `${name}${name === "" ? "" : "."}${String(key)}`,
    "",
  );

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length <= LONGEST_VALUE ? json : `${json.slice(0, LONGEST_VALUE)}…`;
}

function choicesOf(schema: JsonSchema): string[] {
  const own = Array.isArray(schema.enum) ? schema.enum.map(String) : [];
  return [...own, ...[...list(schema.anyOf), ...list(schema.oneOf)].flatMap(choicesOf)];
}

function suggestion(schema: JsonSchema, value: unknown): string {
  const choices = choicesOf(schema);
  const wrong = [value].flat().find((item) => typeof item === "string" && !choices.includes(item));
  return typeof wrong === "string" && choices.length > 0 ? didYouMean(wrong, choices) : "";
}

/** One sentence for one thing wrong with the arguments of a tool whose input is `schema`. */
export function issueSentence(issue: z.core.$ZodIssue, schema: JsonSchema, args: unknown): string {
  const name = spelled(issue.path);
  if (issue.code === "unrecognized_keys") {
    const owner = issue.path.reduce<JsonSchema | undefined>(step, schema);
    const known = Object.keys(owner?.properties ?? {});
    return issue.keys.map((key) => `"${name}" has no "${key}"${didYouMean(key, known)}`).join(" ");
  }
  if (issue.code === "custom") return name === "" ? issue.message : `"${name}": ${issue.message}`;
  const wanted = issue.path.reduce<JsonSchema | undefined>(step, schema);
  const value = at(args, issue.path);
  if (value === undefined) return `"${name}" is missing; it takes ${takes(wanted)}.`;
  if (wanted === undefined) return `"${name}": ${issue.message}.`;
  return `"${name}" takes ${takes(wanted)}, not ${shown(value)}${suggestion(wanted, value) || "."}`;
}
