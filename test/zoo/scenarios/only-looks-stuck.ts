import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "only looks stuck",
  "nothing for five hours, as it was told: a wait of a day",
  (world) => {
    const run = world.once("trial-ending", { ago: 5 * HOUR, payload: { account: 31 } }, (step) => {
      step.span("load account", { took: 30 });
      step.span("POST /messages", { took: 90 });
      step.wait("wait for 86400s", { open: true, props: { wait: { durationMs: 86_400_000 } } });
    });
    return {
      run,
      expect: {
        class: "running",
        culprit: { run: run.id, span: run.span("wait for 86400s") },
        evidence: [/WAITING/, /wait for 86400s/],
      },
    };
  },
);
