/**
 * Who wants to know when which resource changes, whatever protocol era and connection they came by. A resource is
 * watched only while somebody wants to know, once for all of them, and they are told at a bearable pace.
 */
import { TriggerError } from "../../domain/errors.ts";
import type { ChannelRef } from "../../domain/record.ts";
import { type FoundResource, findResource } from "../resources.ts";
import type { Service } from "../service.ts";
import { followed } from "./follow.ts";
import { paced } from "./pace.ts";
import { reread } from "./reread.ts";
import { type Listener, Shared } from "./shared.ts";
import type { Waits, Watch } from "./watch.ts";

export type { Listener } from "./shared.ts";
export type { Watch } from "./watch.ts";

/** Milliseconds. */
export interface SubscriptionTiming extends Waits {
  /** A resource that keeps changing is told at most once in this time. */
  paceMs: number;
  /** How long a connection's subscriptions outlive the stream that its updates go out on. */
  unheardMs: number;
}

export const TIMING: SubscriptionTiming = { everyMs: 5_000, mostMs: 60_000, paceMs: 1_000, unheardMs: 5_000 };

/** A stream costs the API a connection, reading again a request every few seconds. */
export const MOST_FOLLOWED = 500;
export const MOST_REREAD = 50;

/** What a resource stands at is found out well before hosts give up. */
const READY_MS = 45_000;

/** One per process, so that many subscribers of one resource cost the API as much as one. */
export class Subscriptions {
  readonly timing: SubscriptionTiming;
  readonly #service: Service;
  readonly #followed = { watches: new Shared(), most: MOST_FOLLOWED };
  readonly #reread = { watches: new Shared(), most: MOST_REREAD };
  /** Below the resources: a transcript and a channel of the same session share their streams. */
  readonly #channels = new Shared();

  constructor(service: Service, timing: SubscriptionTiming = TIMING) {
    this.#service = service;
    this.timing = timing;
  }

  /** Resources being watched. */
  get size(): number {
    return this.#followed.watches.size + this.#reread.watches.size;
  }

  /**
   * Watches what the URI names for `listener`. A URI that names nothing, something this credential may not read, or one
   * too many is refused: `ready` then rejects.
   */
  open(uri: string, listener: Listener): Watch {
    try {
      const found = findResource(this.#service, uri);
      if (found === undefined) throw new TriggerError("not_found", `${uri} is no resource`);
      const { watches, most } = found.resource.channels ? this.#followed : this.#reread;
      if (!watches.has(uri) && watches.size >= most) throw full(most);
      return watches.join(uri, (changed) => this.#begin(found, changed), listener);
    } catch (error) {
      return refused(error);
    }
  }

  #begin(found: FoundResource, changed: () => void): Watch {
    const channels = found.resource.channels?.(found.variables);
    const pace = paced(this.timing.paceMs, changed);
    const watch = channels
      ? this.#follow(channels, pace.poke)
      : reread(this.#service, found, this.timing, pace.poke);
    return {
      ready: within(READY_MS, watch.ready),
      stop() {
        watch.stop();
        pace.stop();
      },
    };
  }

  /** Channels answer for sessions that do not exist too (api.md 5.2), some servers by making them: so that is asked first. */
  #follow(channels: readonly ChannelRef[], changed: () => void): Watch {
    const stopped = new AbortController();
    const { signal } = stopped;
    const shares: Watch[] = [];
    const begin = async () => {
      const api = await this.#service.targets[0].api();
      const asked = [...new Set(channels.map(({ session }) => session))];
      const found = await Promise.all(asked.map((session) => api.sessions.retrieve(session, { signal })));
      signal.throwIfAborted();
      for (const channel of channels) {
        // Both ids of a session name the same stream; a scope may be good for the one that was asked with only.
        const { id = channel.session } = found[asked.indexOf(channel.session)] ?? {};
        const follow = (told: () => void) => followed(this.#service, channel, this.timing, told);
        shares.push(this.#channels.join(keyOf({ ...channel, session: id }), follow, changed));
      }
      await Promise.all(shares.map(({ ready }) => ready));
    };
    return {
      ready: begin(),
      stop() {
        stopped.abort();
        for (const share of shares) share.stop();
      },
    };
  }
}

const keyOf = ({ session, channel, io }: ChannelRef): string => JSON.stringify([session, channel, io]);

const full = (most: number) =>
  new TriggerError(
    "invalid_request",
    `At most ${most} such resources can be watched at a time; unsubscribe from another first.`,
  );

function refused(error: unknown): Watch {
  const ready = Promise.reject(error);
  ready.catch(() => {});
  return { ready, stop() {} };
}

/** `work`, or a rejection after so many milliseconds. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const overdue = new TriggerError("timeout", "the resource could not be found in time", {
      retryable: true,
    });
    timer = setTimeout(() => reject(overdue), ms);
    timer.unref();
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
