/**
 * What a tool is. One file per tool: its posture, its words, its input, what it asks the API for (`run`), and how the
 * answer reads (`view`). Handlers return data, views make words, the server makes the protocol's result.
 */
import type { z } from "zod";
import type { ProgressSink } from "../bridge/progress.ts";
import type { TriggerApi } from "../client/api.ts";
import type { Toolset } from "../config/settings.ts";
import type { Permission } from "../domain/access.ts";
import type { ToolName } from "../domain/calls.ts";
import type { Answer, AppData, ViewContext } from "../views/answer.ts";

/** Stated once; annotations, `--read-only`, and the docs are computed from it. */
export type Effect = "read" | "write" | "destructive";

/** What a call's target and this server are, as far as no API can tell: `get_connection` tells it. */
export interface Connection {
  apiUrl: string;
  embedded: boolean;
  /** Started with `--read-only`. */
  readOnly: boolean;
  /** This server's version. */
  version: string;
  /** Every target's name; with more than one, tools take `target`. */
  targets: readonly string[];
}

export interface ToolContext {
  api: TriggerApi;
  /** The environment's name as the caller knows it. */
  target: string;
  connection: Connection;
  /** Aborted when the caller goes away. */
  signal: AbortSignal;
  /** Shows the caller what is happening; does nothing when it did not ask. */
  progress: ProgressSink;
  /** Unix milliseconds. */
  now(): number;
  /** Unix milliseconds by which a call that waits must have answered; `timeout_seconds` moves it. */
  deadline(timeoutSeconds?: number): number;
}

export interface ToolDefinition<Input extends z.ZodObject = z.ZodObject, Data = unknown> {
  name: ToolName;
  title: string;
  /** For the model: what it answers and when to use it. Every word is paid for in every conversation. */
  summary: string;
  effect: Effect;
  /** Calling it twice with the same arguments changes nothing more. Only asked of writes. */
  idempotent?: boolean;
  toolset: Toolset;
  /** What a credential needs for this tool to exist; absent for what needs nothing. */
  permission?: Permission;
  input: Input;
  /** The structured part: ids, cursors, states, counts, `next`. A loose object. */
  output: z.ZodObject;
  run(input: z.output<Input>, context: ToolContext): Promise<Data>;
  view(data: Data, context: ViewContext, input: z.output<Input>): Answer;
  /** The app that shows the answer to a person, where there is one. */
  app?: AppData<Data>;
}

/** Identity with inference: ties `run`'s result to `view`'s argument. */
export const defineTool = <Input extends z.ZodObject, Data>(
  definition: ToolDefinition<Input, Data>,
): ToolDefinition<Input, Data> => definition;

/** MCP tool annotations, all four, from the one effect. */
export function annotations(tool: Pick<ToolDefinition, "effect" | "idempotent" | "title">) {
  return {
    title: tool.title,
    readOnlyHint: tool.effect === "read",
    destructiveHint: tool.effect === "destructive",
    idempotentHint: tool.effect === "read" || tool.idempotent === true,
    openWorldHint: true,
  };
}
