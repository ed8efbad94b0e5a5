/** What is served, whichever transport serves it: made once per process by compose.ts, shared by all requests. */
import type { TriggerApi } from "../client/api.ts";
import type { Settings } from "../config/settings.ts";
import { type Access, mayEver, type Permission } from "../domain/access.ts";
import type { PromptDefinition } from "../prompts/define.ts";
import type { ResourceDefinition } from "../resources/define.ts";
import type { ToolDefinition } from "../tools/define.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** One environment that calls can be about. */
export interface Target {
  name: string;
  embedded: boolean;
  /** What the credential may do; absent when there is none, and then nothing is hidden. */
  access?: Access;
  /** The API, loaded or started on first use. Throws `not_configured` when there is no credential. */
  api(): Promise<TriggerApi>;
}

export interface Surface {
  tools: readonly ToolDefinition[];
  resources: readonly ResourceDefinition[];
  prompts: readonly PromptDefinition[];
}

export interface Service {
  version: string;
  /** The first one is meant when a call names none. */
  targets: readonly [Target, ...Target[]];
  /** What this process offers, after read-only mode, toolsets and scopes. */
  surface: Surface;
  readOnly: boolean;
  redact: boolean;
  /** E-mail addresses too. */
  redactEmails?: boolean;
  log: Logger;
  metrics: Metrics;
  /** Unix milliseconds. */
  now(): number;
}

/** Design section 3: read-only mode, toolsets and scopes decide which of them exist. */
export function visible(
  all: Surface,
  settings: Pick<Settings, "readOnly" | "toolsets">,
  targets: readonly Target[],
): Surface {
  const allowed = ({ permission }: { permission?: Permission }) =>
    permission === undefined ||
    targets.some(({ access }) => access === undefined || mayEver(access, permission));
  return {
    tools: all.tools.filter(
      (tool) =>
        allowed(tool) &&
        settings.toolsets.includes(tool.toolset) &&
        (tool.effect === "read" || !settings.readOnly),
    ),
    resources: all.resources.filter(allowed),
    prompts: all.prompts.filter(allowed),
  };
}
