/** Channels with somebody waiting: the store, and the wake-up of whoever follows a stream when it grows. */

import { randomBytes } from "node:crypto";
import {
  type ChannelAddress,
  type ChannelStore,
  createChannelStore,
  type NewRecord,
} from "../store/channels.ts";
import type { Db } from "../store/db.ts";

/** Seconds to a minute on the real store; long enough that a reader one turn behind is never cut off. */
const TRIM_DELAY_MS = 15_000;

export interface Wait {
  /** Longest wait in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

export interface Channels extends ChannelStore {
  /**
   * Resolves as soon as the record `seq` exists, the time is up, the signal aborts, {@link wake} is called or the
   * server closes. Never rejects: look again to see which.
   */
  grown(address: ChannelAddress, seq: number, wait: Wait): Promise<void>;
  /** Makes whoever waits on the channel look again. */
  wake(address: ChannelAddress): void;
  /** The server is stopping: no wait lasts any more. */
  readonly closed: boolean;
  close(): void;
}

export interface ChannelOptions {
  db: Db;
  now?: () => number;
  trimDelayMs?: number;
}

export function createChannels({
  db,
  now = Date.now,
  trimDelayMs = TRIM_DELAY_MS,
}: ChannelOptions): Channels {
  const store = createChannelStore(db, now, trimDelayMs);
  const waiting = new Map<string, Set<() => void>>();
  let closed = false;

  function wake(address: ChannelAddress): void {
    for (const resume of [...(waiting.get(nameOf(address)) ?? [])]) resume();
  }

  function grown(address: ChannelAddress, seq: number, { timeoutMs, signal }: Wait): Promise<void> {
    if (closed || signal.aborted || store.tail(address).seq > seq) return Promise.resolve();
    const name = nameOf(address);
    const waiters = waiting.get(name) ?? new Set();
    waiting.set(name, waiters);
    return new Promise((resolve) => {
      const resume = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", resume);
        waiters.delete(resume);
        if (waiters.size === 0 && waiting.get(name) === waiters) waiting.delete(name);
        resolve();
      };
      const timer = setTimeout(resume, timeoutMs);
      timer.unref();
      signal.addEventListener("abort", resume, { once: true });
      waiters.add(resume);
    });
  }

  return {
    ...store,
    append(address, record, partId) {
      const appended = store.append(address, record, partId);
      wake(address);
      return appended;
    },
    trim(address, floor) {
      store.trim(address, floor);
      wake(address);
    },
    grown,
    wake,
    get closed() {
      return closed;
    },
    close() {
      closed = true;
      for (const waiters of [...waiting.values()]) for (const resume of [...waiters]) resume();
    },
  };
}

/** The envelope of a data record, contract channels.md 3.1. */
export const dataRecord = (data: unknown, id: string = partId()): NewRecord => ({
  body: JSON.stringify({ data, id }),
});

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";

/** Seven characters, as the real writers make them. */
const partId = (): string => Array.from(randomBytes(7), (byte) => ALPHABET[byte % 64]).join("");

const nameOf = ({ environmentId, key, channel = "", io }: ChannelAddress): string =>
  JSON.stringify([environmentId, key, channel, io]);
