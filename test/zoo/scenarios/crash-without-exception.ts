import { internal } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = internal(
  "TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE",
  "Process exited with code 1 after signal null.",
);

export default exhibit("crash without exception", "a library calls process.exit(1)", (world) => {
  const run = world.once("convert-video", { ago: HOUR, payload: { video: 61 } }, (step) => {
    step.span("download source", { took: 4_200 });
    step.span("transcode", { took: 12_700, error }, (span) => span.log("INFO", "loading codec libx265", {}));
  });
  return {
    run,
    expect: {
      class: "crash",
      culprit: { run: run.id, span: run.span("transcode") },
      evidence: [/TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE/, /code 1/, /loading codec libx265/],
    },
  };
});
