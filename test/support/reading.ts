/** Runs a reading tool as the server would: arguments through its schema, then run, then view; the budget is held by the real tokenizer. */
import type { z } from "zod";
import type { TriggerApi } from "../../src/client/api.ts";
import type { ToolContext, ToolDefinition } from "../../src/tools/define.ts";
import type { Answer } from "../../src/views/answer.ts";
import { CREATED } from "./api.ts";
import { o200k } from "./o200k.ts";
import { aView } from "./view.ts";

export const aToolContext = (api: TriggerApi): ToolContext => ({
  api,
  target: "dev",
  connection: { apiUrl: api.baseUrl, embedded: false, readOnly: false, version: "0.0.0", targets: ["dev"] },
  signal: new AbortController().signal,
  progress: { wanted: false, report: () => {} },
  now: () => CREATED + 4 * 60_000,
  deadline: () => CREATED + 4 * 60_000 + 45_000,
});

export async function ask<Input extends z.ZodObject, Data>(
  tool: ToolDefinition<Input, Data>,
  api: TriggerApi,
  args: Record<string, unknown>,
  budget = 2_000,
): Promise<Answer> {
  const input = tool.input.parse(args) as z.output<Input>;
  const answer = tool.view(await tool.run(input, aToolContext(api)), aView({ budget }), input);
  tool.output.parse(answer.structured);
  const price = o200k(answer.text);
  if (price > budget) throw new Error(`the answer costs ${price} tokens of ${budget}:\n${answer.text}`);
  return answer;
}
