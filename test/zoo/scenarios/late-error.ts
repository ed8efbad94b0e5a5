import { thrown } from "../errors.ts";
import { HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("SyntaxError", "Unexpected end of JSON input", [
  "parseStock src/lib/stock.ts:12:15",
  "run src/trigger/sync-stock.ts:28:20",
]);

export default exhibit("late error in 9,000 spans", "the 8,912th request got half an answer", (world) => {
  const run = world.once("sync-stock", { ago: 3 * HOUR, payload: { skus: 9000 } }, (step) => {
    step.span("load skus", { took: 300 });
    for (let sku = 1; sku < 8_912; sku += 1) step.span(`GET /stock/${sku}`, { took: 20 + (sku % 11) });
    step.span("GET /stock/8912", {}, (span) => {
      span.span("parse body", { took: 1, error });
    });
  });
  return {
    run,
    expect: {
      class: "user_code",
      culprit: { run: run.id, span: run.span("parse body") },
      evidence: [/SyntaxError: Unexpected end of JSON input/, /GET \/stock\/8912/, /src\/lib\/stock\.ts:12/],
    },
  };
});
