/** Makes conversations in the state a situation is about, on the embedded API, with whatever client is nearest. */
import { vi } from "vitest";
import type { TriggerApi } from "../../src/client/api.ts";
import { isTerminal } from "../../src/domain/status.ts";
import type { EmbeddedApi } from "../../src/embedded/index.ts";
import sendSessionMessage from "../../src/tools/send-session-message.ts";
import startSession from "../../src/tools/start-session.ts";
import { callTool } from "../support/tools.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A task that works for long and never looks at its session: an agent that hangs. */
export const DEAF = "nightly-import";

export interface Made {
  task?: string;
  /** The first message, with the session itself. */
  message?: string;
  payload?: Record<string, unknown>;
  /** Seconds. */
  maxDuration?: number;
  /** Unix milliseconds. */
  expiresAt?: number;
}

export class World {
  readonly api: TriggerApi;
  readonly session: string;
  readonly #embedded: EmbeddedApi;

  constructor(embedded: EmbeddedApi, api: TriggerApi, session: string) {
    this.#embedded = embedded;
    this.api = api;
    this.session = session;
  }

  /** The support agent, after its first turn. */
  async chat(message: string, idle_timeout_seconds = 60): Promise<void> {
    const { session: external_id } = this;
    await callTool(
      startSession,
      { task: "support-agent", external_id, message, idle_timeout_seconds },
      this.api,
    );
  }

  /** Until its turn has ended. */
  async say(message: string, metadata?: unknown): Promise<void> {
    await callTool(
      sendSessionMessage,
      { session: this.session, message, ...(metadata !== undefined && { metadata }) },
      this.api,
    );
  }

  /** A session of any task; answers its first run. */
  async make({ task = DEAF, message, payload, maxDuration = 120, expiresAt }: Made = {}): Promise<string> {
    const started = await this.api.sessions.create({
      type: "chat.agent",
      task,
      externalId: this.session,
      triggerConfig: {
        basePayload: { ...payload, ...(message !== undefined && { message: user("first", message) }) },
        maxDuration,
      },
      ...(expiresAt !== undefined && { expiresAt }),
    });
    return started.runId;
  }

  /** The same with its run at work. */
  async makeLive(made: Made = {}): Promise<string> {
    const run = await this.make(made);
    await this.reaches(run, (status) => status === "EXECUTING");
    return run;
  }

  /** Puts a user's message on `.in`; answers its position. */
  hears = (text: string): Promise<number> =>
    this.#append("in", {
      kind: "message",
      payload: { chatId: this.session, trigger: "submit-message", message: user(`u-${text}`, text) },
    });

  stops = (): Promise<number> => this.#append("in", { kind: "stop" });

  /** Writes to `.out` as the agent would; answers the position of the last chunk. */
  async writes(...chunks: Record<string, unknown>[]): Promise<number> {
    let last = -1;
    for (const chunk of chunks) last = await this.#append("out", chunk);
    return last;
  }

  settled = (run: string): Promise<void> => this.#embedded.settled(run);

  async reaches(run: string, isThere: (status: string) => boolean): Promise<void> {
    await vi.waitFor(
      async () => {
        const { status } = await this.api.runs.retrieve(run);
        if (!isThere(status)) throw new Error(`${run} is ${status}`);
      },
      { timeout: 15_000, interval: 25 },
    );
  }

  async currentRun(): Promise<string> {
    const { currentRunId } = await this.api.sessions.retrieve(this.session);
    if (currentRunId === undefined) throw new Error(`${this.session} has no run`);
    return currentRunId;
  }

  /** Position of the only record of `.out`, or the last of several, that `isIt`. */
  async place(isIt: (chunk: Record<string, unknown>) => boolean): Promise<number> {
    const records = await this.api.channels.records({ session: this.session, io: "out" });
    const found = records.findLast(
      (record) => record.kind === "data" && isIt(record.data as Record<string, unknown>),
    );
    if (found?.seq === undefined) throw new Error("there is no such record");
    return found.seq;
  }

  async lastTurnEnd(): Promise<number> {
    const records = await this.api.channels.records({ session: this.session, io: "out" });
    const seq = records.findLast(({ kind }) => kind === "control")?.seq;
    if (seq === undefined) throw new Error("no turn has ended");
    return seq;
  }

  /** Ends what the situation has left running. */
  async leave(): Promise<void> {
    const run = await this.currentRun();
    const { status } = await this.api.runs.retrieve(run);
    if (!isTerminal(status)) await this.api.runs.cancel(run);
  }

  async #append(io: "in" | "out", body: unknown): Promise<number> {
    const { session } = this;
    const { seq } = await this.api.channels.append(
      { session, io },
      JSON.stringify(body),
      crypto.randomUUID(),
    );
    if (seq === undefined) throw new Error("nothing was appended");
    return seq;
  }
}

const user = (id: string, text: string) => ({ id, role: "user", parts: [{ type: "text", text }] });

/** How a turn begins. */
export const BEGIN = [
  { type: "start", messageId: "a1" },
  { type: "start-step" },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "Let me see" },
];

/** As older agents end a turn, in a data record: only those can be written by hand. */
export const END = { type: "trigger:turn-complete" };

/** A tool that fails, from call to error. */
export const failedCall = (toolCallId: string) => [
  {
    type: "tool-input-available",
    toolCallId,
    toolName: "lookupOrder",
    input: { id: 4821 },
  },
  { type: "tool-output-error", toolCallId, errorText: "connect ETIMEDOUT 10.0.0.7:5432" },
];

/** As after trimming in a task that stores nothing: no transcript, no snapshot, and `.out` begins at `floor`. */
export function trimmed(api: TriggerApi, floor: number): TriggerApi {
  return {
    ...api,
    sessions: { ...api.sessions, transcript: async () => undefined, snapshot: async () => undefined },
    channels: {
      ...api.channels,
      records: async (channel, after, options) => {
        const records = await api.channels.records(channel, after, options);
        return channel.io === "in" ? records : records.filter(({ seq = 0 }) => seq >= floor);
      },
    },
  };
}
