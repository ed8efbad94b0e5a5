/** A resource is read as a tool would read it: at once, so the deadline is that of a call that does not wait. */
import type { ReadContext } from "../tools/reading.ts";
import type { ResourceContext } from "./define.ts";

/** Milliseconds. */
const READING = 45_000;

export const readContext = ({ api, signal, view }: ResourceContext): ReadContext => ({
  api,
  signal,
  now: () => view.now,
  deadline: () => view.now + READING,
});
