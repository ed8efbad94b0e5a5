import { internal } from "../errors.ts";
import { HOUR, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = internal("TASK_PROCESS_OOM_KILLED", "Process exited with code 137 after signal SIGKILL.");

export default exhibit("out of memory", "a whole export held in memory on a small machine", (world) => {
  const run = world.once(
    "build-search-index",
    { ago: HOUR, payload: { catalog: "all" }, machine: "small-1x" },
    (step) => {
      step.span("load documents", { took: 9 * SECOND }, (span) =>
        span.log("INFO", "loaded 412000 documents", {}),
      );
      step.span("build index", { took: 31 * SECOND, error }, (span) => {
        span.pause(30 * SECOND);
        span.log("WARN", "heap used 486 MB of 512 MB", { heapUsed: 509607936 });
      });
    },
  );
  return {
    run,
    expect: {
      class: "out_of_memory",
      culprit: { run: run.id, span: run.span("build index") },
      evidence: [/TASK_PROCESS_OOM_KILLED/, /memory/i, /heap used 486 MB/, /machine/],
    },
  };
});
