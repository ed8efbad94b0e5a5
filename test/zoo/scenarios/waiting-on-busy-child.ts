import { MINUTE, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "waiting on a busy child",
  "silent for half an hour because its child does the work",
  (world) => {
    const run = world.once("archive-year", { ago: 30 * MINUTE, payload: { year: 2024 } }, (step) => {
      step.span("list months", { took: 60 });
      step.triggerAndWait("archive-month", { payload: { month: 1 } }, (archiving) => {
        for (let file = 1; file <= 179; file += 1)
          archiving.span(`compress file ${file}`, { took: 10 * SECOND });
        archiving.span("compress file 180", { open: true });
      });
    });
    const child = world.find("archive-month");
    return {
      run,
      expect: {
        class: "running",
        culprit: { run: [child.id, run.id] },
        evidence: [/archive-month/, new RegExp(child.id), /compress file 180|follow_run/],
      },
    };
  },
);
