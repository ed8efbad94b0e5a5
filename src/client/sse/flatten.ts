/** Batches as single items, without an asynchronous step for each, and with a `return` that does not wait in line. */

/**
 * `stop` makes a pending `batches.next()` settle. A generator's own `return` would queue behind that pending call, so
 * leaving the loop while nothing arrives would never close the socket.
 */
export function flatten<T>(batches: AsyncGenerator<T[]>, stop: AbortController): AsyncIterableIterator<T> {
  let batch: T[] = [];
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
      while (!stop.signal.aborted) {
        if (at < batch.length) {
          const value = batch[at] as T;
          at += 1;
          return { done: false, value };
        }
        filling ??= fill();
        if (!(await filling)) break;
      }
      return { done: true, value: undefined };
    },
    async return() {
      stop.abort();
      await batches.return(undefined);
      return { done: true, value: undefined };
    },
  };
}
