/** Calls a tool as the pipeline does, without a server: arguments through its schema, then run, then view. */
import type { z } from "zod";
import type { TriggerApi } from "../../src/client/api.ts";
import type { ToolContext, ToolDefinition } from "../../src/tools/define.ts";
import type { Answer } from "../../src/views/answer.ts";
import { createCleaner } from "../../src/views/clean.ts";

export interface CallSetting {
  context?: Partial<ToolContext>;
  /** Tokens; 2,000 unless told. */
  budget?: number;
}

export async function callTool<Input extends z.ZodObject, Data>(
  tool: ToolDefinition<Input, Data>,
  args: z.input<Input>,
  api: TriggerApi,
  { context = {}, budget = 2_000 }: CallSetting = {},
): Promise<Answer> {
  const now = context.now ?? Date.now;
  const input = tool.input.parse(args);
  const data = await tool.run(input, {
    api,
    target: "dev",
    connection: { apiUrl: api.baseUrl, embedded: false, readOnly: false, version: "0.0.0", targets: ["dev"] },
    signal: new AbortController().signal,
    progress: { wanted: false, report: () => {} },
    now,
    deadline: (seconds = 45) => now() + seconds * 1000,
    ...context,
  });
  const view = {
    budget,
    now: now(),
    target: context.target ?? "dev",
    clean: createCleaner({ redact: true }),
    nonce: "n0n",
  };
  return tool.view(data, view, input);
}
