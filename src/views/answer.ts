/** What a view makes: text that is complete by itself, and the small part programs want. */
import type { Call } from "../domain/calls.ts";

export interface Answer {
  text: string;
  /** Ids, cursors, states, counts; never an echo of the text. */
  structured: Record<string, unknown> & { next?: Call[] };
  /** The call itself failed in a way the text explains (say, a send whose turn failed stays `false`). */
  isError?: boolean;
  /** What only the caller's apps read, by key; the pipeline adds it. */
  meta?: Record<string, unknown>;
}

export interface ViewContext {
  /** Tokens (o200k) the text may cost at most. */
  budget: number;
  /** Unix milliseconds: ages are told relative to it. */
  now: number;
  /** Name of the environment the data came from. */
  target: string;
  /**
   * Replaces secrets by placeholders and strips what must not reach a terminal or a model; see clean.ts. `name`: what the
   * text is the value of, where it is a member.
   */
  clean(text: string, name?: string): string;
  /** A response-wide nonce for fences around long upstream text. */
  nonce: string;
}

/** What an app shows beside a tool's answer, in hosts that have MCP Apps. */
export interface AppData<Data> {
  /** The app's page, `ui://…`. */
  uri: string;
  /** Where the app finds its data in the result's `_meta`. */
  key: string;
  /** For a person's eyes: bounded, and cleaned like all text. No model reads it. */
  data(data: Data, context: ViewContext): unknown;
}
