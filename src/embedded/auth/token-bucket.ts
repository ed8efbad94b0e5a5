/** Token buckets and fixed windows, one per key, contract retries.md 1. Times are Unix milliseconds. */

export interface Taken {
  allowed: boolean;
  limit: number;
  /** May be negative when refused. */
  remaining: number;
  /** When the bucket is full again, or the window ends; for a refusal, when asking again can succeed. */
  resetAt: number;
}

export interface TokenBuckets {
  take(key: string, count?: number): Taken;
}

export interface BucketOptions {
  limit: number;
  /** Tokens given back every `intervalMs`. */
  refill: number;
  intervalMs: number;
}

/** Past this many keys the least recently used ones are forgotten: a full bucket is what they would have anyway. */
const KEYS = 10_000;

/** Refills in steps, as the real limiter does; a fixed window is a bucket whose refill is its limit. */
export function createTokenBuckets(
  { limit, refill, intervalMs }: BucketOptions,
  now: () => number = Date.now,
): TokenBuckets {
  const buckets = new Map<string, { tokens: number; since: number }>();

  return {
    take(key, count = 1) {
      const time = now();
      const bucket = buckets.get(key) ?? { tokens: limit, since: time };
      // A clock set back must not empty the bucket.
      const began = Math.min(bucket.since, time);
      const steps = Math.floor((time - began) / intervalMs);
      const tokens = Math.min(limit, bucket.tokens + steps * refill);
      const since = began + steps * intervalMs;
      const allowed = tokens >= count;
      const left = allowed ? tokens - count : tokens;
      buckets.delete(key);
      buckets.set(key, { tokens: left, since });
      if (buckets.size > KEYS) forgetOldest(buckets);
      const missing = (allowed ? limit : Math.min(count, limit)) - left;
      const resetAt = since + Math.max(1, Math.ceil(missing / refill)) * intervalMs;
      return { allowed, limit, remaining: allowed ? left : tokens - count, resetAt };
    },
  };
}

function forgetOldest(buckets: Map<string, unknown>): void {
  const oldest = buckets.keys().next();
  if (!oldest.done) buckets.delete(oldest.value);
}
