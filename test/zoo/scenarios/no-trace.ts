import { thrown } from "../errors.ts";
import { DAY } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("TypeError", "Cannot destructure property 'sku' of 'undefined'", [
  "pickSku src/lib/skus.ts:5:11",
  "run src/trigger/ship-order.ts:19:7",
]);

export default exhibit(
  "trace past retention",
  "forty days old: the run is there, its trace is not",
  (world) => {
    const run = world.once("ship-order", { ago: 40 * DAY, payload: { order: 12 } }, (step) => {
      step.span("pick sku", { took: 3, error });
    });
    world.spans.length = 0;
    return {
      run,
      expect: {
        class: "user_code",
        culprit: { run: run.id },
        evidence: [/Cannot destructure property 'sku'/, /src\/lib\/skus\.ts:5/, /trace/i],
      },
    };
  },
);
