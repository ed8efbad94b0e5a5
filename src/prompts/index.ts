/** Every prompt there is, in the order they are listed. */
import { debugRun } from "./debug-run.ts";
import { debugSession } from "./debug-session.ts";
import type { PromptDefinition } from "./define.ts";

export const prompts: readonly PromptDefinition[] = [debugRun, debugSession];
