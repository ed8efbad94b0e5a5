import { HOUR, MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

export default exhibit(
  "failed because its child expired",
  "the child's time to live ran out in the queue, and its parent fell with it",
  (world) => {
    const run = world.once("check-out", { ago: HOUR, payload: { cart: 88 } }, (step) => {
      step.span("load cart", { took: 14 });
      step.triggerAndWait("reserve-stock", { status: "EXPIRED", ttl: "5m", queued: 5 * MINUTE, payload: {} });
    });
    const child = world.find("reserve-stock");
    return {
      run,
      expect: {
        class: "expired",
        culprit: { run: child.id },
        evidence: [/reserve-stock/, /5m/, /TTL|time to live/i],
      },
    };
  },
);
