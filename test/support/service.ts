/** A service of hand-made tools and resources, for tests of the server room. */
import { z } from "zod";
import type { TriggerApi } from "../../src/client/api.ts";
import type { HttpSettings } from "../../src/config/settings.ts";
import type { ToolName } from "../../src/domain/calls.ts";
import type { PromptDefinition } from "../../src/prompts/define.ts";
import type { ResourceDefinition } from "../../src/resources/define.ts";
import type { Logger } from "../../src/server/log.ts";
import { createMetrics } from "../../src/server/metrics.ts";
import type { Service, Target } from "../../src/server/service.ts";
import { defineTool, type ToolContext, type ToolDefinition } from "../../src/tools/define.ts";
import type { Answer } from "../../src/views/answer.ts";
import { apiWith } from "./api.ts";

export interface LogLine {
  level: string;
  facts: Record<string, unknown>;
  message: string;
}

export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (facts: Record<string, unknown>, message: string) =>
    void lines.push({ level, facts, message });
  return {
    log: { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") },
    lines,
  };
}

export const target = (name: string, api: TriggerApi = apiWith({})): Target => ({
  name,
  embedded: false,
  access: { kind: "secret" },
  api: async () => api,
});

export interface Work {
  name?: ToolName;
  input?: z.ZodObject;
  effect?: ToolDefinition["effect"];
  run?: (input: Record<string, unknown>, context: ToolContext) => Promise<unknown>;
  view?: (data: unknown) => Answer;
}

/** A tool that answers with its input unless told otherwise. */
export const aTool = (work: Work = {}): ToolDefinition =>
  defineTool({
    name: work.name ?? "list_runs",
    title: "A tool",
    summary: "Does what the test wants.",
    effect: work.effect ?? "read",
    toolset: "runs",
    permission: { action: "read", type: "runs" },
    input: work.input ?? z.object({}),
    output: z.looseObject({}),
    run: work.run ?? (async (input) => input),
    view: work.view ?? ((data) => ({ text: JSON.stringify(data), structured: {} })),
  });

export interface ServiceParts {
  tools?: ToolDefinition[];
  resources?: ResourceDefinition[];
  prompts?: PromptDefinition[];
  targets?: [Target, ...Target[]];
  readOnly?: boolean;
}

export function aService(parts: ServiceParts = {}): Service & { lines: LogLine[] } {
  const { log, lines } = recordingLog();
  return {
    version: "1.2.3",
    targets: parts.targets ?? [target("dev")],
    surface: {
      tools: parts.tools ?? [aTool()],
      resources: parts.resources ?? [],
      prompts: parts.prompts ?? [],
    },
    readOnly: parts.readOnly ?? false,
    redact: true,
    log,
    metrics: createMetrics(),
    now: Date.now,
    lines,
  };
}

/** How tests serve over HTTP: any free port of this machine, and nobody is kept out. */
export const LOCAL_HTTP: HttpSettings = {
  host: "127.0.0.1",
  port: 0,
  auth: "none",
  keyDigests: [],
  allowedHosts: [],
  allowedOrigins: [],
};
