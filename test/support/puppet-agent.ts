/**
 * Sessions whose agent is the test: it hears what tools put on `.in` and writes on `.out` what it likes, when it likes. Tool
 * pipeline, client and embedded API are the real ones, joined without sockets, so that a test can own the clock.
 */
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { ProgressRecord, Tick } from "../../src/bridge/progress.ts";
import { createTriggerApi } from "../../src/client/index.ts";
import type { HttpRequest, HttpResponse, Transport } from "../../src/client/transport.ts";
import { dataRecord } from "../../src/embedded/engine/channels.ts";
import { channelOf } from "../../src/embedded/engine/sessions.ts";
import { saveSnapshot, type UIMessage } from "../../src/embedded/engine/snapshots.ts";
import { callTool, type ToolAnswer } from "../../src/server/pipeline.ts";
import { tools } from "../../src/tools/index.ts";
import { aService, target } from "./service.ts";
import { startSessionsApp } from "./sessions-app.ts";

export interface Calling {
  answer: Promise<ToolAnswer>;
  /** Sent so far; none for a quiet caller. */
  ticks: Tick[];
  /** What the ticks carried. */
  records(): ProgressRecord[];
  /** Resolves with the first tick whose message matches. */
  shows(pattern: RegExp): Promise<void>;
}

export type Puppets = Awaited<ReturnType<typeof openPuppets>>;
export type Puppet = Awaited<ReturnType<Puppets["session"]>>;

/** `between` sees every request before the API does: it may hold it up, for good too, or throw as a broken connection does. */
export async function openPuppets(between: (request: HttpRequest) => Promise<void> = async () => {}) {
  const app = await startSessionsApp({ trimDelayMs: 0 });

  /** Requests without an answer, and answers that are neither read to their end nor let go of. */
  const open = new Set<HttpRequest>();

  async function exchange(request: HttpRequest): Promise<HttpResponse> {
    open.add(request);
    try {
      const response = await answerOf(request);
      response.body.once("close", () => open.delete(request));
      return response;
    } catch (error) {
      open.delete(request);
      throw error;
    }
  }

  async function answerOf(request: HttpRequest): Promise<HttpResponse> {
    const { method, url, headers, body, signal } = request;
    await Promise.race([between(request), aborted(signal)]);
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const asked = new Request(url, { method, headers: { ...headers, ...length }, ...(body && { body }) });
    const response = await app.fetch(asked);
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: response.body ? Readable.fromWeb(response.body as ReadableStream, { signal }) : Readable.from([]),
    };
  }
  const transport: Transport = { request: exchange, stream: exchange, close: async () => {} };
  // Looked up at every use: a test may have taken the clock by then.
  const now = () => Date.now();
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal?.throwIfAborted();
      const timer = setTimeout(resolve, ms);
      const leave = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
    });
  const api = createTriggerApi({ apiUrl: app.url, token: app.secretKey, transport, now, sleep });
  const service = { ...aService({ tools: [...tools], targets: [target("dev", api)] }), now };

  /** As a transport calls; `quiet`: without a progress token. */
  function call(
    name: string,
    args: object,
    { quiet = false, signal = new AbortController().signal }: { quiet?: boolean; signal?: AbortSignal } = {},
  ): Calling {
    const tool = tools.find((one) => one.name === name);
    if (!tool) throw new Error(`no tool ${name}`);
    const ticks: Tick[] = [];
    let seen = () => {};
    const progress = (tick: Tick) => {
      ticks.push(tick);
      seen();
    };
    return {
      answer: callTool(service, tool, args, { signal, ...(!quiet && { progress }) }),
      ticks,
      records: () =>
        ticks.flatMap(({ _meta }) => (_meta?.["trigger-mcp/records"] as ProgressRecord[] | undefined) ?? []),
      shows: (pattern) =>
        new Promise((resolve) => {
          seen = () => ticks.some(({ message }) => pattern.test(message)) && resolve();
          seen();
        }),
    };
  }

  /** A session nobody has said anything in. */
  async function session(externalId: string, more: object = {}) {
    await app.create({
      ...more,
      externalId,
      triggerConfig: { basePayload: { chatId: externalId, trigger: "preload" } },
    });
    const stored = app.sessions.find(app.environment, externalId);
    if (!stored) throw new Error(`no session ${externalId}`);
    const [input, output] = [channelOf(stored, "in"), channelOf(stored, "out")];
    const append = (record: Parameters<typeof app.channels.append>[1]): number =>
      app.channels.append(output, record)?.seq ?? -1;

    return {
      call: (name: string, args: object = {}, caller?: Parameters<typeof call>[2]) =>
        call(name, { session: externalId, ...args }, caller),
      /** Until `.in` holds the record of this number. */
      hears: (seq: number): Promise<void> =>
        app.channels.grown(input, seq, { timeoutMs: 60_000, signal: new AbortController().signal }),
      /** Puts a user's message on `.in`, as another client of the session would; its number. */
      isAsked: (id: string, text: string): number =>
        app.channels.append(input, dataRecord(chatMessage(externalId, id, text), id), id)?.seq ?? -1,
      /** Chunks on `.out`; the number of the last one. */
      writes: (...chunks: object[]): number => chunks.map((chunk) => append(dataRecord(chunk))).at(-1) ?? -1,
      controls: (name: string, headers: Record<string, string> = {}): number =>
        append({ headers: [["trigger-control", name], ...Object.entries(headers)] }),
      /** A `turn-complete` that has consumed `.in` up to `inputSeq`. */
      completes: (inputSeq?: number, headers: Record<string, string> = {}): number =>
        append({
          headers: [
            ["trigger-control", "turn-complete"],
            ...(inputSeq === undefined
              ? []
              : [["session-in-event-id", String(inputSeq)] as [string, string]]),
            ...Object.entries(headers),
          ],
        }),
      /** Everything before that record is gone. */
      trims: (floor: number): void => app.channels.trim(output, floor),
      /** What the agent has stored of the conversation, up to these positions. */
      stores: (messages: UIMessage[], lastOut: number, lastIn: number): void =>
        saveSnapshot(app.objects, app.environment, stored, {
          version: 1,
          savedAt: Date.now(),
          messages,
          lastOutEventId: String(lastOut),
          lastInEventId: String(lastIn),
        }),
      /** Hands the session to a fresh run; its id. */
      async handsOver(): Promise<string> {
        const path = `/api/v1/sessions/${externalId}`;
        const { currentRunId } = (await (await app.request("GET", path)).json()) as { currentRunId: string };
        const body = JSON.stringify({ callingRunId: currentRunId, reason: "upgrade" });
        const answer = await app.request("POST", `${path}/end-and-continue`, { body });
        return ((await answer.json()) as { runId: string }).runId;
      },
      closes: (reason: string) =>
        app.request("POST", `/api/v1/sessions/${externalId}/close`, { body: JSON.stringify({ reason }) }),
    };
  }

  return {
    session,
    open: (): HttpRequest[] => [...open],
    async close() {
      await api.close();
      await app.close();
    },
  };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

const chatMessage = (chatId: string, id: string, text: string): string =>
  JSON.stringify({
    kind: "message",
    payload: {
      chatId,
      trigger: "submit-message",
      message: { id, role: "user", parts: [{ type: "text", text }] },
    },
  });
