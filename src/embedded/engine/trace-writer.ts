/** Gathers changed spans and stores them together: a task may open thousands in a second. */
import type { SpanStore } from "../store/spans.ts";
import type { StoredSpan } from "./types.ts";

/** The longest a change is kept back while nobody looks and no status changes. */
const FLUSH_AFTER_MS = 50;

export interface TraceWriter {
  /** Notes that a span is new or has changed. */
  write(span: StoredSpan): void;
  /** Stores everything noted; readers call it before they look. */
  flush(): void;
  /** Stores everything noted and ignores whatever comes later. */
  stop(): void;
}

export function createTraceWriter(store: SpanStore): TraceWriter {
  const changed = new Set<StoredSpan>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (changed.size === 0) return;
    store.write(changed);
    changed.clear();
  };

  return {
    write: (span) => {
      if (stopped) return;
      changed.add(span);
      timer ??= setTimeout(flush, FLUSH_AFTER_MS).unref();
    },
    flush,
    stop: () => {
      flush();
      stopped = true;
    },
  };
}
