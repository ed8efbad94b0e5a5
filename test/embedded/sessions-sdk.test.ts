import { auth, configure, sessions } from "@trigger.dev/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../support/embedded.ts";

type Chunk = { type: string; delta?: string };
interface Part {
  id: string;
}
interface Control {
  subtype: string;
  seqNum: number;
  headers: readonly (readonly [string, string])[];
}

const ONCE = { retry: { maxAttempts: 1 } };
const message = (text: string) => ({
  kind: "message",
  payload: {
    chatId: "chat",
    trigger: "submit-message",
    message: { id: text, role: "user", parts: [{ type: "text", text }] },
  },
});

describe("the real SDK's sessions against the embedded API", () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
    configure({ baseURL: api.url, accessToken: api.secretKey });
  });
  afterAll(() => api?.close());

  const start = (externalId?: string, more: object = {}) =>
    sessions.start({
      type: "chat.agent",
      taskIdentifier: "support-agent",
      triggerConfig: { basePayload: { chatId: externalId, trigger: "preload" } },
      ...(externalId !== undefined && { externalId }),
      ...more,
    });

  /** Reads `.out` until the turn-complete that ends the reading; the cursor is the position after each part. */
  async function readTurn(session: string, lastEventId?: string) {
    const gone = new AbortController();
    const cursors: string[] = [];
    const chunks: Chunk[] = [];
    let control: Control | undefined;
    const stream = await sessions.open(session).out.read<Chunk>({
      signal: gone.signal,
      timeoutInSeconds: 30,
      ...(lastEventId !== undefined && { lastEventId }),
      onPart: (part: Part) => void cursors.push(part.id),
      onControl: (event: Control) => {
        if (event.subtype !== "turn-complete") return;
        control = event;
        gone.abort();
      },
    });
    try {
      for await (const chunk of stream) chunks.push(chunk);
    } catch (error) {
      if (!gone.signal.aborted) throw error;
    }
    return { chunks, cursors, control };
  }
  const textOf = (chunks: Chunk[]) =>
    chunks.flatMap(({ type, delta }) => (type === "text-delta" ? [delta] : [])).join("");

  it("starts, retrieves, updates, lists and closes", async () => {
    const started = await start("sdk-life", { tags: ["sdk"], metadata: { plan: "pro" } });
    expect(started).toMatchObject({ externalId: "sdk-life", isCached: false, tags: ["sdk"] });
    expect((await start("sdk-life")).isCached).toBe(true);
    expect((await sessions.retrieve(started.id)).currentRunId).toBe(started.runId);
    const updated = await sessions.update("sdk-life", { tags: ["sdk", "seen"], metadata: null });
    expect(updated).toMatchObject({ tags: ["sdk", "seen"], metadata: null });

    const listed: string[] = [];
    for await (const item of sessions.list({ tag: "seen", limit: 1 })) listed.push(item.id);
    expect(listed).toEqual([started.id]);

    const closed = await sessions.close("sdk-life", { reason: "solved" });
    expect(closed.closedReason).toBe("solved");
    expect(closed.closedAt).toBeInstanceOf(Date);
    await expect(sessions.open("sdk-life").in.send(message("hello"), ONCE)).rejects.toMatchObject({
      status: 400,
    });
  });

  it("pages through a list in the SDK's own way", async () => {
    for (let count = 0; count < 3; count += 1) await start(undefined, { type: "paged" });
    const seen: string[] = [];
    for await (const item of sessions.list({ type: "paged", limit: 2 })) seen.push(item.id);
    expect(new Set(seen).size).toBe(3);
  });

  it("sends a message and reads the whole turn that answers it", async () => {
    await start("sdk-chat");
    await sessions.open("sdk-chat").in.send(message("where is order 4821?"));
    const { chunks, control } = await readTurn("sdk-chat");
    expect(textOf(chunks)).toBe("It shipped on 15 March and arrives on the 19th.");
    expect(chunks.at(0)?.type).toBe("start");
    expect(chunks.at(-1)?.type).toBe("finish");
    expect(control?.headers).toContainEqual(["session-in-event-id", "0"]);
  });

  it("resumes from any cursor without losing or repeating a chunk", async () => {
    await start("sdk-resume");
    await sessions.open("sdk-resume").in.send(message("thanks"));
    const whole = await readTurn("sdk-resume");
    const middle = Math.floor(whole.chunks.length / 2);
    const rest = await readTurn("sdk-resume", whole.cursors[middle]);
    expect(rest.chunks).toEqual(whole.chunks.slice(middle + 1));

    await sessions.open("sdk-resume").in.send(message("hello"));
    const next = await readTurn("sdk-resume", whole.cursors.at(-1));
    expect(textOf(next.chunks)).toMatch(/^Hello/);
  });

  it("lets a session's public token do what its session allows, and nothing else", async () => {
    const mine = await start("sdk-mine");
    await start("sdk-other");
    await auth.withAuth({ baseURL: api.url, accessToken: mine.publicAccessToken }, async () => {
      expect((await sessions.retrieve("sdk-mine")).id).toBe(mine.id);
      expect((await sessions.retrieve(mine.id)).id).toBe(mine.id);
      await sessions.open("sdk-mine").in.send(message("thanks"));
      expect(textOf((await readTurn("sdk-mine")).chunks)).toMatch(/^You are welcome/);

      const refused = { status: 403 };
      await expect(sessions.retrieve("sdk-other", ONCE)).rejects.toMatchObject(refused);
      await expect(sessions.open("sdk-other").in.send(message("hello"), ONCE)).rejects.toMatchObject(refused);
      await expect(sessions.update("sdk-mine", { tags: [] }, ONCE)).rejects.toMatchObject(refused);
      await expect(sessions.close("sdk-mine", {}, ONCE)).rejects.toMatchObject(refused);
      await expect(sessions.list({}, ONCE)).rejects.toMatchObject(refused);
    });
  });

  it("takes tokens the SDK makes itself, the refreshed one of a turn included", async () => {
    await start("sdk-token");
    await sessions.open("sdk-token").in.send(message("thanks"));
    const { control } = await readTurn("sdk-token");
    const refreshed = control?.headers.find(([name]) => name === "public-access-token")?.[1] ?? "";
    const reader = await auth.createPublicToken({ scopes: { read: { sessions: "sdk-token" } } });
    for (const accessToken of [refreshed, reader]) {
      await auth.withAuth({ baseURL: api.url, accessToken }, async () => {
        expect((await sessions.retrieve("sdk-token")).externalId).toBe("sdk-token");
      });
    }
    await auth.withAuth({ baseURL: api.url, accessToken: reader }, async () => {
      const sending = sessions.open("sdk-token").in.send(message("hello"), ONCE);
      await expect(sending).rejects.toMatchObject({ status: 403 });
    });
  });
});
