import { HOUR, SECOND } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "failed because its child was cancelled",
  "somebody cancelled the child; the parent could only fail",
  (world) => {
    const run = world.once("migrate-tenant", { ago: HOUR, payload: { tenant: "initech" } }, (step) => {
      step.span("lock tenant", { took: 15 });
      step.triggerAndWait("copy-tables", { cancelled: "Canceled by user", payload: {} }, (copying) => {
        copying.span("copy orders", { took: 50 * SECOND, open: true });
      });
    });
    const child = world.find("copy-tables");
    return {
      run,
      expect: {
        class: "cancelled",
        culprit: { run: child.id },
        evidence: [/copy-tables/, /Canceled by user/, /copy orders/],
      },
    };
  },
);
