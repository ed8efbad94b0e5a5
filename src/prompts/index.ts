/** Every prompt there is, in the order they are listed. */
import { compareRuns } from "./compare-runs.ts";
import { debugRun } from "./debug-run.ts";
import { debugSession } from "./debug-session.ts";
import type { PromptDefinition } from "./define.ts";
import { triageFailures } from "./triage-failures.ts";

export const prompts: readonly PromptDefinition[] = [debugRun, debugSession, triageFailures, compareRuns];
