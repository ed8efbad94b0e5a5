import { thrown } from "../errors.ts";
import { SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", "429 Too Many Requests from https://api.crm.example.com", [
  "push src/lib/crm.ts:19:11",
  "run src/trigger/push-lead.ts:11:9",
]);

export default exhibit(
  "between two attempts",
  "shown as EXECUTING while it waits for its second attempt",
  (world) => {
    const run = world.run(
      "push-lead",
      { ago: 14 * SECOND, status: "RETRYING_AFTER_FAILURE", payload: { lead: 5 } },
      (told) => {
        told.attempt((step) => step.span("POST /leads", { took: 350, error }));
        told.backOff(30_000, { open: true });
      },
    );
    return {
      run,
      expect: {
        class: "running",
        culprit: { run: run.id },
        evidence: [/429/, /retry|attempt 2|Attempt 2/i],
      },
    };
  },
);
