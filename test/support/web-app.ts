/**
 * A web application as the vendor's documentation builds one: on its server the actions of `@trigger.dev/sdk/ai`, in each
 * browser tab the SDK's own chat transport, and the AI SDK that makes messages of what it streams.
 */
import { auth } from "@trigger.dev/sdk";
import { chat, defaultStorage } from "@trigger.dev/sdk/ai";
import { type ChatSessionPersistedState, TriggerChatTransport } from "@trigger.dev/sdk/chat";
import { readUIMessageStream, simulateReadableStream, type UIMessage, type UIMessageChunk } from "ai";

const TASK = "support-agent";

const startSession = chat.createStartSessionAction(TASK);
const loadTranscript = chat.createLoadTranscriptAction<unknown>(defaultStorage);

export interface WebApp {
  /** The conversation as the SDK's server action loads it for a page that opens. */
  transcript(): Promise<UIMessage[]>;
  /** A tab that has loaded the transcript and started the session. `saved`: instead it goes on from what a page has kept. */
  tab(saved?: ChatSessionPersistedState): Promise<Tab>;
  /** A tab that only looks on, from the beginning; its messages, once the session is closed. */
  watch(): { messages: Promise<UIMessage[]>; status(): Promise<string> };
}

export interface Tab {
  /** Every message its streams have told of, as they were told. */
  heard: UIMessage[];
  /** Sends a message; the last message that its stream tells of, which is the answer. */
  ask(question: UIMessage): Promise<UIMessage>;
  /** Sends it, and does not wait for its stream. */
  begin(question: UIMessage): Promise<{ answer: Promise<UIMessage>; firstChunk: Promise<void> }>;
  /** Answers the tool that asks for approval in the last message heard. */
  approve(approved: boolean): Promise<UIMessage>;
  /** Takes up the stream of a turn under way, as after a reload of the page; undefined where there is none. */
  resume(): Promise<UIMessage | undefined>;
  stop(): Promise<boolean>;
  /** What a page keeps across reloads. */
  saved(): ChatSessionPersistedState;
  /** The page is left. */
  leave(): void;
}

export const question = (id: string, text: string): UIMessage => ({
  id,
  role: "user",
  parts: [{ type: "text", text }],
});

/** `configure` of the SDK must have told it the API's URL and secret key. */
export function openWebApp(apiUrl: string, chatId: string): WebApp {
  const scopes = { read: { sessions: chatId }, write: { sessions: chatId } };
  const transportOf = (options: { watch?: boolean; saved?: ChatSessionPersistedState | undefined } = {}) =>
    new TriggerChatTransport({
      task: TASK,
      baseURL: apiUrl,
      startSession: ({ chatId: id }) => startSession({ chatId: id }),
      accessToken: () => auth.createPublicToken({ scopes }),
      ...(options.watch && { watch: true }),
      ...(options.saved && { sessions: { [chatId]: options.saved } }),
    });

  async function tab(saved?: ChatSessionPersistedState): Promise<Tab> {
    const { messages, cursors } = await loadTranscript({ chatId });
    const transport = transportOf({ saved });
    if (!saved) await transport.start(chatId);
    if (cursors?.lastOutEventId !== undefined) transport.seedResumeCursor(chatId, cursors.lastOutEventId);
    const heard: UIMessage[] = [];

    async function read(
      stream: ReadableStream<UIMessageChunk>,
      onChunk?: () => void,
    ): Promise<UIMessage | undefined> {
      const told = await messagesOf(stream, [...messages, ...heard], onChunk);
      heard.push(...told);
      return told.at(-1);
    }

    async function begin(message: UIMessage) {
      const stream = await transport.sendMessages({
        trigger: "submit-message",
        chatId,
        messageId: undefined,
        messages: [...messages, ...heard, message],
        abortSignal: undefined,
      });
      let begun = () => {};
      const firstChunk = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const answer = read(stream, () => begun()).then(existing);
      return { answer, firstChunk };
    }
    const ask = async (message: UIMessage) => (await begin(message)).answer;

    return {
      heard,
      ask,
      begin,
      approve(approved) {
        const asking = existing([...messages, ...heard].findLast(({ role }) => role === "assistant"));
        const parts = asking.parts.map((part) =>
          "state" in part && part.state === "approval-requested" && "approval" in part
            ? { ...part, state: "approval-responded", approval: { ...part.approval, approved } }
            : part,
        );
        return ask({ ...asking, parts: parts as UIMessage["parts"] });
      },
      async resume() {
        const stream = await transport.reconnectToStream({ chatId });
        return stream ? read(stream) : undefined;
      },
      stop: () => transport.stopGeneration(chatId),
      saved: () => existing(transport.getSession(chatId)),
      leave: () => transport.dispose(),
    };
  }

  return {
    transcript: async () => (await loadTranscript({ chatId })).messages,
    tab,
    watch() {
      let watching: TriggerChatTransport | undefined;
      const messages = (async () => {
        const publicAccessToken = await chat.createWatchToken(chatId);
        watching = transportOf({ watch: true, saved: { publicAccessToken } });
        return messagesOf(existing(await watching.reconnectToStream({ chatId })), []);
      })();
      return { messages, status: async () => existing(watching).sessionStatus(chatId) };
    },
  };
}

function existing<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("there is none");
  return value;
}

/**
 * The messages a stream tells of, as the AI SDK reads them. The transport passes on everything behind its cursor, turns
 * somebody else asked for included; each begins with a `start`. `known`: messages one of them may go on with.
 */
async function messagesOf(
  stream: ReadableStream<UIMessageChunk>,
  known: UIMessage[],
  onChunk: () => void = () => {},
): Promise<UIMessage[]> {
  const turns: UIMessageChunk[][] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.type === "start") turns.push([]);
    turns.at(-1)?.push(next.value);
    onChunk();
  }
  const messages: UIMessage[] = [];
  for (const chunks of turns) {
    const [start] = chunks;
    const id = start?.type === "start" ? start.messageId : undefined;
    const before = [...known, ...messages].findLast((message) => message.id === id);
    const reading = readUIMessageStream({
      stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }),
      ...(before && { message: structuredClone(before) }),
    });
    let last: UIMessage | undefined;
    for await (const message of reading) last = message;
    messages.push(existing(last));
  }
  return messages;
}
