/** Which request meets which fault: streams break, stall and repeat, answers get lost, gateways have bad moments, tokens expire. */
import type { IncomingMessage } from "node:http";
import type { Fault } from "../../src/embedded/faults.ts";

const EXPIRY_MS = 3_000;
/** Tokens minted in the same second are the same: the one that replaces another has to be younger. */
const MINTED_MS = 1_000;
const BURST_MS = 250;
const BETWEEN_BURSTS_MS = 2_000;
const BURSTS = [429, 500, 502];

export function chaosFaults(random: () => number, now: () => number = Date.now) {
  const firstSeen = new Map<string, number>();
  const began = now();
  const upTo = (most: number) => Math.floor(random() * most);

  /** Every few seconds all tokens known by then have expired. Exchanged ones only: nothing replaces a key. */
  function hasExpired(authorization = ""): boolean {
    if (!authorization.startsWith("Bearer eyJ")) return false;
    const seen = firstSeen.get(authorization) ?? now();
    firstSeen.set(authorization, seen);
    const expiry = now() - ((now() - began) % EXPIRY_MS);
    return seen < expiry - MINTED_MS;
  }

  function burst(): number | undefined {
    const [round, at] = [
      Math.floor((now() - began) / BETWEEN_BURSTS_MS),
      (now() - began) % BETWEEN_BURSTS_MS,
    ];
    return round > 0 && at < BURST_MS ? BURSTS[round % BURSTS.length] : undefined;
  }

  function streamFault(chance: number): Fault | undefined {
    if (chance < 0.55) return { kind: "cut", after: upTo(4_000) };
    if (chance < 0.6) return { kind: "stall", after: upTo(2_000) };
    if (chance < 0.75) return { kind: "repeat", records: 1 + upTo(5) };
    return chance < 0.85 ? { kind: "delay", ms: upTo(150) } : undefined;
  }

  function callFault(chance: number): Fault | undefined {
    if (chance < 0.1) return { kind: "lose" };
    if (chance < 0.15) return { kind: "cut", after: upTo(100) };
    return chance < 0.25 ? { kind: "delay", ms: upTo(150) } : undefined;
  }

  return ({ headers }: Pick<IncomingMessage, "headers">): Fault | undefined => {
    if (hasExpired(headers.authorization)) return { kind: "refuse", status: 401 };
    const status = burst();
    if (status !== undefined) return { kind: "refuse", status };
    return headers.accept === "text/event-stream" ? streamFault(random()) : callFault(random());
  };
}
