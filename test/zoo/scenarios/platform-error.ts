import { internal } from "../errors.ts";
import { HOUR, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = internal(
  "TASK_RUN_STALLED_EXECUTING",
  "The process that executed this run ended before the run did",
);

export default exhibit("platform error code", "the machine went away below the run", (world) => {
  const run = world.once("rebuild-feed", { ago: 6 * HOUR, payload: { feed: 3 } }, (step) => {
    step.span("load feed", { took: 80 });
    step.span("write feed", { took: 61 * SECOND, error });
  });
  return {
    run,
    expect: {
      class: "platform",
      culprit: { run: run.id, span: [run.span("write feed"), run.span("Attempt 1")] },
      evidence: [/TASK_RUN_STALLED_EXECUTING/, /replay_run/],
    },
  };
});
