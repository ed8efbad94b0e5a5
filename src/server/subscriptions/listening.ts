/** The 2026 protocol era: what a `subscriptions/listen` request asks for, how much of it is honoured, and until when. */
import { type Listener, MOST_FOLLOWED, MOST_REREAD, type Subscriptions, type Watch } from "./index.ts";

/** More than that is not even looked at. */
const MOST_ASKED = MOST_FOLLOWED + MOST_REREAD;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** The URIs a message wants to hear of; `undefined` when it is no listen request or none in the form the SDK accepts. */
export function urisAsked(message: unknown): string[] | undefined {
  if (!isObject(message) || message.method !== "subscriptions/listen" || !isObject(message.params))
    return undefined;
  const { notifications } = message.params;
  const uris = isObject(notifications) ? notifications.resourceSubscriptions : undefined;
  return Array.isArray(uris) && uris.every((uri) => typeof uri === "string") ? uris : undefined;
}

/** The same listen request for these URIs only: the SDK acknowledges whatever URIs it is asked for. */
export function withUris<Message>(message: Message, uris: readonly string[]): Message {
  const { params } = message as { params: { notifications: object } };
  return {
    ...message,
    params: { ...params, notifications: { ...params.notifications, resourceSubscriptions: uris } },
  };
}

/** What one listen request holds. */
export class Listening {
  readonly #subscriptions: Subscriptions;
  readonly #tell: Listener;
  #watches: Watch[] = [];
  #ended = false;

  constructor(subscriptions: Subscriptions, tell: Listener) {
    this.#subscriptions = subscriptions;
    this.#tell = tell;
  }

  /** Whether it was ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Watches them; resolves with those that are watched now, the others have been refused. */
  async honour(uris: readonly string[]): Promise<string[]> {
    const asked = [...new Set(uris)].slice(0, MOST_ASKED);
    const opened = asked.map((uri) => this.#subscriptions.open(uri, this.#tell));
    this.#watches = opened;
    const outcomes = await Promise.allSettled(opened.map(({ ready }) => ready));
    return asked.filter((_, index) => outcomes[index]?.status === "fulfilled");
  }

  /** Can be called twice. */
  end(): void {
    this.#ended = true;
    for (const watch of this.#watches) watch.stop();
  }
}
