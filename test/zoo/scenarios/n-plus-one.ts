import { DAY, HOUR } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const stock = (sku: number) => `GET /stock/SKU-${String(sku).padStart(4, "0")}`;

export default exhibit("N+1 slowness", "1,199 requests one after the other where one would do", (world) => {
  world.series(
    5,
    "sync-inventory",
    (day) => ({ ago: (5 - day) * DAY, payload: { warehouse: "porto" }, output: { synced: 60 } }),
    (step) => {
      step.span("load skus", { took: 40, props: { db: { rows: 60 } } });
      for (let sku = 1; sku <= 60; sku += 1) step.span(stock(sku), { took: 30 + (sku % 7) });
    },
  );
  const run = world.once(
    "sync-inventory",
    { ago: HOUR, payload: { warehouse: "lyon" }, output: { synced: 1199 } },
    (step) => {
      step.span("load skus", { took: 212, props: { db: { rows: 1199 } } });
      for (let sku = 1; sku <= 1199; sku += 1)
        step.span(stock(sku), { took: sku === 840 ? 1_900 : 30 + (sku % 9) });
      step.span("write snapshot", { took: 290 });
    },
  );
  const calls = Array.from({ length: 1199 }, (_, index) => run.span(stock(index + 1)));
  return {
    run,
    expect: {
      class: "slow",
      culprit: { run: run.id, span: [...calls, run.span("Attempt 1")] },
      evidence: [/1,199/, /GET \/stock/, /sequence|one after (the other|another)/],
    },
  };
});
