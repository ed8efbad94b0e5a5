import { internal } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = internal(
  "TASK_OUTPUT_ERROR",
  "Failed to upload output: 413 Payload Too Large (104857601 bytes)",
);

export default exhibit(
  "output too large",
  "the work was done, but what it returned could not be stored",
  (world) => {
    const run = world.run("export-orders", { ago: 2 * HOUR, payload: { year: 2025 } }, (told) => {
      told.attempt({ error }, (step) => {
        step.span("select orders", { took: 8_400, props: { db: { rows: 310_000 } } });
        step.span("to csv", { took: 3_100 });
        step.log("INFO", "exported 310000 orders", { orders: 310_000 });
        step.pause(900);
      });
    });
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id, span: run.span("Attempt 1") },
        evidence: [/TASK_OUTPUT_ERROR/, /413 Payload Too Large|too large/i, /output/i],
      },
    };
  },
);
