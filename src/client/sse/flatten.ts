/** Batches with a `return` that does not wait in line, and their items one by one without an asynchronous step for each. */

/**
 * `stop` makes a pending `batches.next()` settle. A generator's own `return` would queue behind that pending call, so
 * leaving the loop while nothing arrives would never close the socket.
 */
export function interruptible<T>(
  batches: AsyncGenerator<T>,
  stop: AbortController,
): AsyncIterableIterator<T> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const next = stop.signal.aborted ? undefined : await batches.next();
      return next && !next.done && !stop.signal.aborted ? next : { done: true, value: undefined };
    },
    async return() {
      stop.abort();
      await batches.return(undefined);
      return { done: true, value: undefined };
    },
  };
}

export function flatten<T>(batches: AsyncIterableIterator<readonly T[]>): AsyncIterableIterator<T> {
  let batch: readonly T[] = [];
  let at = 0;
  let filling: Promise<boolean> | undefined;

  async function fill(): Promise<boolean> {
    try {
      const next = await batches.next();
      if (next.done) return false;
      batch = next.value;
      at = 0;
      return true;
    } finally {
      filling = undefined;
    }
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      while (at >= batch.length) {
        filling ??= fill();
        if (!(await filling)) return { done: true, value: undefined };
      }
      const value = batch[at] as T;
      at += 1;
      return { done: false, value };
    },
    async return() {
      batch = [];
      await batches.return?.();
      return { done: true, value: undefined };
    },
  };
}
