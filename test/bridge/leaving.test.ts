/**
 * A caller that goes away, whatever its call is doing then: all that is open upstream for it is let go of at once. Time stands
 * still here, so that nothing can be waiting for a timer.
 */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HttpRequest } from "../../src/client/transport.ts";
import { answer } from "../support/channel.ts";
import { openPuppets, type Puppet, type Puppets } from "../support/puppet-agent.ts";

let puppets: Puppets;
let between: (request: HttpRequest) => Promise<void>;

beforeEach(async () => {
  between = async () => {};
  puppets = await openPuppets((request) => between(request));
  vi.useFakeTimers();
});
afterEach(async () => {
  vi.useRealTimers();
  await puppets.close();
});

const isStream = ({ headers }: HttpRequest): boolean => headers.accept === "text/event-stream";

const held = (isIt: (request: HttpRequest) => boolean) => (request: HttpRequest) =>
  isIt(request) ? new Promise<void>(() => {}) : Promise.resolve();

interface Phase {
  tool?: string;
  args?: object;
  /** Before the call. */
  before?: () => void;
  /** Until the call is where it is to be left. */
  until?: (session: Puppet) => Promise<unknown>;
  /** Requests that are open then. */
  open: number;
}

const PHASES: Record<string, Phase> = {
  "looks where the session stands": {
    before: () => {
      between = held(() => true);
    },
    open: 3,
  },
  "sends its message": {
    tool: "send_session_message",
    args: { message: "hi" },
    before: () => {
      between = held(({ method }) => method === "POST");
    },
    open: 1,
  },
  "opens the stream": {
    before: () => {
      between = held(isStream);
    },
    open: 1,
  },
  "waits before it opens the stream again": {
    before: () => {
      between = async (request) => {
        if (isStream(request)) throw new Error("connection refused");
      };
    },
    open: 0,
  },
  "waits for a silent agent": { until: () => vi.advanceTimersByTimeAsync(60_000), open: 1 },
  "hears a turn": {
    until: async (session) => {
      session.writes(...answer("Never to be finished").slice(0, 5));
      await vi.advanceTimersByTimeAsync(0);
    },
    open: 1,
  },
  "reads on after its deadline": {
    args: { timeout_seconds: 1 },
    until: async () => {
      between = held(() => true);
      await vi.advanceTimersByTimeAsync(1_100);
    },
    open: 1,
  },
};

it.each(
  Object.entries(PHASES),
)("one that leaves while its call %s leaves nothing open", async (name, phase) => {
  const { tool = "follow_session", args = {}, before, until, open } = phase;
  const session = await puppets.session(name.replaceAll(" ", "-"));
  // Its run has begun by then, and sleeps.
  await vi.advanceTimersByTimeAsync(60_000);
  const timers = vi.getTimerCount();
  before?.();
  const caller = new AbortController();
  const calling = session.call(tool, args, { signal: caller.signal });
  await vi.advanceTimersByTimeAsync(0);
  await until?.(session);
  const upstream = puppets.open();
  expect(upstream).toHaveLength(open);

  caller.abort();
  // In this very tick; what the API sees of it follows without a timer.
  expect(upstream.map(({ signal }) => signal.aborted)).toEqual(upstream.map(() => true));
  await vi.advanceTimersByTimeAsync(0);
  expect(puppets.open()).toEqual([]);

  await vi.advanceTimersByTimeAsync(1_000);
  expect((await calling.answer).structured).toMatchObject({ code: "cancelled" });
  expect(vi.getTimerCount()).toBe(timers);
});
