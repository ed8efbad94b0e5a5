/** Unix milliseconds, fractional: spans are often shorter than a millisecond. */
export type Clock = () => number;

/**
 * The wall clock with the fractions that `Date.now()` lacks. Rounded down it is `Date.now()`, also after the clock was
 * set or the machine slept, so that nothing is ever created in the future of whoever asks with that.
 */
export function wallClock(): Clock {
  let origin = performance.timeOrigin;
  return () => {
    const wall = Date.now();
    const fine = origin + performance.now();
    const time = Math.min(Math.max(fine, wall), wall + 0.999);
    origin += time - fine;
    return time;
  };
}
