/** One run that went wrong, or only looks so, and what a good engineer says about it. */
import type { Scenario } from "../../src/embedded/scenario.ts";
import type { VerdictClass } from "../../src/insight/diagnosis.ts";
import { World } from "./builder.ts";

export interface Expected {
  class: VerdictClass;
  /** Where it began: any of these, where several are as good. */
  culprit: { run: string | string[]; span?: string | string[] };
  /** What the answer has to say. */
  evidence: RegExp[];
  /** What it must not say. */
  absent?: (string | RegExp)[];
}

export interface Exhibit {
  name: string;
  /** What happened, in a line. */
  story: string;
  rows: Scenario;
  /** The run to be asked about. */
  run: string;
  expect: Expected;
  /** Served as the older server does: the tree up to its cap, no pages. */
  oldServer: boolean;
}

interface Told {
  run: { id: string };
  expect: Expected;
  oldServer?: boolean;
}

/** `tell` writes the runs down and answers which of them is asked about. */
export function exhibit(name: string, story: string, tell: (world: World) => Told): Exhibit {
  const world = new World(name);
  const { run, expect, oldServer = false } = tell(world);
  return { name, story, rows: { runs: world.runs, spans: world.spans }, run: run.id, expect, oldServer };
}
