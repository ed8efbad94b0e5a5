/** Every app there is. */
import type { AppDefinition } from "./define.ts";
import runView from "./run-view/index.ts";

export const apps: readonly AppDefinition[] = [runView];
