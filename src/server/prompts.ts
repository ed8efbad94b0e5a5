/** Prompts on the SDK, with completable arguments. */
import { completable, type McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { PromptArgument, PromptDefinition } from "../prompts/define.ts";
import { cleanerOf } from "./cleaner.ts";
import type { Service } from "./service.ts";

/** How long a host waits for candidates before they are of no use to the person typing. */
const COMPLETION_MS = 5_000;

/**
 * No candidates is the honest answer when the API cannot be asked. What cannot be shown as it is could not be typed either,
 * so it is not offered.
 */
export async function candidates(
  service: Service,
  ask: (signal: AbortSignal) => Promise<string[]>,
): Promise<string[]> {
  try {
    const found = await ask(AbortSignal.timeout(COMPLETION_MS));
    const clean = cleanerOf(service);
    return found.filter((candidate) => clean(candidate, "id") === candidate);
  } catch (error) {
    service.log.debug({ err: error }, "completion failed");
    return [];
  }
}

function argumentSchema(argument: PromptArgument, service: Service) {
  const text = z
    .string()
    .min(argument.required ? 1 : 0)
    .max(2_000)
    .describe(argument.description);
  const { complete } = argument;
  const field =
    complete === undefined
      ? text
      : completable(text, (typed) =>
          candidates(service, async (signal) =>
            complete(typed ?? "", await service.targets[0].api(), signal),
          ),
        );
  return argument.required ? field : field.optional();
}

const argumentsSchema = (prompt: PromptDefinition, service: Service) =>
  z.object(
    Object.fromEntries(
      prompt.arguments.map((argument) => [argument.name, argumentSchema(argument, service)]),
    ),
  );

const made = new WeakMap<Service, Map<PromptDefinition, ReturnType<typeof argumentsSchema>>>();

/** Once per process: building zod schemas for every request would be the dearest part of it. */
function memoised(prompt: PromptDefinition, service: Service) {
  const byPrompt = made.get(service) ?? new Map<PromptDefinition, ReturnType<typeof argumentsSchema>>();
  made.set(service, byPrompt);
  const schema = byPrompt.get(prompt) ?? argumentsSchema(prompt, service);
  byPrompt.set(prompt, schema);
  return schema;
}

export function registerPrompts(server: McpServer, service: Service): void {
  for (const prompt of service.surface.prompts) {
    server.registerPrompt(
      prompt.name,
      { title: prompt.title, description: prompt.description, argsSchema: memoised(prompt, service) },
      (values) => ({
        description: prompt.description,
        messages: [
          { role: "user", content: { type: "text", text: cleanerOf(service)(prompt.text(values)) } },
        ],
      }),
    );
  }
}
