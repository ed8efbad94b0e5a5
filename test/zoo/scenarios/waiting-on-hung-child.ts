import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "waiting on a hung child",
  "the parent waits as it should; its child has been silent for two hours",
  (world) => {
    const run = world.once("nightly-close", { ago: 2 * HOUR, payload: { day: "2026-11-19" } }, (step) => {
      step.triggerAndWait("lock-accounts", { payload: {} }, (work) => {
        work.span("list accounts", { took: 70 });
        work.log("INFO", "waiting for the lock on accounts", {});
        work.span("LOCK TABLE accounts", { open: true, props: { db: { system: "postgresql" } } });
      });
    });
    const child = world.find("lock-accounts");
    return {
      run,
      expect: {
        class: "stalled",
        culprit: { run: child.id, span: child.span("LOCK TABLE accounts") },
        evidence: [/LOCK TABLE accounts/, /lock-accounts/, /waiting for the lock/],
      },
    };
  },
);
