import { internal } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = internal("TASK_PROCESS_SIGSEGV", "Process exited with code null after signal SIGSEGV.");

export default exhibit(
  "segmentation fault in a child",
  "a native module took the child's process with it",
  (world) => {
    const run = world.once("process-album", { ago: HOUR, payload: { album: 5 } }, (step) => {
      step.triggerAndWait("make-thumbnail", { payload: { image: 77 } }, (work) => {
        work.span("read image", { took: 60 });
        work.span("resize to 200x200", { took: 33, error });
      });
    });
    const child = world.find("make-thumbnail");
    return {
      run,
      expect: {
        class: "crash",
        culprit: { run: child.id, span: child.span("resize to 200x200") },
        evidence: [/SIGSEGV/, /make-thumbnail/],
      },
    };
  },
);
