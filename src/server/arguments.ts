/** A call's arguments: known names, right values; what is wrong is told in sentences a caller can act on. */
import type { z } from "zod";
import { TriggerError } from "../domain/errors.ts";
import { nearest } from "../domain/nearest.ts";
import type { ToolDefinition } from "../tools/define.ts";
import { maxTokens } from "../tools/params.ts";
import { toolSchemas } from "./schemas.ts";
import { issueSentence, takes } from "./wording.ts";

export interface Arguments {
  input: Record<string, unknown>;
  /** o200k tokens the answer may cost. */
  budget: number;
  /** Name of the target asked for; absent means the first. */
  target?: string;
}

const DEFAULT_BUDGET = maxTokens.parse(undefined);

const refused = (message: string) => new TriggerError("invalid_request", message);

function asRecord(tool: ToolDefinition, raw: unknown): Record<string, unknown> {
  if (raw === undefined || raw === null) return {};
  if (typeof raw === "object" && !Array.isArray(raw)) return raw as Record<string, unknown>;
  throw refused(`${tool.name} takes its arguments as one JSON object.`);
}

const wrongTarget = (targets: readonly string[]): z.core.$ZodIssue => ({
  code: "invalid_value",
  path: ["target"],
  message: "unknown target",
  values: [...targets],
});

/** The budget a call asked for, where it can be made out; also errors must keep to it. */
export function budgetOf(raw: unknown): number {
  const asked =
    typeof raw === "object" && raw !== null ? (raw as Record<string, unknown>).max_tokens : undefined;
  const parsed = maxTokens.safeParse(asked);
  return parsed.success ? parsed.data : DEFAULT_BUDGET;
}

/** Throws {@link TriggerError} `invalid_request`. */
export function readArguments(tool: ToolDefinition, raw: unknown, targets: readonly string[]): Arguments {
  const args = asRecord(tool, raw);
  const schema = toolSchemas(tool, targets).accepted;
  const known = Object.keys(schema.properties ?? {});

  const unknown = Object.keys(args).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const sentences = unknown.map((name) => {
      const meant = nearest(name, known);
      const hint =
        meant === undefined
          ? "."
          : `; did you mean "${meant}"? It takes ${takes(schema.properties?.[meant])}.`;
      return `"${name.slice(0, 80)}" is not an argument of ${tool.name}${hint}`;
    });
    throw refused(`${sentences.join("\n")}\n${tool.name} takes ${known.join(", ")}.`);
  }

  const { max_tokens, ...own } = args;
  const target = targets.length > 1 ? own.target : undefined;
  if (targets.length > 1) delete own.target;

  const budget = maxTokens.safeParse(max_tokens);
  const input = tool.input.safeParse(own);
  const issues = [
    ...(input.error?.issues ?? []),
    ...(budget.error?.issues.map((issue) => ({ ...issue, path: ["max_tokens"] })) ?? []),
    ...(target === undefined || targets.some((name) => name === target) ? [] : [wrongTarget(targets)]),
  ];
  if (issues.length > 0 || !input.success || !budget.success) {
    throw refused([...new Set(issues.map((issue) => issueSentence(issue, schema, args)))].join("\n"));
  }

  return {
    input: input.data,
    budget: budget.data,
    ...(typeof target === "string" ? { target } : {}),
  };
}
