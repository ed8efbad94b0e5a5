/** What a prompt is: a question a user asks often, phrased so that the model takes the short way to the answer. */
import type { TriggerApi } from "../client/api.ts";
import type { Permission } from "../domain/access.ts";

export interface PromptArgument {
  name: string;
  description: string;
  required: boolean;
  /** At most 100 candidates for what is typed. */
  complete?: (typed: string, api: TriggerApi, signal: AbortSignal) => Promise<string[]>;
}

export interface PromptDefinition {
  name: string;
  title: string;
  description: string;
  permission: Permission;
  arguments: PromptArgument[];
  /** The user message. Values are quoted: they come from the caller and may hold anything. */
  text(values: Record<string, string | undefined>): string;
}

/** A caller's value inside a sentence: JSON quoting keeps it from ending the sentence early. */
export const quoted = (value: string): string => JSON.stringify(value);
