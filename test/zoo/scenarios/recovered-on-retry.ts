import { thrown } from "../errors.ts";
import { MINUTE } from "../rows.ts";
import { exhibit } from "../scenario.ts";

const error = thrown("Error", "connect ETIMEDOUT 10.4.0.12:5432", [
  "query src/lib/db.ts:12:9",
  "run src/trigger/sync-crm.ts:30:17",
]);

export default exhibit("recovered on retry", "green, but only on the second attempt", (world) => {
  const run = world.run(
    "sync-crm",
    { ago: 15 * MINUTE, payload: { account: 17 }, output: { synced: 40 } },
    (told) => {
      told.attempt((step) => {
        step.span("load account", { took: 14 });
        step.span("select contacts", { took: 5_003, error, props: { db: { system: "postgresql" } } });
      });
      told.backOff(1_000);
      told.attempt((step) => {
        step.span("load account", { took: 15 });
        step.span("select contacts", { took: 38, props: { db: { system: "postgresql" } } });
        step.span("PUT /contacts", { took: 190 });
      });
    },
  );
  return {
    run,
    expect: {
      class: "recovered",
      culprit: { run: run.id, span: run.spans("select contacts").slice(0, 1) },
      evidence: [/ETIMEDOUT/, /Attempt 1|attempt 1|1 of 2/],
    },
  };
});
