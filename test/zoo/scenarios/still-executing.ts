import { SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit("still executing", "busy and healthy: something ends every few seconds", (world) => {
  const run = world.once("sync-mailbox", { ago: 95 * SECOND, payload: { mailbox: 12 } }, (step) => {
    for (let batch = 1; batch <= 23; batch += 1) step.span(`fetch batch ${batch}`, { took: 4 * SECOND });
    step.log("INFO", "fetched batch 23 of 60", { batch: 23 });
    step.span("fetch batch 24", { open: true });
  });
  return {
    run,
    expect: {
      class: "running",
      culprit: { run: run.id },
      evidence: [/fetch batch 24/, /fetched batch 23 of 60/, /follow_run/],
    },
  };
});
