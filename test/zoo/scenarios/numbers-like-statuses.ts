import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", "order 503 has no lines, timeout 429 ignored", [
  "checkLines src/lib/orders.ts:17:11",
  "run src/trigger/pack-order.ts:8:3",
]);

export default exhibit("numbers like statuses", "503 is an order here and 429 a setting", (world) => {
  const run = world.once("pack-order", { ago: HOUR, payload: { order: 503 } }, (step) => {
    step.span("check lines of order 503", { took: 1, error });
  });
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("check lines of order 503") },
      evidence: [/order 503 has no lines/, /src\/lib\/orders\.ts:17/],
    },
  };
});
