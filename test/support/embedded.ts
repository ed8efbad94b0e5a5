/** The embedded API for tests: started on any free port, spoken to over HTTP. */
import { type EmbeddedApi, type EmbeddedOptions, startEmbedded } from "../../src/embedded/index.ts";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of every shape.
  body: any;
}

export interface Ask {
  method?: string;
  /** Sent as JSON, or as it is when it is text. */
  body?: unknown;
  /** Bearer token; null sends no Authorization at all. */
  token?: string | null;
  headers?: Record<string, string>;
}

export interface TestApi extends EmbeddedApi {
  /** With the secret key and the current status vocabulary unless told otherwise. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** Triggers a task and answers the run's id. */
  trigger(task: string, payload?: unknown, options?: object): Promise<string>;
}

export const asker =
  (url: string, secretKey: string) =>
  async (
    path: string,
    { method = "GET", body, token = secretKey, headers = {} }: Ask = {},
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      redirect: "manual",
      headers: {
        "x-trigger-api-version": "2025-07-16",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  };

export async function startTestApi(options: EmbeddedOptions = {}): Promise<TestApi> {
  const api = await startEmbedded({ logger: console, ...options });
  const ask = asker(api.url, api.secretKey);
  return {
    ...api,
    ask,
    async trigger(task, payload, options) {
      const body = { payload, ...(options ? { options } : {}) };
      const {
        status,
        text,
        body: answer,
      } = await ask(`/api/v1/tasks/${task}/trigger`, { method: "POST", body });
      if (status !== 200) throw new Error(`trigger answered ${status}: ${text}`);
      return answer.id;
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
