/** `tools`: what is offered, what each tool does to the world, and what it costs a model to know of it. */
import { toolSchemas } from "../server/schemas.ts";
import type { Service } from "../server/service.ts";
import { tokens } from "../views/tokens.ts";

/** Upper estimate of the tokens of a tool as a host shows it to a model. */
function price(tool: Service["surface"]["tools"][number], targets: readonly string[]): number {
  const { name, summary } = tool;
  return tokens(`${name}\n${summary}\n${JSON.stringify(toolSchemas(tool, targets).input)}`);
}

export function toolTable(service: Service): string {
  const targets = service.targets.map(({ name }) => name);
  const rows = service.surface.tools.map((tool) => ({
    name: tool.name,
    effect: tool.effect,
    toolset: tool.toolset,
    tokens: price(tool, targets),
  }));
  const total = rows.reduce((sum, row) => sum + row.tokens, 0);
  const width = Math.max(4, ...rows.map((row) => row.name.length));
  const line = (name: string, effect: string, toolset: string, cost: string) =>
    `${name.padEnd(width)}  ${effect.padEnd(11)}  ${toolset.padEnd(8)}  ${cost.padStart(6)}`;
  return [
    line("tool", "effect", "toolset", "tokens"),
    ...rows.map((row) => line(row.name, row.effect, row.toolset, String(row.tokens))),
    line(`${rows.length} tools`, "", "", String(total)),
    "Tokens are an upper estimate of what a model reads: name, description and input schema.",
  ].join("\n");
}
