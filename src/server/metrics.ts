/** Counters of the process, in the Prometheus text format. */

export type Outcome = "ok" | "error" | "refused" | "cancelled";

export interface Metrics {
  /** A tool call began; call the result with its outcome when it ends. */
  started(tool: string): (outcome: Outcome) => void;
  /** Calls being answered now. */
  active(): number;
  /** Adds a number read when the metrics are asked for. */
  gauge(name: string, help: string, read: () => number): void;
  /** The exposition text. */
  text(): string;
}

const sample = (name: string, labels: Record<string, string>, value: number): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
};

const family = (name: string, type: "counter" | "gauge", help: string, samples: string[]): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples].join("\n");

/** Tool names are ours, so label values need no escaping and their number is bounded. */
export function createMetrics(): Metrics {
  const calls = new Map<string, { tool: string; outcome: Outcome; count: number; seconds: number }>();
  const gauges: { name: string; help: string; read: () => number }[] = [];
  let active = 0;

  return {
    started(tool) {
      active += 1;
      const began = performance.now();
      return (outcome) => {
        active -= 1;
        const key = `${tool} ${outcome}`;
        const entry = calls.get(key) ?? { tool, outcome, count: 0, seconds: 0 };
        entry.count += 1;
        entry.seconds += (performance.now() - began) / 1000;
        calls.set(key, entry);
      };
    },
    active: () => active,
    gauge(name, help, read) {
      gauges.push({ name, help, read });
    },
    text() {
      const entries = [...calls.values()];
      const labelled = (name: string, value: (entry: (typeof entries)[number]) => number) =>
        entries.map((entry) => sample(name, { tool: entry.tool, outcome: entry.outcome }, value(entry)));
      const total = "trigger_mcp_tool_calls_total";
      const seconds = "trigger_mcp_tool_call_seconds_total";
      return `${[
        family(
          total,
          "counter",
          "Tool calls by outcome.",
          labelled(total, (entry) => entry.count),
        ),
        family(
          seconds,
          "counter",
          "Time spent in tool calls.",
          labelled(seconds, (entry) => entry.seconds),
        ),
        family("trigger_mcp_active_calls", "gauge", "Tool calls being answered.", [
          sample("trigger_mcp_active_calls", {}, active),
        ]),
        ...gauges.map(({ name, help, read }) => family(name, "gauge", help, [sample(name, {}, read())])),
      ].join("\n")}\n`;
    },
  };
}
