#!/usr/bin/env node
/** argv to a running command. Only this file is loaded before the compile cache is on. */
import module from "node:module";

/** Node 22 and later; a second start then takes compiled code from disk. */
const cache = module as typeof module & {
  enableCompileCache?: () => unknown;
  flushCompileCache?: () => void;
};
cache.enableCompileCache?.();

/** Hosts kill their servers, so the cache is written early instead of at exit: once everything has surely loaded. */
const FLUSH_AFTER_MS = 2_000;
setTimeout(() => cache.flushCompileCache?.(), FLUSH_AFTER_MS).unref();

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => stop.abort());
}

const { start } = await import("./cli/start.ts");
process.exitCode = await start(process.argv.slice(2), process.env, stop.signal);
