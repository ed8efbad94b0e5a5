/** Many changes as few words: the first is told at once, what comes soon after it together, and the last is never lost. */

export interface Pace {
  /** Something has changed. */
  poke(): void;
  /** Nothing is told any more. */
  stop(): void;
}

/** Tells at most once in `ms` milliseconds; after the last poke it always tells once more or is telling now. */
export function paced(ms: number, tell: () => void): Pace {
  let timer: NodeJS.Timeout | undefined;
  let again = false;
  const say = () => {
    again = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (again) say();
    }, ms);
    timer.unref();
    tell();
  };
  return {
    poke() {
      if (timer === undefined) say();
      else again = true;
    },
    stop: () => {
      clearTimeout(timer);
      again = false;
    },
  };
}
