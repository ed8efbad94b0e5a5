/** A run's trace as a waterfall that a person can walk through, beside the answer of get_run_trace. */
import { RUN_VIEW } from "../../views/run-view-shape.ts";
import type { AppDefinition } from "../define.ts";

export default {
  uri: RUN_VIEW.uri,
  name: "run_view",
  title: "Run view",
  description: "A run's trace as a waterfall: a tree of spans over time, with a filter.",
  html: async () => (await import("./html.ts")).default,
} satisfies AppDefinition;
