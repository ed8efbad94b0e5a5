import { DAY, HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "pending version",
  "no deployed version has the task, or the one it is locked to is missing",
  (world) => {
    world.once("send-invoice", { ago: 2 * DAY, payload: {} }, (step) =>
      step.span("POST /messages", { took: 80 }),
    );
    const run = world.run("send-invoice-v2", {
      ago: 3 * HOUR,
      status: "PENDING_VERSION",
      payload: { invoice: 9 },
    });
    return {
      run,
      expect: {
        class: "version",
        culprit: { run: run.id },
        evidence: [/PENDING_VERSION/, /deploy/i, /send-invoice-v2/],
      },
    };
  },
);
