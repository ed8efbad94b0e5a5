/**
 * Conversations with the embedded support agent through a proxy full of faults. Every question has an answer of its
 * own, and somebody without faults listens as well: whatever is lost, doubled or mixed up shows.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createTriggerApi } from "../../src/client/index.ts";
import { startEmbedded } from "../../src/embedded/index.ts";
import { chaosFaults } from "./chaos-faults.ts";
import { openTalk, type Tally } from "./chaos-talk.ts";
import { startFaultyProxy } from "./faulty-proxy.ts";
import { seededRandom } from "./random.ts";

export interface ChaosOptions {
  conversations: number;
  /** Asked before every further question of a conversation: how many it has had. */
  goOn(asked: number): boolean;
  seed: number;
}

export interface ChaosReport extends Tally {
  /** How many of each kind really happened. */
  faults: Readonly<Record<string, number>>;
  /** Bytes in use after collection: when every conversation is under way, and at the end. */
  heap: { before: number; after: number };
  /** Still open: answers when everybody had left, sockets when the clients were closed. */
  left: { answers: number; sockets: number };
}

/** As usual three pings missed are a dead stream, only sooner, so that stalls are part of the game. */
const PING_MS = 200;
const TIMEOUTS = { idle: 3 * PING_MS, attempt: 3_000, connect: 3_000, budget: 15_000 };
/** Cuts that are shorter than what is to be caught up with can hold a reader up for ten seconds, and again. */
const TRIM_DELAY_MS = 45_000;
const UNLIMITED = { limit: 1e9, refill: 1e9, intervalMs: 1_000 };

export async function chaos({ conversations, goOn, seed }: ChaosOptions): Promise<ChaosReport> {
  const embedded = await startEmbedded({
    pingMs: PING_MS,
    trimDelayMs: TRIM_DELAY_MS,
    rateLimits: { secretKey: UNLIMITED, publicToken: UNLIMITED },
  });
  const proxy = await startFaultyProxy(embedded.url, chaosFaults(seededRandom(seed)));
  const direct = createTriggerApi({ apiUrl: embedded.url, token: embedded.secretKey });
  const personal = { token: embedded.personalToken, projectRef: embedded.projectRef, environment: "dev" };
  const clients = Array.from({ length: conversations }, (_, index) =>
    createTriggerApi({
      apiUrl: proxy.url,
      timeouts: TIMEOUTS,
      // Every other one exchanges tokens, which expire.
      ...(index % 2 === 0 ? { token: embedded.secretKey } : personal),
    }),
  );
  const tally: Tally = { questions: 0, records: 0, recovered: 0, problems: [] };
  const heap = { before: 0, after: 0 };
  let warm = 0;
  const closeClients = () => Promise.all(clients.map((api) => api.close()));

  try {
    await Promise.all(
      clients.map(async (api, index) => {
        const talk = await openTalk(direct, api, `chaos-${index}`, tally);
        for (let asked = 0; asked === 0 || goOn(asked); asked += 1) {
          const order = 100_000 + index * 1_000 + asked * 2;
          // Now and then two at once, the second while the first is being answered.
          await Promise.all((asked % 3 === 2 ? [order, order + 1] : [order]).map(talk.ask));
          if (asked > 0) continue;
          warm += 1;
          if (warm === conversations) heap.before = heapInUse();
        }
        await talk.end();
      }),
    );
    heap.after = heapInUse();
    const answers = await atRest(() => proxy.open().answers);
    await closeClients();
    const left = { answers, sockets: await atRest(() => proxy.open().sockets) };
    return { ...tally, faults: proxy.faults, heap, left };
  } finally {
    await closeClients();
    await direct.close();
    await proxy.close();
    await embedded.close();
  }
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Closing takes a moment to be noticed at the other end: looks until nothing is open, for three seconds at most. */
async function atRest(open: () => number): Promise<number> {
  for (let look = 0; look < 60 && open() > 0; look += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return open();
}
